//! The parameters of each operation that name a record, and the rest of its body.

use serde_json::{Value, json};

use crate::fixture::World;
use crate::resources::{Filled, Kind, Place, Slot};
use crate::rule_table::named;

/// Returns the parameters that name a record, that of the path first; those in the query are
/// optional.
pub(crate) fn slots(operation: &str) -> Vec<Slot> {
    use Kind::{
        After, Authorization, Bucket, BucketName, DatabaseToken, Organization, OrganizationName,
        Token, User, UserName,
    };
    use Place::{Body, OptionalBody, Path, Query};
    let slots: &[(Place, &'static str, Kind)] = match operation {
        "GetAuthorizations" => &[
            (Query, "id", Authorization),
            (Query, "userID", User),
            (Query, "user", UserName),
            (Query, "orgID", Organization),
            (Query, "org", OrganizationName),
            (Query, "token", Token),
            (Query, "after", After),
        ],
        "PostAuthorizations" => &[(Body, "orgID", Organization), (OptionalBody, "userID", User)],
        "GetAuthorizationsID"
        | "PatchAuthorizationsID"
        | "DeleteAuthorizationsID"
        | "PostAuthorizationsIDRotate" => &[(Path, "authID", Authorization)],
        "GetUsers" => &[(Query, "id", User), (Query, "name", UserName), (Query, "after", After)],
        "GetUsersID"
        | "PatchUsersID"
        | "DeleteUsersID"
        | "PostUsersIDPassword"
        | "PutUsersIDPassword" => &[(Path, "userID", User)],
        "GetOrgs" => &[
            (Query, "org", OrganizationName),
            (Query, "orgID", Organization),
            (Query, "userID", User),
            (Query, "after", After),
        ],
        "GetOrgsID" | "PatchOrgsID" | "DeleteOrgsID" | "GetOrgsIDMembers" | "GetOrgsIDOwners" => {
            &[(Path, "orgID", Organization)]
        }
        "PostOrgsIDMembers" | "PostOrgsIDOwners" => {
            &[(Path, "orgID", Organization), (Body, "id", User)]
        }
        "DeleteOrgsIDMembersID" | "DeleteOrgsIDOwnersID" => {
            &[(Path, "orgID", Organization), (Path, "userID", User)]
        }
        "GetBuckets" => &[
            (Query, "id", Bucket),
            (Query, "name", BucketName),
            (Query, "org", OrganizationName),
            (Query, "orgID", Organization),
            (Query, "after", After),
        ],
        "PostBuckets" => &[(Body, "orgID", Organization)],
        "GetBucketsID" | "DeleteBucketsID" => &[(Path, "bucketID", Bucket)],
        "GetDatabaseToken" | "UpdateDatabaseToken" | "DeleteDatabaseToken" => {
            &[(Path, "tokenId", DatabaseToken)]
        }
        _ => &[],
    };
    let slots = slots.iter();
    slots.map(|&(place, name, kind)| Slot { place, name, kind }).collect()
}

/// Returns a valid body with the values of the slots; null for an operation without one.
pub(crate) fn body(operation: &str, world: &World, filled: &[Filled<'_>]) -> Value {
    let mut body = match operation {
        "PostAuthorizations" => {
            let org = named(filled, "orgID").spelled_id(world);
            let resource = json!({"type": "buckets", "orgID": org.unwrap_or(world.own.org)});
            json!({"permissions": [{"action": "read", "resource": resource}]})
        }
        "PatchAuthorizationsID" => json!({"description": "another"}),
        "PostAuthorizationsIDRotate" => json!({"overlapSeconds": 60}),
        "PostUsers" | "PatchUsersID" => json!({"name": "another-user"}),
        "PutMePassword" | "PostUsersIDPassword" | "PutUsersIDPassword" => {
            json!({"password": "a good password"})
        }
        "PostOrgs" | "PatchOrgsID" => json!({"name": "another-organization"}),
        "PostOrgsIDMembers" | "PostOrgsIDOwners" => json!({}),
        "PostBuckets" => json!({"name": "another-bucket"}),
        "PostSetup" => json!({
            "username": "again", "password": "a good password", "org": "again", "bucket": "again",
        }),
        "CreateDatabaseToken" => json!({
            "description": "made", "permissions": [{"action": "read", "resource": "db"}],
        }),
        "UpdateDatabaseToken" => json!({"description": "another"}),
        _ => return Value::Null,
    };
    let slots = filled.iter().filter(|one| one.slot.place.is_body());
    for one in slots.filter(|one| !one.is_absent()) {
        body[one.slot.name] = Value::String(one.text.clone());
    }
    body
}

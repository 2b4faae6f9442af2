//! The parameters of each operation that name a record, and the rest of its body.

use serde_json::{Value, json};

use crate::fixture::World;
use crate::resources::{Filled, Kind, Place, Slot, Thing};
use crate::rule_table::named;

const fn slot(place: Place, name: &'static str, kind: Kind) -> Slot {
    Slot { place, name, kind }
}

const AUTHORIZATION: [Slot; 1] = [slot(Place::Path, "authID", Kind::Authorization)];
const DATABASE_TOKEN: [Slot; 1] = [slot(Place::Path, "tokenId", Kind::DatabaseToken)];
const USER: [Slot; 1] = [slot(Place::Path, "userID", Kind::User)];
const ORG: [Slot; 1] = [slot(Place::Path, "orgID", Kind::Organization)];
const BUCKET: [Slot; 1] = [slot(Place::Path, "bucketID", Kind::Bucket)];
const AFTER: Slot = slot(Place::Query, "after", Kind::After);
const NEW_MEMBER: [Slot; 2] = [
    slot(Place::Path, "orgID", Kind::Organization),
    slot(Place::Body, "id", Kind::User),
];
const MEMBER: [Slot; 2] = [
    slot(Place::Path, "orgID", Kind::Organization),
    slot(Place::Path, "userID", Kind::User),
];

/// Returns the parameters that name a record; those in the query are optional.
pub(crate) fn slots(operation: &str) -> Option<Vec<Slot>> {
    use Kind::{Authorization, Bucket, BucketName, Organization, OrganizationName, User, UserName};
    let query = |name, kind| slot(Place::Query, name, kind);
    Some(match operation {
        "GetAuthorizations" => vec![
            query("id", Authorization),
            query("userID", User),
            query("user", UserName),
            query("orgID", Organization),
            query("org", OrganizationName),
            query("token", Kind::Token),
            AFTER,
        ],
        "PostAuthorizations" => vec![
            slot(Place::Body, "orgID", Organization),
            slot(Place::OptionalBody, "userID", User),
        ],
        "GetAuthorizationsID"
        | "PatchAuthorizationsID"
        | "DeleteAuthorizationsID"
        | "PostAuthorizationsIDRotate" => AUTHORIZATION.to_vec(),
        "GetUsers" => vec![query("id", User), query("name", UserName), AFTER],
        "GetUsersID"
        | "PatchUsersID"
        | "DeleteUsersID"
        | "PostUsersIDPassword"
        | "PutUsersIDPassword" => USER.to_vec(),
        "GetOrgs" => vec![
            query("org", OrganizationName),
            query("orgID", Organization),
            query("userID", User),
            AFTER,
        ],
        "GetOrgsID" | "PatchOrgsID" | "DeleteOrgsID" | "GetOrgsIDMembers" | "GetOrgsIDOwners" => {
            ORG.to_vec()
        }
        "PostOrgsIDMembers" | "PostOrgsIDOwners" => NEW_MEMBER.to_vec(),
        "DeleteOrgsIDMembersID" | "DeleteOrgsIDOwnersID" => MEMBER.to_vec(),
        "GetBuckets" => vec![
            query("id", Bucket),
            query("name", BucketName),
            query("org", OrganizationName),
            query("orgID", Organization),
            AFTER,
        ],
        "PostBuckets" => vec![slot(Place::Body, "orgID", Organization)],
        "GetBucketsID" | "DeleteBucketsID" => BUCKET.to_vec(),
        "GetDatabaseToken" | "UpdateDatabaseToken" | "DeleteDatabaseToken" => {
            DATABASE_TOKEN.to_vec()
        }
        "GetDatabaseTokens"
        | "CreateDatabaseToken"
        | "PostUsers"
        | "PostOrgs"
        | "GetMe"
        | "PutMePassword"
        | "GetSetup"
        | "PostSetup"
        | "PostSignin"
        | "PostSignout"
        | "GetRoutes"
        | "GetResources"
        | "GetOpenapi"
        | "GetHealth"
        | "GetReady"
        | "GetPing"
        | "HeadPing"
        | "GetMetrics"
        | "PostBackup" => Vec::new(),
        _ => return None,
    })
}

/// Returns a valid body with the values of the slots.
pub(crate) fn body(operation: &str, world: &World, filled: &[Filled<'_>]) -> Option<Value> {
    let mut body = match operation {
        "PostAuthorizations" => {
            let org = named(filled, "orgID")
                .thing
                .org(world)
                .unwrap_or(world.own.org);
            json!({"permissions": [
                {"action": "read", "resource": {"type": "buckets", "orgID": org}}
            ]})
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
        _ => return None,
    };
    let slots = filled.iter().filter(|one| one.slot.place.is_body());
    for one in slots.filter(|one| one.thing != Thing::Absent) {
        body[one.slot.name] = Value::String(one.text.clone());
    }
    Some(body)
}

//! Authorizations as JSON.

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use symbolon::{AdminError, Authorization, Id, Names, Permission, Timestamp, Token};
use utoipa::ToSchema;

use super::super::status::StatusForm;
use crate::schemas::{Description, HexId, Time, TypeName, WantedStatus};
use crate::settings::Settings;

/// An authorization, as InfluxDB v2 shows it.
///
/// It may contain the token, so it does not implement `Debug`.
#[derive(Serialize, ToSchema)]
#[schema(as = Authorization)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorizationForm {
    #[schema(value_type = HexId)]
    id: Id,
    /// The token in the reply to its creation; otherwise `""` or `redacted`, depending on the
    /// server.
    token: String,
    status: StatusForm,
    description: String,
    #[serde(rename = "orgID")]
    #[schema(value_type = HexId)]
    organization: Id,
    #[serde(rename = "org", skip_serializing_if = "Option::is_none")]
    organization_name: Option<String>,
    #[serde(rename = "userID", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<HexId>)]
    user: Option<Id>,
    #[serde(rename = "user", skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    #[schema(value_type = Vec<PermissionForm>)]
    permissions: Vec<Value>,
    links: Links,
    #[schema(value_type = Time)]
    created_at: Timestamp,
    #[schema(value_type = Time)]
    updated_at: Timestamp,
    /// Time at which the token expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>)]
    expires_at: Option<Timestamp>,
    /// Time of the last use, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>)]
    last_used_at: Option<Timestamp>,
    /// The authorization that this one replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<HexId>)]
    rotated_from: Option<Id>,
}

/// Paths of the authorization and its user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthorizationLinks)]
struct Links {
    #[serde(rename = "self")]
    own: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

/// A permission: an action on resources.
#[derive(Debug, ToSchema)]
#[schema(as = Permission)]
#[expect(dead_code, reason = "only describes the JSON, which the engine reads and writes")]
pub(crate) struct PermissionForm {
    action: ActionForm,
    resource: ResourceForm,
}

#[derive(Debug, ToSchema)]
#[schema(as = Action, rename_all = "lowercase")]
#[expect(dead_code, reason = "only describes the JSON, which the engine reads and writes")]
enum ActionForm {
    Read,
    Write,
}

/// All resources of a type, all of them in one organization, or a single one.
#[derive(Debug, ToSchema)]
#[schema(as = Resource)]
#[expect(dead_code, reason = "only describes the JSON, which the engine reads and writes")]
struct ResourceForm {
    /// Resource type, such as `buckets`; `GET /api/v2/resources` lists the types.
    #[schema(rename = "type", value_type = TypeName)]
    kind: String,
    /// Id of a single resource.
    #[schema(value_type = Option<HexId>)]
    id: Option<Id>,
    /// Organization to which the permission is limited.
    #[schema(rename = "orgID", value_type = Option<HexId>)]
    organization: Option<Id>,
    /// Name of a single resource, for a type that has names instead of ids, such as `databases`.
    named: Option<String>,
    /// Name of the resource, only in replies.
    name: Option<String>,
    /// Name of the organization, only in replies.
    org: Option<String>,
}

impl AuthorizationForm {
    /// Creates the form of an authorization that is not revoked.
    pub(crate) fn new(
        one: Authorization,
        names: &mut Names,
        settings: &Settings,
    ) -> Result<Self, AdminError> {
        let user_name = match one.user {
            Some(user) => names.user(user)?.map(str::to_owned),
            None => None,
        };
        let organization_name = names.organization(one.organization)?.map(str::to_owned);
        let permissions = one.permissions.iter();
        Ok(Self {
            id: one.id,
            token: settings.token_in_replies.as_str().to_owned(),
            status: one.status.into(),
            organization: one.organization,
            organization_name,
            user: one.user,
            user_name,
            permissions: permissions
                .map(|permission| shown(permission, names))
                .collect::<Result<_, AdminError>>()?,
            links: Links {
                own: format!("/api/v2/authorizations/{}", one.id),
                user: one.user.map(|user| format!("/api/v2/users/{user}")),
            },
            created_at: one.created_at,
            updated_at: one.updated_at,
            expires_at: one.expires_at,
            last_used_at: one.last_used.map(Timestamp::from),
            rotated_from: one.rotated_from,
            description: one.description,
        })
    }

    /// Adds the token, for the reply to its creation.
    pub(crate) fn with(mut self, token: &Token) -> Self {
        token.reveal().clone_into(&mut self.token);
        self
    }
}

/// Returns a permission with the names of its resource and organization. If a resource with an id
/// has no name, its organization is not named either.
fn shown(permission: &Permission, names: &mut Names) -> Result<Value, AdminError> {
    let mut value = serde_json::to_value(permission).unwrap_or(Value::Null);
    let name = names.of_resource(permission)?.map(str::to_owned);
    let by_id = matches!(permission.resource.target, symbolon::Target::Id(_));
    let organization = match permission.resource.organization {
        Some(id) if name.is_some() || !by_id => names.organization(id)?.map(str::to_owned),
        _ => None,
    };
    if let Some(resource) = value.get_mut("resource").and_then(Value::as_object_mut) {
        put(resource, "name", name);
        put(resource, "org", organization);
    }
    Ok(value)
}

fn put(resource: &mut Map<String, Value>, key: &str, value: Option<String>) {
    if let Some(value) = value {
        resource.insert(key.to_owned(), Value::String(value));
    }
}

/// A new authorization. Unknown keys are ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewAuthorization)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewForm {
    /// Organization of the authorization.
    #[serde(rename = "orgID", default)]
    #[schema(value_type = HexId, required)]
    pub(super) organization: Option<Id>,
    /// User of the authorization; by default the user of the caller.
    #[serde(rename = "userID", default)]
    #[schema(value_type = Option<HexId>)]
    pub(super) user: Option<Id>,
    /// `active`, the default, or `inactive`.
    #[serde(default)]
    #[schema(value_type = Option<WantedStatus>)]
    pub(super) status: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Description>)]
    pub(super) description: Option<String>,
    /// Permissions of the token, at least one.
    #[serde(default)]
    #[schema(value_type = Vec<PermissionForm>, required, min_items = 1)]
    pub(super) permissions: Option<Vec<Permission>>,
    /// Time at which the token expires, in the future; never by default.
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    pub(super) expires_at: Option<Timestamp>,
}

/// Changes to an authorization. Missing and null fields are unchanged, unknown keys are ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AuthorizationUpdate)]
pub(crate) struct UpdateForm {
    #[serde(default)]
    #[schema(value_type = Option<WantedStatus>)]
    pub(super) status: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Description>)]
    pub(super) description: Option<String>,
}

/// Parameters of a rotation.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Rotation)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RotateForm {
    /// Seconds for which the old token remains valid, unless it expires earlier.
    #[serde(deserialize_with = "seconds")]
    #[schema(value_type = u64, maximum = 4_294_967_295_u32, required)]
    pub(super) overlap_seconds: u32,
    /// Description of the new authorization; by default that of the old one.
    #[serde(default)]
    #[schema(value_type = Option<Description>)]
    pub(super) description: Option<String>,
}

/// Reads a whole number, also in the form `60.0`.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = f64::deserialize(deserializer)?;
    // A number that does not fit is converted to a different one.
    let whole = number as u32;
    match f64::from(whole) == number {
        true => Ok(whole),
        false => {
            let expected = &"whole seconds from 0 to 4294967295";
            Err(D::Error::invalid_value(Unexpected::Float(number), expected))
        }
    }
}

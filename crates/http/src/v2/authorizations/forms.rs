//! Authorizations as JSON.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use symbolon::{Authorization, Error, Id, Permission, Timestamp, Token};
use utoipa::ToSchema;

use crate::api::Settings;
use crate::names::Names;
use crate::schemas::{Description, HexId, Time, TypeName, WantedStatus};

/// An authorization, as InfluxDB v2 shows it.
///
/// It may hold the token, so that it is not shown by `Debug`.
#[derive(Serialize, ToSchema)]
#[schema(as = Authorization)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorizationForm {
    #[schema(value_type = HexId)]
    id: Id,
    /// The token in the reply to its creation; later `""` or `redacted`, as the server is set.
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
    /// From when on the token is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>)]
    expires_at: Option<Timestamp>,
    /// When the token was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>)]
    last_used_at: Option<Timestamp>,
    /// The authorization that this one replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<HexId>)]
    rotated_from: Option<Id>,
}

/// Whether a token is switched on.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Status)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StatusForm {
    Active,
    Inactive,
}

impl From<symbolon::Status> for StatusForm {
    /// What has ended is shown to nobody.
    fn from(status: symbolon::Status) -> Self {
        match status {
            symbolon::Status::Active => Self::Active,
            _ => Self::Inactive,
        }
    }
}

/// Where the authorization and its user are found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthorizationLinks)]
struct Links {
    #[serde(rename = "self")]
    own: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

/// What a token may do: `read` or `write`, to what.
#[derive(Debug, ToSchema)]
#[schema(as = Permission)]
#[expect(
    dead_code,
    reason = "only described here; the engine reads and writes it"
)]
pub(crate) struct PermissionForm {
    action: ActionForm,
    resource: ResourceForm,
}

#[derive(Debug, ToSchema)]
#[schema(as = Action, rename_all = "lowercase")]
#[expect(
    dead_code,
    reason = "only described here; the engine reads and writes it"
)]
enum ActionForm {
    Read,
    Write,
}

/// All resources of a type, of a type in one organization, or one of them.
#[derive(Debug, ToSchema)]
#[schema(as = Resource)]
#[expect(
    dead_code,
    reason = "only described here; the engine reads and writes it"
)]
struct ResourceForm {
    /// Such as `buckets`; `GET /api/v2/resources` lists them.
    #[schema(rename = "type", value_type = TypeName)]
    kind: String,
    /// One resource of the type.
    #[schema(value_type = Option<HexId>)]
    id: Option<Id>,
    /// Of this organization.
    #[schema(rename = "orgID", value_type = Option<HexId>)]
    organization: Option<Id>,
    /// One resource of a type that goes by names, such as `databases`.
    named: Option<String>,
    /// In replies: what the resource is called.
    name: Option<String>,
    /// In replies: what the organization is called.
    org: Option<String>,
}

impl AuthorizationForm {
    /// What is shown of an authorization that is `is_here`, so that it is active or not.
    pub(crate) fn new(
        one: Authorization,
        names: &mut Names<'_>,
        settings: &Settings,
    ) -> Result<Self, Error> {
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
                .collect::<Result<_, Error>>()?,
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

    /// The same with its token, for the reply that tells it.
    pub(crate) fn with(mut self, token: &Token) -> Self {
        token.reveal().clone_into(&mut self.token);
        self
    }
}

/// A permission with the names of what it is for. If that is not found, neither is its organization named.
fn shown(permission: &Permission, names: &mut Names<'_>) -> Result<Value, Error> {
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

/// What shall be made. Other keys are read over.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewAuthorization)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewForm {
    /// The organization that it belongs to.
    #[serde(rename = "orgID", default)]
    #[schema(value_type = HexId, required)]
    pub(super) organization: Option<Id>,
    /// The user that it belongs to; the caller's own if none is given.
    #[serde(rename = "userID", default)]
    #[schema(value_type = Option<HexId>)]
    pub(super) user: Option<Id>,
    /// `active`, which is meant if none is given, or `inactive`.
    #[serde(default)]
    #[schema(value_type = Option<WantedStatus>)]
    pub(super) status: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Description>)]
    pub(super) description: Option<String>,
    /// What it allows; at least one.
    #[serde(default)]
    #[schema(value_type = Vec<PermissionForm>, required, min_items = 1)]
    pub(super) permissions: Option<Vec<Permission>>,
    /// From when on the token is refused; in the future.
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    pub(super) expires_at: Option<Timestamp>,
}

/// What shall be different; what is not given, or null, stays. Other keys are read over.
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

/// How a token is replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Rotation)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RotateForm {
    /// For how many seconds the old token still works, unless it expires before.
    #[serde(deserialize_with = "seconds")]
    #[schema(value_type = u64, maximum = 4_294_967_295_u32, required)]
    pub(super) overlap_seconds: u32,
    /// The description of the new one; that of the old one if none is given.
    #[serde(default)]
    #[schema(value_type = Option<Description>)]
    pub(super) description: Option<String>,
}

/// A whole number, however JSON writes it: `60.0` is one too.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = f64::deserialize(deserializer)?;
    // What does not fit becomes another number.
    let whole = number as u32;
    match f64::from(whole) == number {
        true => Ok(whole),
        false => Err(serde::de::Error::custom(
            "seconds are a whole number below 2³²",
        )),
    }
}

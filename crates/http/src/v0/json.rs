//! Database tokens as JSON.

use serde::{Deserialize, Serialize};
use symbolon::{
    Action, Authorization, Id, JsonObject, Permission, PermissionSet, ResourceType, Target,
    Timestamp, Token,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::failure::Failure;
use crate::schemas::{Description, Time, TokenUuid};

/// Message for an invalid database name.
pub(super) const RESOURCE: &str = "a resource must be `*` or the name of a database: 1 to 64 \
                                   characters, at most 255 bytes, no control characters";
const LONGEST_NAME: usize = 64;

/// A failure under `/api/v0`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DatabaseTokenError)]
pub(crate) struct RefusedForm {
    /// The HTTP status.
    pub(super) code: u16,
    pub(super) message: String,
}

impl RefusedForm {
    pub(crate) const NAME: &str = "DatabaseTokenError";
}

/// A database token. Only the reply to its creation contains its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DatabaseToken)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenForm {
    #[schema(value_type = TokenUuid)]
    id: Uuid,
    description: String,
    permissions: Vec<PermissionForm>,
    #[schema(value_type = Time)]
    created_at: Timestamp,
    /// Time at which the token expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>)]
    expires_at: Option<Timestamp>,
    /// Time of the revocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>)]
    revoked_at: Option<Timestamp>,
    /// Time of the last use, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>)]
    last_used_at: Option<Timestamp>,
}

/// A new database token, with its text.
#[derive(Serialize, ToSchema)]
#[schema(as = NewDatabaseToken)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadeForm {
    #[serde(flatten)]
    token: TokenForm,
    /// The text of the token.
    access_token: String,
}

/// A permission of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DatabasePermission)]
pub(crate) struct PermissionForm {
    #[schema(pattern = "^(read|write)$")]
    action: String,
    /// The name of a database, or `*` for all of them.
    #[schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]{1,64}$")]
    resource: String,
}

impl From<Authorization> for TokenForm {
    fn from(one: Authorization) -> Self {
        Self {
            id: one.id.to_uuid(),
            permissions: one.permissions.iter().filter_map(shown).collect(),
            created_at: one.created_at,
            expires_at: one.expires_at,
            revoked_at: one.revoked_at,
            last_used_at: one.last_used.map(Timestamp::from),
            description: one.description,
        }
    }
}

impl MadeForm {
    pub(super) fn new(one: Authorization, token: &Token) -> Self {
        Self { token: one.into(), access_token: token.reveal().to_owned() }
    }
}

/// Returns the form of a permission; none if it is not for databases, which only another API can
/// grant.
fn shown(permission: &Permission) -> Option<PermissionForm> {
    let resource = &permission.resource;
    let name = match &resource.target {
        Target::Any => "*",
        Target::Name(name) => name,
        Target::Id(_) => return None,
    };
    let is_database = resource.kind == ResourceType::DATABASES;
    is_database.then(|| PermissionForm {
        action: permission.action.to_string(),
        resource: name.to_owned(),
    })
}

/// Returns the requested permissions, limited to this organization.
///
/// # Errors
///
/// 400 for an unknown action or an invalid database name.
pub(super) fn permissions(
    forms: &[JsonObject<PermissionForm>],
    organization: Id,
) -> Result<PermissionSet, Failure> {
    let read = |JsonObject(form): &JsonObject<PermissionForm>| {
        let action = match form.action.as_str() {
            "read" => Action::READ,
            "write" => Action::WRITE,
            _ => return Err(Failure::invalid("an action must be `read` or `write`")),
        };
        if !(1..=LONGEST_NAME).contains(&form.resource.chars().count()) {
            return Err(Failure::invalid(RESOURCE));
        }
        let permission = Permission::new(action, ResourceType::DATABASES);
        Ok(permission.organization(organization).name(&form.resource))
    };
    forms.iter().map(read).collect()
}

/// A new database token. Unknown keys are ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CreateDatabaseToken)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewForm {
    #[serde(default)]
    #[schema(value_type = Description, required)]
    pub(super) description: Option<String>,
    /// Permissions of the token; none by default.
    #[serde(default)]
    #[schema(value_type = Option<Vec<PermissionForm>>)]
    pub(super) permissions: Option<Vec<JsonObject<PermissionForm>>>,
    /// Time at which the token expires, in the future; never by default.
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    pub(super) expires_at: Option<Timestamp>,
}

/// Changes to a database token, at least one. Unknown keys are ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UpdateDatabaseToken)]
pub(crate) struct UpdateForm {
    #[serde(default)]
    #[schema(value_type = Option<Description>)]
    pub(super) description: Option<String>,
    /// All permissions of the token; they replace the previous ones.
    #[serde(default)]
    #[schema(value_type = Option<Vec<PermissionForm>>)]
    pub(super) permissions: Option<Vec<JsonObject<PermissionForm>>>,
}

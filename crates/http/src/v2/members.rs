//! `/api/v2/orgs/{orgID}/members` and `/owners`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon::{Id, Organization, Role, User};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::links::OwnLink;
use super::resource::Resource as _;
use super::users::UserForm;
use crate::api::{Api, Operations};
use crate::body::{Body, PathId, PathIds};
use crate::failure::Failure;
use crate::principal::Principal;
use crate::responses::Failures;
use crate::schemas::HexId;
use crate::tags;

pub(super) fn routes() -> Vec<Operations> {
    vec![
        routes!(members, add_member),
        routes!(remove_member),
        routes!(owners, add_owner),
        routes!(remove_owner),
    ]
}

/// A user and its role in the organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResourceMember)]
struct MemberForm {
    role: RoleForm,
    #[serde(flatten)]
    user: UserForm,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Role)]
#[serde(rename_all = "lowercase")]
enum RoleForm {
    Owner,
    Member,
}

impl From<Role> for RoleForm {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Member => Self::Member,
        }
    }
}

impl From<(User, Role)> for MemberForm {
    fn from((user, role): (User, Role)) -> Self {
        Self { role: role.into(), user: user.into() }
    }
}

/// Users with one role in an organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResourceMembers)]
struct MembersForm {
    links: OwnLink,
    users: Vec<MemberForm>,
}

/// The user to add.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AddResourceMember)]
struct AddForm {
    #[schema(value_type = HexId)]
    id: Id,
    /// Ignored; the id identifies the user.
    #[serde(default, rename = "name")]
    #[schema(value_type = Option<String>)]
    _name: Option<serde::de::IgnoredAny>,
}

/// List the members of an organization
#[utoipa::path(
    get, path = "/api/v2/orgs/{orgID}/members", operation_id = "GetOrgsIDMembers",
    tag = tags::ORGANIZATIONS,
    params(("orgID" = HexId, Path, description = "Id of the organization")),
    responses((status = 200, description = "The members", body = MembersForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn members(
    State(api): State<Api>,
    principal: Principal,
    PathId(organization): PathId,
) -> Result<Json<MembersForm>, Failure> {
    list(&api, principal, organization, Role::Member).await
}

/// Add a member to an organization
#[utoipa::path(
    post, path = "/api/v2/orgs/{orgID}/members", operation_id = "PostOrgsIDMembers",
    tag = tags::ORGANIZATIONS,
    params(("orgID" = HexId, Path, description = "Id of the organization")),
    request_body = AddForm,
    responses((status = 201, description = "The new member", body = MemberForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn add_member(
    State(api): State<Api>,
    principal: Principal,
    PathId(organization): PathId,
    Body(form): Body<AddForm>,
) -> Result<(StatusCode, Json<MemberForm>), Failure> {
    add(&api, principal, organization, form.id, Role::Member).await
}

/// Remove a member from an organization
#[utoipa::path(
    delete, path = "/api/v2/orgs/{orgID}/members/{userID}",
    operation_id = "DeleteOrgsIDMembersID", tag = tags::ORGANIZATIONS,
    params(
        ("orgID" = HexId, Path, description = "Id of the organization"),
        ("userID" = HexId, Path, description = "Id of the user")
    ),
    responses((status = 204, description = "Removed"), Failures),
    security(("token" = []), ("session" = []))
)]
async fn remove_member(
    State(api): State<Api>,
    principal: Principal,
    PathIds(organization, user): PathIds,
) -> Result<StatusCode, Failure> {
    remove(&api, principal, organization, user).await
}

/// List the owners of an organization
#[utoipa::path(
    get, path = "/api/v2/orgs/{orgID}/owners", operation_id = "GetOrgsIDOwners",
    tag = tags::ORGANIZATIONS,
    params(("orgID" = HexId, Path, description = "Id of the organization")),
    responses((status = 200, description = "The owners", body = MembersForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn owners(
    State(api): State<Api>,
    principal: Principal,
    PathId(organization): PathId,
) -> Result<Json<MembersForm>, Failure> {
    list(&api, principal, organization, Role::Owner).await
}

/// Add an owner to an organization
#[utoipa::path(
    post, path = "/api/v2/orgs/{orgID}/owners", operation_id = "PostOrgsIDOwners",
    tag = tags::ORGANIZATIONS,
    params(("orgID" = HexId, Path, description = "Id of the organization")),
    request_body = AddForm,
    responses((status = 201, description = "The new owner", body = MemberForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn add_owner(
    State(api): State<Api>,
    principal: Principal,
    PathId(organization): PathId,
    Body(form): Body<AddForm>,
) -> Result<(StatusCode, Json<MemberForm>), Failure> {
    add(&api, principal, organization, form.id, Role::Owner).await
}

/// Remove an owner from an organization
#[utoipa::path(
    delete, path = "/api/v2/orgs/{orgID}/owners/{userID}",
    operation_id = "DeleteOrgsIDOwnersID", tag = tags::ORGANIZATIONS,
    params(
        ("orgID" = HexId, Path, description = "Id of the organization"),
        ("userID" = HexId, Path, description = "Id of the user")
    ),
    responses((status = 204, description = "Removed"), Failures),
    security(("token" = []), ("session" = []))
)]
async fn remove_owner(
    State(api): State<Api>,
    principal: Principal,
    PathIds(organization, user): PathIds,
) -> Result<StatusCode, Failure> {
    remove(&api, principal, organization, user).await
}

async fn list(
    api: &Api,
    principal: Principal,
    organization: Id,
    role: Role,
) -> Result<Json<MembersForm>, Failure> {
    let found =
        api.run(move |engine| engine.admin(principal.caller).organizations().members(organization));
    let found = found.await?.into_iter().filter(|(_, held)| *held == role);
    let users = found.map(MemberForm::from).collect();
    let name = match role {
        Role::Owner => "owners",
        Role::Member => "members",
    };
    let links = OwnLink::to(format!("{}/{name}", Organization::path(organization)));
    Ok(Json(MembersForm { links, users }))
}

async fn add(
    api: &Api,
    principal: Principal,
    organization: Id,
    user: Id,
    role: Role,
) -> Result<(StatusCode, Json<MemberForm>), Failure> {
    let done = api.run(move |engine| {
        engine.admin(principal.caller).organizations().add_member(organization, user, role)
    });
    Ok((StatusCode::CREATED, Json((done.await?, role).into())))
}

async fn remove(
    api: &Api,
    principal: Principal,
    organization: Id,
    user: Id,
) -> Result<StatusCode, Failure> {
    let done = api.run(move |engine| {
        engine.admin(principal.caller).organizations().remove_member(organization, user)
    });
    done.await.map(|_| StatusCode::NO_CONTENT)
}

//! `/api/v2/orgs`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon::{
    Admin, AdminError, Field, Id, IfUnchanged, NewOrganization, Organization, OrganizationEdit,
    Timestamp,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::links::{OwnLink, query_value};
use super::resource::{self, Filter, Resource, unknown_name};
use crate::api::{Api, Operations};
use crate::body::{Body, PathId, QueryParams, id_if_given};
use crate::failure::{Failure, absent_is_none};
use crate::paging::{Paging, PagingForm};
use crate::principal::Principal;
use crate::responses::Failures;
use crate::schemas::{Description, HexId, HexIdOrEmpty, Label, Time};
use crate::tags;

pub(super) fn routes() -> Vec<Operations> {
    vec![routes!(list, create), routes!(one, update, delete)]
}

/// An organization, as InfluxDB v2 shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organization)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrganizationForm {
    links: Links,
    #[schema(value_type = HexId)]
    id: Id,
    name: String,
    description: String,
    #[schema(value_type = Time)]
    created_at: Timestamp,
    #[schema(value_type = Time)]
    updated_at: Timestamp,
}

/// InfluxDB's paths of the organization and its parts. The database serves those that this server
/// does not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrganizationLinks)]
struct Links {
    #[serde(rename = "self")]
    own: String,
    logs: String,
    members: String,
    owners: String,
    secrets: String,
    labels: String,
    buckets: String,
    tasks: String,
    dashboards: String,
}

impl From<Organization> for OrganizationForm {
    fn from(one: Organization) -> Self {
        let id = one.id;
        let own = Organization::path(id);
        Self {
            links: Links {
                logs: format!("{own}/logs"),
                members: format!("{own}/members"),
                owners: format!("{own}/owners"),
                secrets: format!("{own}/secrets"),
                labels: format!("{own}/labels"),
                buckets: format!("/api/v2/buckets?org={}", query_value(&one.name)),
                tasks: format!("/api/v2/tasks?org={}", query_value(&one.name)),
                dashboards: format!("/api/v2/dashboards?org={}", query_value(&one.name)),
                own,
            },
            id,
            name: one.name,
            description: one.description,
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

/// Filters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Name of the organization.
    org: Option<String>,
    /// Id of the organization.
    #[serde(rename = "orgID")]
    #[param(value_type = Option<HexIdOrEmpty>)]
    id: Option<String>,
    /// Id of a user: only organizations of this user.
    #[serde(rename = "userID")]
    #[param(value_type = Option<HexIdOrEmpty>)]
    user: Option<String>,
}

/// A list of organizations in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organizations)]
pub(crate) struct ListForm {
    links: OwnLink,
    orgs: Vec<OrganizationForm>,
}

/// List organizations
///
/// The list contains only organizations that the caller may read.
#[utoipa::path(
    get, path = "/api/v2/orgs", operation_id = "GetOrgs", tag = tags::ORGANIZATIONS,
    params(ListQuery, PagingForm),
    responses((status = 200, description = "The organizations", body = ListForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn list(
    State(api): State<Api>,
    principal: Principal,
    QueryParams(wanted): QueryParams<ListQuery>,
    paging: Paging,
) -> Result<Json<ListForm>, Failure> {
    let filter = Filter::parse(wanted.id.as_deref(), wanted.org.as_deref())?;
    let user = id_if_given(wanted.user.as_deref())?;
    let read = move |admin: &Admin| {
        let organizations = admin.organizations();
        let list = |options| organizations.list(options);
        match (&filter.name, filter.id, user) {
            (Some(name), ..) => filter.list_of_one(organizations.find(name)),
            (None, Some(id), _) => filter.list_of_one(organizations.get(id)),
            (None, None, Some(user)) => {
                let of_user = organizations_of(admin, user)?;
                let wanted = |one: &Organization| of_user.contains(&one.id);
                Ok(paging.of_wanted(list, wanted, Organization::id)?)
            }
            (None, None, None) => Ok(paging.of(list, Organization::id)?),
        }
    };
    let (links, orgs) = resource::list(&api, principal, read).await?;
    Ok(Json(ListForm { links, orgs }))
}

/// Returns the organizations of a user; none if the caller may not read the user.
fn organizations_of(admin: &Admin, user: Id) -> Result<Vec<Id>, AdminError> {
    let found = absent_is_none(admin.users().get(user))?;
    let all = found.into_iter().flat_map(|user| user.memberships);
    Ok(all.map(|membership| membership.organization).collect())
}

/// A new organization.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewOrganization)]
struct NewForm {
    #[schema(value_type = Label, required)]
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Description>)]
    description: Option<String>,
}

/// Create an organization
#[utoipa::path(
    post, path = "/api/v2/orgs", operation_id = "PostOrgs", tag = tags::ORGANIZATIONS,
    request_body = NewForm,
    responses((status = 201, description = "Created", body = OrganizationForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn create(
    State(api): State<Api>,
    principal: Principal,
    Body(form): Body<NewForm>,
) -> Result<(StatusCode, Json<OrganizationForm>), Failure> {
    let description = form.description.unwrap_or_default();
    let create = move |admin: &Admin, name: &str| {
        let new = NewOrganization { description, ..NewOrganization::named(name) };
        admin.organizations().create(new)
    };
    let created = resource::write(&api, principal, form.name, create).await?;
    Ok((StatusCode::CREATED, created))
}

/// Retrieve an organization
#[utoipa::path(
    get, path = "/api/v2/orgs/{orgID}", operation_id = "GetOrgsID", tag = tags::ORGANIZATIONS,
    params(("orgID" = HexId, Path, description = "Id of the organization")),
    responses((status = 200, description = "The organization", body = OrganizationForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn one(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
) -> Result<Json<OrganizationForm>, Failure> {
    resource::get::<Organization, _>(&api, principal, id).await
}

/// Changes to an organization. Missing and null fields are unchanged.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OrganizationUpdate)]
struct UpdateForm {
    #[serde(default)]
    #[schema(value_type = Option<Label>)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Description>)]
    description: Option<String>,
}

/// Change the name or description of an organization
///
/// `updatedAt` is set to the time of the request, even if nothing changes.
#[utoipa::path(
    patch, path = "/api/v2/orgs/{orgID}", operation_id = "PatchOrgsID", tag = tags::ORGANIZATIONS,
    params(("orgID" = HexId, Path, description = "Id of the organization")),
    request_body = UpdateForm,
    responses(
        (status = 200, description = "The changed organization", body = OrganizationForm),
        Failures
    ),
    security(("token" = []), ("session" = []))
)]
async fn update(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
    Body(form): Body<UpdateForm>,
) -> Result<Json<OrganizationForm>, Failure> {
    let edit = OrganizationEdit {
        name: form.name.clone(),
        description: form.description,
        transition: None,
        if_unchanged: IfUnchanged::Touch,
    };
    let edit = move |admin: &Admin, _: &str| admin.organizations().edit(id, edit);
    resource::write(&api, principal, form.name, edit).await
}

/// Delete an organization
///
/// All tokens of the organization are revoked permanently.
#[utoipa::path(
    delete, path = "/api/v2/orgs/{orgID}", operation_id = "DeleteOrgsID", tag = tags::ORGANIZATIONS,
    params(("orgID" = HexId, Path, description = "Id of the organization")),
    responses((status = 204, description = "Deleted"), Failures),
    security(("token" = []), ("session" = []))
)]
async fn delete(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
) -> Result<StatusCode, Failure> {
    resource::delete::<Organization>(&api, principal, id).await
}

/// Returns the id of the organization with this name.
///
/// # Errors
///
/// 404 if it does not exist or the caller may not know that it exists.
pub(super) fn id_by_name(admin: &Admin, name: &str) -> Result<Id, Failure> {
    match admin.organizations().resolve(name) {
        Err(AdminError::NotFound(_)) => Err(unknown_name(Field::Organization, name)),
        found => Ok(found?),
    }
}

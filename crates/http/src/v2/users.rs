//! `/api/v2/users`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon::{Admin, Id, NewUser, Status, User, UserEdit};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::links::OwnLink;
use super::resource::{self, Filter, Resource};
use super::status::{self, StatusForm, transition_to};
use crate::api::{Api, Operations};
use crate::body::{Body, PathId, QueryParams};
use crate::failure::Failure;
use crate::paging::{Paging, PagingForm};
use crate::principal::Principal;
use crate::responses::Failures;
use crate::schemas::{HexId, HexIdOrEmpty, Label, WantedStatus};
use crate::tags;

pub(super) fn routes() -> Vec<Operations> {
    vec![routes!(list, create), routes!(one, update, delete)]
}

/// A user, as InfluxDB v2 shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserForm {
    links: OwnLink,
    #[schema(value_type = HexId)]
    id: Id,
    name: String,
    status: StatusForm,
}

impl From<User> for UserForm {
    fn from(user: User) -> Self {
        Self {
            links: OwnLink::to(User::path(user.id)),
            id: user.id,
            name: user.name,
            status: user.status.into(),
        }
    }
}

/// Filters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Id of the user.
    #[param(value_type = Option<HexIdOrEmpty>)]
    id: Option<String>,
    /// Name of the user.
    name: Option<String>,
}

/// A list of users in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Users)]
pub(crate) struct ListForm {
    links: OwnLink,
    users: Vec<UserForm>,
}

/// List users
///
/// The list contains only users that the caller may read.
#[utoipa::path(
    get, path = "/api/v2/users", operation_id = "GetUsers", tag = tags::USERS,
    params(ListQuery, PagingForm),
    responses((status = 200, description = "The users", body = ListForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn list(
    State(api): State<Api>,
    principal: Principal,
    QueryParams(wanted): QueryParams<ListQuery>,
    paging: Paging,
) -> Result<Json<ListForm>, Failure> {
    let filter = Filter::parse(wanted.id.as_deref(), wanted.name.as_deref())?;
    let read = move |admin: &Admin| {
        let users = admin.users();
        match (filter.id, &filter.name) {
            (Some(id), _) => filter.list_of_one(users.get(id)),
            (None, Some(name)) => filter.list_of_one(users.find(name)),
            (None, None) => Ok(paging.of(|options| users.list(options), User::id)?),
        }
    };
    let (links, users) = resource::list(&api, principal, read).await?;
    Ok(Json(ListForm { links, users }))
}

/// A new user.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewUser)]
struct NewForm {
    #[schema(value_type = Label, required)]
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<WantedStatus>)]
    status: Option<String>,
}

/// Create a user
#[utoipa::path(
    post, path = "/api/v2/users", operation_id = "PostUsers", tag = tags::USERS,
    request_body = NewForm,
    responses((status = 201, description = "Created", body = UserForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn create(
    State(api): State<Api>,
    principal: Principal,
    Body(form): Body<NewForm>,
) -> Result<(StatusCode, Json<UserForm>), Failure> {
    let status = wanted_status(form.status.as_deref())?;
    let create = move |admin: &Admin, name: &str| {
        admin.users().create(NewUser { status, ..NewUser::named(name) })
    };
    let created = resource::write(&api, principal, form.name, create).await?;
    Ok((StatusCode::CREATED, created))
}

/// Retrieve a user
#[utoipa::path(
    get, path = "/api/v2/users/{userID}", operation_id = "GetUsersID", tag = tags::USERS,
    params(("userID" = HexId, Path, description = "Id of the user")),
    responses((status = 200, description = "The user", body = UserForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn one(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
) -> Result<Json<UserForm>, Failure> {
    resource::get::<User, _>(&api, principal, id).await
}

/// Changes to a user. Missing and null fields are unchanged.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserUpdate)]
struct UpdateForm {
    #[serde(default)]
    #[schema(value_type = Option<Label>)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<WantedStatus>)]
    status: Option<String>,
}

/// Change the name or status of a user
///
/// All tokens of an inactive user are refused from the next request on.
#[utoipa::path(
    patch, path = "/api/v2/users/{userID}", operation_id = "PatchUsersID", tag = tags::USERS,
    params(("userID" = HexId, Path, description = "Id of the user")),
    request_body = UpdateForm,
    responses((status = 200, description = "The changed user", body = UserForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn update(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
    Body(form): Body<UpdateForm>,
) -> Result<Json<UserForm>, Failure> {
    let edit = UserEdit {
        transition: match &form.status {
            None => None,
            Some(text) => Some(transition_to(wanted_status(Some(text))?)),
        },
        name: form.name.clone(),
        password_hash: None,
    };
    let edit = move |admin: &Admin, _: &str| admin.users().edit(id, edit);
    resource::write(&api, principal, form.name, edit).await
}

/// Delete a user
///
/// All tokens and sessions of the user are revoked permanently.
#[utoipa::path(
    delete, path = "/api/v2/users/{userID}", operation_id = "DeleteUsersID", tag = tags::USERS,
    params(("userID" = HexId, Path, description = "Id of the user")),
    responses((status = 204, description = "Deleted"), Failures),
    security(("token" = []), ("session" = []))
)]
async fn delete(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
) -> Result<StatusCode, Failure> {
    resource::delete::<User>(&api, principal, id).await
}

fn wanted_status(text: Option<&str>) -> Result<Status, Failure> {
    status::parse(text)
        .ok_or_else(|| Failure::invalid("invalid status: must be active or inactive"))
}

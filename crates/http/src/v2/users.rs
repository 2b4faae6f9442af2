//! `/api/v2/users`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon::{
    AdminError, Caller, Engine, Field, Id, NewUser, Status, Transition, User, UserEdit,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::authorizations::{StatusForm, status};
use super::shared::{OwnLink, taken};
use crate::api::Api;
use crate::body::{Body, PathId, QueryParams, given, id_if_given};
use crate::failure::{Failure, absent_is_none};
use crate::openapi::Failures;
use crate::paging::{Paging, PagingForm};
use crate::principal::Principal;
use crate::routes::Operations;
use crate::schemas::{HexId, HexIdOrEmpty, Label, WantedStatus};

const TAG: &str = "users";

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
            links: OwnLink::to(format!("/api/v2/users/{}", user.id)),
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
    get, path = "/api/v2/users", operation_id = "GetUsers", tag = TAG,
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
    let users = api.run(move |engine| {
        let (engine, caller) = (&engine, &principal.caller);
        let name = given(wanted.name.as_deref());
        let id = id_if_given(wanted.id.as_deref())?;
        let found = match (id, name) {
            (None, None) => {
                let list = |options| engine.admin(*caller).users().list(options);
                return Ok(paging.of(list, |user| user.id)?);
            }
            (Some(id), _) => engine.admin(*caller).users().get(id)?,
            (None, Some(name)) => engine.admin(*caller).users().find(name)?,
        };
        let named = name.is_none_or(|name| found.name == name);
        match named {
            true => Ok(vec![found]),
            false => Err(Failure::not_found(Field::User)),
        }
    });
    let users = users.await?.into_iter().map(UserForm::from).collect();
    let links = OwnLink::to("/api/v2/users");
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
    post, path = "/api/v2/users", operation_id = "PostUsers", tag = TAG,
    request_body = NewForm,
    responses((status = 201, description = "Created", body = UserForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn create(
    State(api): State<Api>,
    principal: Principal,
    Body(form): Body<NewForm>,
) -> Result<(StatusCode, Json<UserForm>), Failure> {
    let name = form.name.unwrap_or_default();
    let status = wanted_status(form.status.as_deref())?;
    let made = api.run(move |engine| {
        let new = NewUser { status, ..NewUser::named(name.as_str()) };
        let made = engine.admin(principal.caller).users().create(new);
        made.map_err(|error| taken(error, &name))
    });
    Ok((StatusCode::CREATED, Json(made.await?.into())))
}

/// Retrieve a user
#[utoipa::path(
    get, path = "/api/v2/users/{userID}", operation_id = "GetUsersID", tag = TAG,
    params(("userID" = HexId, Path, description = "Id of the user")),
    responses((status = 200, description = "The user", body = UserForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn one(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
) -> Result<Json<UserForm>, Failure> {
    let found = api.run(move |engine| engine.admin(principal.caller).users().get(id));
    Ok(Json(found.await?.into()))
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
    patch, path = "/api/v2/users/{userID}", operation_id = "PatchUsersID", tag = TAG,
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
            Some(text) => Some(switch(wanted_status(Some(text))?)),
        },
        name: form.name.clone(),
        password_hash: None,
    };
    let done = api.run(move |engine| {
        let edited = engine.admin(principal.caller).users().edit(id, edit);
        let name = form.name.unwrap_or_default();
        edited.map_err(|error| taken(error, &name))
    });
    Ok(Json(done.await?.into()))
}

/// Delete a user
///
/// All tokens and sessions of the user are revoked permanently.
#[utoipa::path(
    delete, path = "/api/v2/users/{userID}", operation_id = "DeleteUsersID", tag = TAG,
    params(("userID" = HexId, Path, description = "Id of the user")),
    responses((status = 204, description = "Deleted"), Failures),
    security(("token" = []), ("session" = []))
)]
async fn delete(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
) -> Result<StatusCode, Failure> {
    let done = api.run(move |engine| engine.admin(principal.caller).users().delete(id));
    done.await.map(|_| StatusCode::NO_CONTENT)
}

fn wanted_status(text: Option<&str>) -> Result<Status, Failure> {
    status(text).ok_or_else(|| Failure::invalid("invalid status: must be active or inactive"))
}

fn switch(status: Status) -> Transition {
    match status {
        Status::Active => Transition::Activate,
        _ => Transition::Deactivate,
    }
}

/// Returns the user, or `None` if it does not exist or the caller may not read it.
pub(super) fn here_if_any(
    engine: &Engine,
    caller: &Caller,
    id: Id,
) -> Result<Option<User>, AdminError> {
    absent_is_none(engine.admin(*caller).users().get(id))
}

//! `/api/v2/authorizations/{authID}`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use symbolon::{
    AdminError, Authorization, AuthorizationEdit, Caller, Engine, IfUnchanged, Origin, Rotation,
};

use super::super::status::{self, transition_to};
use super::json::{AuthorizationForm, RotateForm, UpdateForm};
use crate::api::Api;
use crate::body::{Body, PathId};
use crate::failure::Failure;
use crate::principal::Principal;
use crate::responses::Failures;
use crate::schemas::HexId;
use crate::tags;

/// Retrieve an authorization
#[utoipa::path(
    get, path = "/api/v2/authorizations/{authID}",
    operation_id = "GetAuthorizationsID", tag = tags::AUTHORIZATIONS,
    params(("authID" = HexId, Path, description = "Id of the authorization")),
    responses(
        (status = 200, description = "The authorization", body = AuthorizationForm),
        Failures
    ),
    security(("token" = []), ("session" = []))
)]
pub(super) async fn one(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
) -> Result<Json<AuthorizationForm>, Failure> {
    shown(&api, principal.caller, move |engine| {
        engine.admin(principal.caller).authorizations().of_origin(Origin::V2).get(id)
    })
    .await
}

/// Change the status or description of an authorization
///
/// `updatedAt` is set to the time of the request, even if nothing changes.
#[utoipa::path(
    patch, path = "/api/v2/authorizations/{authID}",
    operation_id = "PatchAuthorizationsID", tag = tags::AUTHORIZATIONS,
    params(("authID" = HexId, Path, description = "Id of the authorization")),
    request_body = UpdateForm,
    responses(
        (status = 200, description = "The changed authorization", body = AuthorizationForm),
        Failures
    ),
    security(("token" = []), ("session" = []))
)]
pub(super) async fn update(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
    Body(form): Body<UpdateForm>,
) -> Result<Json<AuthorizationForm>, Failure> {
    let transition = match form.status {
        None => None,
        Some(text) => match status::parse(Some(&text)) {
            Some(status) => Some(transition_to(status)),
            None => {
                let message = "encodeAuthorization: unknown authorization status";
                return Err(Failure::invalid(message));
            }
        },
    };
    let edit = AuthorizationEdit {
        description: form.description,
        transition,
        permissions: None,
        if_unchanged: IfUnchanged::Touch,
    };
    shown(&api, principal.caller, move |engine| {
        engine.admin(principal.caller).authorizations().of_origin(Origin::V2).edit(id, edit)
    })
    .await
}

/// Delete an authorization
///
/// Its token is refused from the next request on, permanently.
#[utoipa::path(
    delete, path = "/api/v2/authorizations/{authID}",
    operation_id = "DeleteAuthorizationsID", tag = tags::AUTHORIZATIONS,
    params(("authID" = HexId, Path, description = "Id of the authorization")),
    responses((status = 204, description = "Deleted"), Failures),
    security(("token" = []), ("session" = []))
)]
pub(super) async fn delete(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
) -> Result<StatusCode, Failure> {
    let done = api.run(move |engine| {
        engine.admin(principal.caller).authorizations().of_origin(Origin::V2).revoke(id)
    });
    done.await.map(|_| StatusCode::NO_CONTENT)
}

/// Replace a token with a new one
///
/// Creates an authorization with the same owner, permissions, status and expiry, and a new token.
/// The old token expires after the overlap, or earlier if it would have. Both changes happen
/// atomically.
#[utoipa::path(
    post, path = "/api/v2/authorizations/{authID}/rotate",
    operation_id = "PostAuthorizationsIDRotate", tag = tags::AUTHORIZATIONS,
    params(("authID" = HexId, Path, description = "Id of the authorization")),
    request_body = RotateForm,
    responses(
        (
            status = 201, description = "The new authorization, with its token",
            body = AuthorizationForm
        ),
        Failures
    ),
    security(("token" = []), ("session" = []))
)]
pub(super) async fn rotate(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
    Body(form): Body<RotateForm>,
) -> Result<(StatusCode, Json<AuthorizationForm>), Failure> {
    let settings = api.settings().clone();
    let rotation = Rotation {
        overlap: Duration::from_secs(form.overlap_seconds.into()),
        description: form.description,
    };
    let made = api.run(move |engine| {
        let (token, made) = engine
            .admin(principal.caller)
            .authorizations()
            .of_origin(Origin::V2)
            .rotate(id, rotation)?;
        let form =
            AuthorizationForm::new(made, &mut engine.admin(principal.caller).names(), &settings)?;
        Ok::<_, AdminError>(form.with(&token))
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

async fn shown(
    api: &Api,
    caller: Caller,
    work: impl FnOnce(&Engine) -> Result<Authorization, AdminError> + Send + 'static,
) -> Result<Json<AuthorizationForm>, Failure> {
    let settings = api.settings().clone();
    let form = api.run(move |engine| {
        let one = work(engine)?;
        AuthorizationForm::new(one, &mut engine.admin(caller).names(), &settings)
    });
    form.await.map(Json)
}

//! `/api/v0/tokens/{tokenId}`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use symbolon::{Action, AuthorizationEdit, Engine, Field, Id, Status};

use super::bearer::{Bearer, DatabaseTokens, TokenId};
use super::failure::{Failures, refused, revoked};
use super::json::{TokenForm, UpdateForm, permissions};
use crate::api::Api;
use crate::body::Body;
use crate::failure::Failure;
use crate::schemas::TokenUuid;
use crate::tags;

/// Retrieve a database token
///
/// A revoked token is returned with `revokedAt` until it is purged.
#[utoipa::path(
    get, path = "/api/v0/tokens/{tokenId}", operation_id = "GetDatabaseToken",
    tag = tags::DATABASE_TOKENS,
    params(("tokenId" = TokenUuid, Path, description = "Id of the token")),
    responses((status = 200, description = "The token", body = TokenForm), Failures),
    security(("token" = []))
)]
pub(super) async fn one(
    State(api): State<Api>,
    bearer: Bearer,
    TokenId(id): TokenId,
) -> Result<Json<TokenForm>, Failure> {
    let found = api.run(move |engine| {
        let (tokens, id) = tokens_with(engine, bearer, Action::READ, id)?;
        tokens.authorizations().get(id).map_err(refused)
    });
    Ok(Json(found.await?.into()))
}

/// Change the description or the permissions of a database token
///
/// The permissions are replaced as a whole, with effect from the next request. Only permissions
/// that the caller may grant can be added.
#[utoipa::path(
    patch, path = "/api/v0/tokens/{tokenId}",
    operation_id = "UpdateDatabaseToken", tag = tags::DATABASE_TOKENS,
    params(("tokenId" = TokenUuid, Path, description = "Id of the token")),
    request_body = UpdateForm,
    responses((status = 200, description = "The changed token", body = TokenForm), Failures),
    security(("token" = []))
)]
pub(super) async fn update(
    State(api): State<Api>,
    bearer: Bearer,
    TokenId(id): TokenId,
    Body(form): Body<UpdateForm>,
) -> Result<Json<TokenForm>, Failure> {
    if form.description.is_none() && form.permissions.is_none() {
        let message = "give a `description`, `permissions` or both";
        return Err(Failure::invalid(message));
    }
    let changed = api.run(move |engine| {
        let (tokens, id) = tokens_with(engine, bearer, Action::WRITE, id)?;
        let wanted = form.permissions.as_deref();
        let wanted = wanted.map(|forms| permissions(forms, tokens.organization));
        let edit = AuthorizationEdit {
            description: form.description,
            transition: None,
            permissions: wanted.transpose()?,
            ..AuthorizationEdit::default()
        };
        let edited = tokens.authorizations().edit(id, edit).map_err(refused)?;
        // An edit that changes nothing of a revoked token is no error of the engine.
        match edited.status {
            Status::Revoked => Err(revoked()),
            Status::Active | Status::Inactive => Ok(edited),
        }
    });
    Ok(Json(changed.await?.into()))
}

/// Revoke a database token
///
/// The token is refused from the next request on, permanently. It can still be retrieved. Revoking
/// it again has no effect.
#[utoipa::path(
    delete, path = "/api/v0/tokens/{tokenId}",
    operation_id = "DeleteDatabaseToken", tag = tags::DATABASE_TOKENS,
    params(("tokenId" = TokenUuid, Path, description = "Id of the token")),
    responses((status = 204, description = "Revoked"), Failures),
    security(("token" = []))
)]
pub(super) async fn delete(
    State(api): State<Api>,
    bearer: Bearer,
    TokenId(id): TokenId,
) -> Result<StatusCode, Failure> {
    let done = api.run(move |engine| {
        let (tokens, id) = tokens_with(engine, bearer, Action::WRITE, id)?;
        tokens.authorizations().revoke(id).map_err(refused)
    });
    done.await.map(|_| StatusCode::NO_CONTENT)
}

/// Returns the tokens among which to find this id, if the bearer may do `action` to the token. A
/// missing permission is reported before an unknown id, so that 404 does not reveal ids to a bearer
/// without the permission.
fn tokens_with(
    engine: &Engine,
    bearer: Bearer,
    action: Action,
    id: Option<Id>,
) -> Result<(DatabaseTokens, Id), Failure> {
    let tokens = bearer.database_tokens(engine, action, id)?;
    let id = id.ok_or_else(|| Failure::not_found(Field::Authorization))?;
    Ok((tokens, id))
}

//! `/api/v2/me` and the passwords of users.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use symbolon::{AdminError, Caller, Id, UserEdit};
use utoipa::ToSchema;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::users::UserForm;
use crate::api::{Api, Operations};
use crate::body::{Body, PathId};
use crate::failure::{Code, Failure};
use crate::password;
use crate::principal::{Principal, by_password};
use crate::responses::{Failures, TooManyAttempts};
use crate::schemas::HexId;
use crate::tags;

pub(super) fn routes() -> Vec<Operations> {
    vec![routes!(me), routes!(my_password), routes!(change_password, put_password)]
}

/// Retrieve the user of the token or session
#[utoipa::path(
    get, path = "/api/v2/me", operation_id = "GetMe", tag = tags::USERS,
    responses((status = 200, description = "The user", body = UserForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn me(State(api): State<Api>, principal: Principal) -> Result<Json<UserForm>, Failure> {
    let found = api.run(move |engine| {
        let id = principal
            .user(engine)?
            .ok_or_else(|| Failure::new(Code::NotFound, "the token has no user"))?;
        let found = engine.admin(principal.caller).users().get(id);
        found.map_err(|error| match error {
            AdminError::NotFound(_) => {
                let message = format!("read:users/{id} is unauthorized");
                Failure::new(Code::Unauthorized, message)
            }
            error => error.into(),
        })
    });
    Ok(Json(found.await?.into()))
}

/// A new password, of 8 to 72 bytes.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordReset)]
struct PasswordForm {
    // At least two characters are needed for 8 bytes.
    #[schema(value_type = String, required, min_length = 2, max_length = 72)]
    #[serde(default)]
    password: Zeroizing<String>,
}

impl std::fmt::Debug for PasswordForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordForm")
    }
}

/// Change the own password
///
/// Requires the user name and current password (HTTP Basic). The sessions of the user are revoked.
#[utoipa::path(
    put, path = "/api/v2/me/password", operation_id = "PutMePassword", tag = tags::USERS,
    request_body = PasswordForm,
    responses((status = 204, description = "Changed"), TooManyAttempts, Failures),
    security(("password" = []))
)]
async fn my_password(
    State(api): State<Api>,
    headers: HeaderMap,
    Body(form): Body<PasswordForm>,
) -> Result<StatusCode, Failure> {
    let user = by_password(&api, &headers).await?;
    set(&api, user.into(), user.id(), form).await
}

/// Set the password of a user
///
/// Requires a token that may write the user, or the user's own name and password (HTTP Basic). The
/// sessions of the user are revoked.
#[utoipa::path(
    post, path = "/api/v2/users/{userID}/password", operation_id = "PostUsersIDPassword",
    tag = tags::USERS,
    params(("userID" = HexId, Path, description = "Id of the user")),
    request_body = PasswordForm,
    responses((status = 204, description = "Set"), TooManyAttempts, Failures),
    security(("token" = []), ("session" = []), ("password" = []))
)]
async fn change_password(
    State(api): State<Api>,
    setter: PasswordChanger,
    PathId(id): PathId,
    Body(form): Body<PasswordForm>,
) -> Result<StatusCode, Failure> {
    match setter {
        PasswordChanger::Principal(principal) => set(&api, principal.caller, id, form).await,
        PasswordChanger::Password(headers) => {
            let user = by_password(&api, &headers).await?;
            set(&api, user.into(), id, form).await
        }
    }
}

/// Set the password of a user
///
/// The same as `POST`.
#[utoipa::path(
    put, path = "/api/v2/users/{userID}/password", operation_id = "PutUsersIDPassword",
    tag = tags::USERS,
    params(("userID" = HexId, Path, description = "Id of the user")),
    request_body = PasswordForm,
    responses((status = 204, description = "Set"), TooManyAttempts, Failures),
    security(("token" = []), ("session" = []), ("password" = []))
)]
async fn put_password(
    state: State<Api>,
    setter: PasswordChanger,
    id: PathId,
    form: Body<PasswordForm>,
) -> Result<StatusCode, Failure> {
    change_password(state, setter, id, form).await
}

/// The caller that sets a password.
enum PasswordChanger {
    Principal(Principal),
    /// A user with name and password in the headers. They are verified later.
    Password(HeaderMap),
}

impl FromRequestParts<Api> for PasswordChanger {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        match Principal::from_request_parts(parts, api).await {
            Ok(principal) => Ok(Self::Principal(principal)),
            Err(_) if password::is_basic(&parts.headers) => {
                Ok(Self::Password(parts.headers.clone()))
            }
            Err(failure) => Err(failure),
        }
    }
}

/// Sets the password of `user`. If the caller gave its old password, the change fails if that was
/// changed meanwhile.
async fn set(
    api: &Api,
    caller: Caller,
    user: Id,
    form: PasswordForm,
) -> Result<StatusCode, Failure> {
    // The permission is checked first: the time of a hash would reveal that the user exists.
    let may = api.run(move |engine| engine.admin(caller).users().edit(user, UserEdit::default()));
    may.await?;
    let permit = api.login_attempts().permit().await?;
    let done = api.run(move |engine| {
        let hash = password::hash(&form.password, &permit)?;
        let edit = UserEdit { password_hash: Some(hash), ..UserEdit::default() };
        engine.admin(caller).users().edit(user, edit)
    });
    done.await.map(|_| StatusCode::NO_CONTENT)
}

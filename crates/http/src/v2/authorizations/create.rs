//! `POST /api/v2/authorizations`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use symbolon::{AdminError, Engine, NewAuthorization, Origin, PermissionSet};

use super::super::status;
use super::json::{AuthorizationForm, NewForm};
use crate::api::Api;
use crate::body::Body;
use crate::failure::Failure;
use crate::principal::Principal;
use crate::responses::Failures;
use crate::tags;

/// Create an authorization
///
/// Only this reply contains the token.
#[utoipa::path(
    post, path = "/api/v2/authorizations", operation_id = "PostAuthorizations",
    tag = tags::AUTHORIZATIONS,
    request_body = NewForm,
    responses((status = 201, description = "Created", body = AuthorizationForm), Failures),
    security(("token" = []), ("session" = []))
)]
pub(super) async fn create(
    State(api): State<Api>,
    principal: Principal,
    Body(form): Body<NewForm>,
) -> Result<(StatusCode, Json<AuthorizationForm>), Failure> {
    let settings = api.settings().clone();
    let made = api.run(move |engine| {
        let new = new(engine, &principal, form)?;
        let made = engine.admin(principal.caller).authorizations().create(new);
        let (token, made) = made.map_err(|error| match error {
            AdminError::NotFound(_) => Failure::invalid("unable to create token"),
            error => error.into(),
        })?;
        let form =
            AuthorizationForm::new(made, &mut engine.admin(principal.caller).names(), &settings)?;
        Ok::<_, Failure>(form.with(&token))
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Checks the request in InfluxDB's order, and returns the authorization to create.
fn new(engine: &Engine, principal: &Principal, form: NewForm) -> Result<NewAuthorization, Failure> {
    let permissions: PermissionSet = form.permissions.unwrap_or_default().into();
    if let Err(error) = engine.schema().check(Origin::V2, &permissions) {
        return Err((&error).into());
    }
    let organization =
        form.organization.ok_or_else(|| Failure::invalid("org id required: invalid ID"))?;
    let status = status::parse(form.status.as_deref())
        .ok_or_else(|| Failure::invalid("invalid status: must be active or inactive"))?;
    let user = match form.user {
        Some(user) => user,
        None => principal.user(engine)?.ok_or_else(|| {
            Failure::invalid("unable to create token: the caller has no user; give a `userID`")
        })?,
    };
    Ok(NewAuthorization {
        user: Some(user),
        origin: Origin::V2,
        description: form.description.unwrap_or_default(),
        status,
        expires_at: form.expires_at,
        ..NewAuthorization::new(organization, permissions.iter().cloned())
    })
}

//! `POST /api/v0/tokens`.

use axum::Json;
use axum::extract::State;
use symbolon::{Action, NewAuthorization, Origin};

use super::bearer::Bearer;
use super::failure::{Failures, refused};
use super::json::{MadeForm, NewForm, permissions};
use crate::api::Api;
use crate::body::Body;
use crate::failure::Failure;
use crate::tags;

/// Create a database token
///
/// The token is valid at once. Only this reply contains its text.
#[utoipa::path(
    post, path = "/api/v0/tokens", operation_id = "CreateDatabaseToken",
    tag = tags::DATABASE_TOKENS,
    request_body = NewForm,
    responses((status = 200, description = "Created", body = MadeForm), Failures),
    security(("token" = []))
)]
pub(super) async fn create(
    State(api): State<Api>,
    bearer: Bearer,
    Body(form): Body<NewForm>,
) -> Result<Json<MadeForm>, Failure> {
    let description = form.description.ok_or_else(|| Failure::invalid("give a `description`"))?;
    let made = api.run(move |engine| {
        let tokens = bearer.database_tokens(engine, Action::WRITE, None)?;
        let wanted = form.permissions.unwrap_or_default();
        let granted = permissions(&wanted, tokens.organization)?;
        let new = NewAuthorization {
            origin: Origin::V0,
            description,
            permissions: granted,
            expires_at: form.expires_at,
            ..NewAuthorization::new(tokens.organization, [])
        };
        let (token, made) = tokens.authorizations().create(new).map_err(refused)?;
        Ok::<_, Failure>(MadeForm::new(made, &token))
    });
    Ok(Json(made.await?))
}

//! `/api/v2/signin` and `/signout`.

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use utoipa_axum::routes;
use zeroize::Zeroizing;

use crate::api::{Api, Operations};
use crate::browser_guard::{refuse_foreign_origin, refuse_web_page};
use crate::failure::Failure;
use crate::principal::{COOKIE, by_password, cookie, token};
use crate::responses::{Failures, TooManyAttempts};
use crate::tags;

pub(super) fn routes() -> Vec<Operations> {
    vec![routes!(sign_in), routes!(sign_out)]
}

/// Sign in
///
/// Requires a user name and password (HTTP Basic) or a token. A session of a token has the
/// permissions of the token, and is valid only as long as the token.
#[utoipa::path(
    post, path = "/api/v2/signin", operation_id = "PostSignin", tag = tags::SESSIONS,
    responses(
        (status = 204, description = "Signed in; `Set-Cookie` contains the session"),
        TooManyAttempts,
        Failures
    ),
    security(("password" = []), ("token" = []))
)]
async fn sign_in(
    State(api): State<Api>,
    parts: Parts,
) -> Result<(StatusCode, [(header::HeaderName, String); 1]), Failure> {
    // A starting server answers 503 before any other check.
    api.engine()?;
    refuse_web_page(api.settings(), &parts)?;
    let headers = parts.headers;
    let lifetime = api.settings().session;
    let caller = match token(&headers) {
        Some(token) => api.engine()?.verifier().authenticate(token)?.caller(),
        None => by_password(&api, &headers).await?.into(),
    };
    let created = api.run(move |engine| engine.admin(caller).sessions().create(lifetime));
    let (text, _) = created.await?;
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", text.reveal());
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]))
}

/// Sign out
///
/// The session is revoked.
#[utoipa::path(
    post, path = "/api/v2/signout", operation_id = "PostSignout", tag = tags::SESSIONS,
    responses((status = 204, description = "Signed out"), Failures),
    security(("session" = []))
)]
async fn sign_out(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<(StatusCode, [(header::HeaderName, String); 1]), Failure> {
    // A starting server answers 503 before it reads the cookie.
    api.engine()?;
    let text = cookie(&headers).ok_or_else(Failure::unauthorized)?;
    let text = Zeroizing::new(text.to_owned());
    refuse_foreign_origin(&headers)?;
    let done = api.run(move |engine| engine.sign_in().sign_out(text.as_bytes()));
    done.await?;
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]))
}

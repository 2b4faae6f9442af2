//! `/api/v2/signin` and `/signout`.

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use utoipa_axum::routes;
use zeroize::Zeroizing;

use crate::api::Api;
use crate::browser_guard::{refuse_foreign_origin, refuse_web_page};
use crate::failure::Failure;
use crate::openapi::{Failures, TooManyAttempts};
use crate::principal::{COOKIE, by_password, cookie, token};
use crate::routes::Operations;

const TAG: &str = "sessions";

pub(super) fn routes() -> Vec<Operations> {
    vec![routes!(sign_in), routes!(sign_out)]
}

/// Sign in
///
/// Requires a user name and password (HTTP Basic) or a token. A session of a token has the
/// permissions of the token, and is valid only as long as the token.
#[utoipa::path(
    post, path = "/api/v2/signin", operation_id = "PostSignin", tag = TAG,
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
    let signed = match token(&headers) {
        Some(token) => {
            let grant = api.engine()?.verifier().authenticate(token)?;
            let caller = grant.caller();
            let signed = api.run(move |engine| engine.sessions().sign_in(&caller, lifetime));
            signed.await
        }
        None => {
            let user = by_password(&api, &headers).await?;
            let signed =
                api.run(move |engine| engine.sessions().sign_in_by_password(&user, lifetime));
            signed.await
        }
    };
    let (text, _) = signed?;
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", text.reveal());
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]))
}

/// Sign out
///
/// The session is revoked.
#[utoipa::path(
    post, path = "/api/v2/signout", operation_id = "PostSignout", tag = TAG,
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
    let done = api.run(move |engine| engine.sessions().sign_out(text.as_bytes()));
    done.await?;
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]))
}

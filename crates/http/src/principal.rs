//! The caller of a request: the bearer of a token or the owner of a session.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use symbolon::{AdminError, AuthenticatedUser, Caller, Denied};

use crate::api::Api;
use crate::browser_guard::refuse_foreign_origin;
use crate::failure::Failure;

/// Name of the session cookie, as in InfluxDB.
pub(crate) const COOKIE: &str = "influxdb-oss-session";
/// Minimum remaining lifetime of a session after each use.
const EXTENDED: std::time::Duration = std::time::Duration::from_secs(5 * 60);

/// The caller of a request. The engine checks its permissions for every operation.
#[derive(Debug)]
pub(crate) struct Principal {
    pub(crate) caller: Caller,
}

impl FromRequestParts<Api> for Principal {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        let engine = api.engine()?;
        if let Some(token) = token(&parts.headers) {
            let grant = engine.verifier().authenticate(token)?;
            return Ok(Self { caller: grant.caller() });
        }
        let text = cookie(&parts.headers).ok_or_else(Failure::unauthorized)?;
        let text = zeroize::Zeroizing::new(text.to_owned());
        if parts.method != Method::GET && parts.method != Method::HEAD {
            refuse_foreign_origin(&parts.headers)?;
        }
        let session = api.run(move |engine| engine.sign_in().extend(text.as_bytes(), EXTENDED));
        let (caller, _) = session.await?;
        Ok(Self { caller })
    }
}

/// Returns the token of `Authorization: Token …` or `Bearer …`; the scheme is case-insensitive.
pub(crate) fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = value.split_at_checked(space)?;
    let known = [b"token".as_slice(), b"bearer"];
    let known = known.iter().any(|one| scheme.eq_ignore_ascii_case(one));
    rest.get(1..).filter(|_| known)
}

/// Returns the text of the session cookie. A request may have several cookie headers, and
/// InfluxDB's Python client sends back the whole text of `Set-Cookie`.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).into_iter();
    let pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter_map(|(name, value)| (name == COOKIE).then_some(value));
    ours.next().filter(|value| !value.is_empty())
}

impl Principal {
    /// Returns the user of the caller, or `None` if its token has no user.
    pub(crate) fn user(
        &self,
        engine: &symbolon::Engine,
    ) -> Result<Option<symbolon::Id>, symbolon::AdminError> {
        engine.admin(self.caller).own_user()
    }
}

/// Returns the active user whose name and password the request contains.
///
/// # Errors
///
/// 401 with the same text for an unknown name and a wrong password, 403 if the user is inactive,
/// 429 after too many wrong passwords, 503 if too many requests wait.
pub(crate) async fn by_password(
    api: &Api,
    headers: &HeaderMap,
) -> Result<AuthenticatedUser, Failure> {
    // A starting server answers 503 before it reads the password.
    api.engine()?;
    let (name, password) = crate::password::basic(headers).ok_or_else(Failure::unauthorized)?;
    let permit = api.login_attempts().permit_for(&name).await?;
    let login_attempts = Arc::clone(api.login_attempts());
    let done = api.run(move |engine| {
        let verify = |hash: Option<&_>| crate::password::verify(&password, hash, &permit);
        let verified = engine.sign_in().verify_password(&name, verify);
        if matches!(verified, Ok(_) | Err(AdminError::Caller(Denied::OwnerInactive(_)))) {
            login_attempts.reset_failures(&name);
        }
        verified.map_err(|error| match error {
            AdminError::Caller(Denied::Unknown) => Failure::unauthorized(),
            error => error.into(),
        })
    });
    done.await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name: axum::http::HeaderName = name;
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn the_authorization_scheme_is_case_insensitive() {
        let read = |value: &str| {
            let headers = headers(&[("authorization", value)]);
            token(&headers).map(|token| String::from_utf8(token.to_vec()).unwrap())
        };
        for scheme in ["Token", "token", "TOKEN", "Bearer", "bearer"] {
            assert_eq!(read(&format!("{scheme} abc")).as_deref(), Some("abc"));
        }
        assert_eq!(read("Token  abc").as_deref(), Some(" abc"));
        for none in ["", "Token", "Tokenabc", "Basic abc", "Tok abc", "Token\tabc"] {
            assert_eq!(read(none), None, "{none:?}");
        }
        assert_eq!(token(&HeaderMap::new()), None);
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        let name = format!("{COOKIE}=abc");
        for text in [
            name.clone(),
            format!("a=b; {name}"),
            format!("{name}; Path=/; HttpOnly; SameSite=Strict"),
            format!("x{COOKIE}=no;{name}"),
        ] {
            assert_eq!(cookie(&headers(&[("cookie", &text)])), Some("abc"), "{text}");
        }
        let two = headers(&[("cookie", "a=b"), ("cookie", &name)]);
        assert_eq!(cookie(&two), Some("abc"));
        for text in ["", "a=b", &format!("{COOKIE}="), COOKIE] {
            assert_eq!(cookie(&headers(&[("cookie", text)])), None, "{text}");
        }
    }
}

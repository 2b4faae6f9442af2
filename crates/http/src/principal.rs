//! Who asks: the bearer of a token, or whoever is signed in.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use symbolon::{Caller, Session};

use crate::api::Api;
use crate::failure::{Code, Failure};

/// The name of the cookie, as InfluxDB's.
pub(crate) const COOKIE: &str = "influxdb-oss-session";
/// To what a session is extended at least by each use.
const EXTENDED: std::time::Duration = std::time::Duration::from_secs(5 * 60);

/// Who asks. The engine decides for each change anew what that lets them do.
#[derive(Debug)]
pub(crate) struct Principal {
    pub(crate) caller: Caller,
    /// The session, if it came with a cookie and not with a token.
    pub(crate) session: Option<Session>,
}

impl FromRequestParts<Api> for Principal {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        let engine = api.engine()?;
        if let Some(token) = token(&parts.headers) {
            let grant = engine.verifier().authenticate(token)?;
            return Ok(Self {
                caller: Caller::Authorization(grant.id()),
                session: None,
            });
        }
        let text = cookie(&parts.headers).ok_or_else(Failure::unauthorized)?;
        let text = zeroize::Zeroizing::new(text.to_owned());
        if parts.method != Method::GET && parts.method != Method::HEAD {
            refuse_foreign(&parts.headers)?;
        }
        let session = api
            .run(move |engine| {
                let issuer = engine.issuer();
                let session = issuer.session(text.as_bytes())?;
                issuer.extend_session(&session, EXTENDED)?;
                Ok::<_, symbolon::Error>(session)
            })
            .await?;
        Ok(Self {
            caller: session.caller,
            session: Some(session),
        })
    }
}

/// The token of `Authorization: Token …` or `Bearer …`, the scheme in any case.
pub(crate) fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = value.split_at_checked(space)?;
    let known = [b"token".as_slice(), b"bearer"];
    let known = known.iter().any(|one| scheme.eq_ignore_ascii_case(one));
    rest.get(1..).filter(|_| known)
}

/// The text of the session cookie. More than one cookie header may be sent, and InfluxDB's Python client sends the text
/// of `Set-Cookie` back as it is.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).into_iter();
    let pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter_map(|(name, value)| (name == COOKIE).then_some(value));
    ours.next().filter(|value| !value.is_empty())
}

/// A browser sends the cookie with a change that another site makes it send, and says so. A client that says nothing is
/// no browser.
pub(crate) fn refuse_foreign(headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none");
    let host = text("host");
    let origin = text("origin").is_none_or(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some() && authority == host
    });
    match site && origin {
        true => Ok(()),
        false => Err(Failure::new(
            Code::Forbidden,
            "a change with a session cookie is taken from the server's own page alone; use a token",
        )),
    }
}

impl Principal {
    /// The user that asks; none if the token belongs to none.
    pub(crate) fn user(
        &self,
        engine: &symbolon::Engine,
    ) -> Result<Option<symbolon::Id>, symbolon::Error> {
        match self.caller {
            Caller::User(id) => Ok(Some(id)),
            Caller::Authorization(id) => {
                let held = engine.issuer().authorization(&Caller::Root, id)?;
                Ok(held.user)
            }
            _ => Ok(None),
        }
    }
}

/// The active user whose name and password came with the request.
///
/// # Errors
///
/// 401 for everything that is wrong with them, with the same text.
pub(crate) fn by_password(
    engine: &symbolon::Engine,
    headers: &HeaderMap,
) -> Result<symbolon::Id, Failure> {
    let (name, password) = crate::password::basic(headers).ok_or_else(Failure::unauthorized)?;
    let issuer = engine.issuer();
    let found = crate::names::absent_is_none(issuer.user_named(&Caller::Root, &name))?;
    let hash = found.as_ref().and_then(|user| user.password_hash.as_ref());
    let fits = crate::password::verify(&password, hash);
    match found {
        Some(user) if fits => match user.status {
            symbolon::Status::Active => Ok(user.id),
            _ => Err(symbolon::Denied::OwnerInactive(user.id).into()),
        },
        _ => {
            issuer.note_refused_sign_in(&name);
            Err(Failure::unauthorized())
        }
    }
}

//! Extractors for handlers behind the layer.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use symbolon::{Denied, Grant, Request};

use crate::failure::Failure;

/// A value extracted from a request, access to which requires a permission.
pub trait RequiredPermission {
    /// Returns the required permission. Always name the organization: see
    /// [`Request::organization`].
    fn request(&self) -> Request<'_>;
}

/// Extractor of a value `W` that the token of the request may access. See the [module](super).
///
/// Answers with the rejection of `W` if it cannot be extracted, and with the refusals of
/// [`GuardLayer`](super::GuardLayer) if the token lacks the permission.
#[derive(Debug)]
#[non_exhaustive]
pub struct Allowed<W> {
    /// The extracted value.
    pub wanted: W,
    /// The permissions of the token.
    pub granted: Granted,
}

impl<S, W> FromRequestParts<S> for Allowed<W>
where
    S: Send + Sync,
    W: FromRequestParts<S> + RequiredPermission + Send,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let granted = Granted::of(parts).map_err(IntoResponse::into_response)?;
        let wanted = W::from_request_parts(parts, state).await;
        let wanted = wanted.map_err(IntoResponse::into_response)?;
        match granted.check(&wanted.request()) {
            Ok(_) => Ok(Self { wanted, granted }),
            Err(denied) => Err(Refusal::from(denied).into_response()),
        }
    }
}

/// The permissions of the token of a request: an extractor and a request extension.
///
/// A handler whose required permission depends on the body checks it itself:
///
/// ```
/// # use axum::{Json, http::StatusCode};
/// # use symbolon::{Action, Request, ResourceType};
/// # use symbolon_http::{Granted, Refusal};
/// async fn write_each(
///     granted: Granted,
///     Json(names): Json<Vec<String>>,
/// ) -> Result<StatusCode, Refusal> {
///     for name in &names {
///         granted.check(&Request::new(Action::WRITE, ResourceType::DATABASES).name(name))?;
///     }
///     Ok(StatusCode::NO_CONTENT)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Granted(pub(super) Arc<Grant>);

impl Granted {
    fn of(parts: &Parts) -> Result<Self, Refusal> {
        parts.extensions.get().cloned().ok_or(Refusal::UNGUARDED)
    }
}

impl Deref for Granted {
    type Target = Grant;

    fn deref(&self) -> &Grant {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Granted {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::of(parts)
    }
}

/// A refusal of a request, answered in InfluxDB's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(Option<Denied>);

impl Refusal {
    /// Refusal of every request of a route without the layer, which is a mistake of the server.
    const UNGUARDED: Self = Self(None);
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self(Some(denied))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self.0 {
            Some(denied) => Failure::from(denied).into_response(),
            None => {
                let missing =
                    "a route extracts `Allowed` or `Granted` without a `GuardLayer`; add the layer";
                Failure::internal(&std::io::Error::other(missing)).into_response()
            }
        }
    }
}

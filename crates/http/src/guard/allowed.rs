//! What handlers behind the layer get.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use symbolon::{Denied, Grant, Request};

use crate::failure::Failure;

/// Something that a route wants, which takes a permission.
pub trait RequiredPermission {
    /// The permission that it takes. Name the organization always: see [`Request::organization`].
    fn request(&self) -> Request<'_>;
}

/// What a route wants, which the token of the request may have; an extractor. See the [module](super).
///
/// If `W` cannot be read, its own rejection is answered, else the refusals of [`GuardLayer`](super::GuardLayer).
#[derive(Debug)]
#[non_exhaustive]
pub struct Allowed<W> {
    /// What it wants.
    pub wanted: W,
    /// What the token may do.
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

/// What the token of a request may do: an extractor, and an extension of the request.
///
/// For what is known only from the body, the handler asks for itself:
///
/// ```
/// # use axum::{Json, http::StatusCode};
/// # use symbolon::{Action, Request, ResourceType};
/// # use symbolon_http::{Granted, Refusal};
/// async fn write_each(granted: Granted, Json(names): Json<Vec<String>>) -> Result<StatusCode, Refusal> {
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

/// Why a request is not answered, in InfluxDB's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(Option<Denied>);

impl Refusal {
    /// The route is behind no layer. That is a mistake of the server: nobody is let through.
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
                let missing = "a route that asks what is granted is behind no GuardLayer";
                Failure::internal(&std::io::Error::other(missing)).into_response()
            }
        }
    }
}

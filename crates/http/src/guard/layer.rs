//! The tower layer that authenticates requests.

use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::http::Request as HttpRequest;
use axum::response::{IntoResponse, Response};
use futures_util::future::Either;
use symbolon::{Denied, Request, Verifier};
use tower::{Layer, Service};

use super::allowed::{Granted, Refusal};
use crate::principal::token;

/// Layer that admits only requests with a valid token in `Authorization: Token …` or `Bearer …`,
/// and adds a [`Granted`] to their extensions. Sessions and passwords are not accepted.
///
/// Other requests are answered as InfluxDB does, with a body `{"code", "message"}`:
///
/// | token | status | message |
/// |---|---|---|
/// | missing, unknown, expired or revoked | 401 | `unauthorized access` |
/// | inactive | 401 | `token is inactive` |
/// | of an inactive or unknown user or organization | 403 | `User is inactive` |
/// | without the permission | 403 | `insufficient permissions` |
///
/// While the engine cannot check tokens, every token is answered with 503.
#[derive(Clone)]
pub struct GuardLayer {
    verifier: Verifier,
    wanted: Option<Request<'static>>,
}

impl GuardLayer {
    /// Creates a layer that admits every valid token. [`Allowed`](super::Allowed) or the handler
    /// checks its permissions.
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier, wanted: None }
    }

    /// Admits only tokens with this permission, for routes that always require the same one.
    ///
    /// ```
    /// # use axum::{Router, routing::get};
    /// # use symbolon::{Action, Id, Request, ResourceType, Verifier};
    /// # use symbolon_http::GuardLayer;
    /// fn routes(verifier: Verifier, organization: Id) -> Router {
    ///     let read = Request::new(Action::READ, ResourceType::DATABASES);
    ///     let read = read.organization(organization);
    ///     Router::new()
    ///         .route("/statistics", get(|| async { "all is well" }))
    ///         .layer(GuardLayer::new(verifier).must(read))
    /// }
    /// ```
    #[must_use]
    pub fn must(mut self, wanted: Request<'static>) -> Self {
        self.wanted = Some(wanted);
        self
    }

    fn admit<B>(&self, request: &HttpRequest<B>) -> Result<Granted, Refusal> {
        let token = token(request.headers()).ok_or(Denied::Malformed)?;
        let grant = self.verifier.authenticate(token)?;
        if let Some(wanted) = &self.wanted {
            grant.check(wanted)?;
        }
        Ok(Granted(Arc::new(grant)))
    }
}

impl fmt::Debug for GuardLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardLayer").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        let layer = self.clone();
        Guard { inner, layer }
    }
}

/// A service behind a [`GuardLayer`].
#[derive(Debug, Clone)]
pub struct Guard<S> {
    inner: S,
    layer: GuardLayer,
}

impl<S, B> Service<HttpRequest<B>> for Guard<S>
where
    S: Service<HttpRequest<B>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: HttpRequest<B>) -> Self::Future {
        match self.layer.admit(&request) {
            Ok(granted) => {
                request.extensions_mut().insert(granted);
                Either::Left(self.inner.call(request))
            }
            Err(refusal) => Either::Right(ready(Ok(refusal.into_response()))),
        }
    }
}

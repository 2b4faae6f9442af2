//! The tower layer.

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

/// Lets through only requests with a token that is in force, in `Authorization: Token …` or `Bearer …`; puts a
/// [`Granted`] into their extensions. Sessions and passwords are not taken.
///
/// Everything else is answered as InfluxDB does, with `{"code", "message"}`: no token or a dead one with 401 `unauthorized
/// access`, one that is switched off with 401 `token is inactive`, one whose user or organization is switched off with 403
/// `User is inactive`, one that lacks the permission with 403 `insufficient permissions`; and with 503 while nothing is
/// known, which says nothing of the token.
#[derive(Clone)]
pub struct GuardLayer {
    verifier: Verifier,
    wanted: Option<Request<'static>>,
}

impl GuardLayer {
    /// Lets every token in force through. What it may do, [`Allowed`](super::Allowed) asks or the handler itself.
    pub fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            wanted: None,
        }
    }

    /// Lets only tokens through that may do this: for routes that always want the same.
    ///
    /// ```
    /// # use axum::{Router, routing::get};
    /// # use symbolon::{Action, Id, Request, ResourceType, Verifier};
    /// # use symbolon_http::GuardLayer;
    /// fn routes(verifier: Verifier, organization: Id) -> Router {
    ///     let read = Request::new(Action::READ, ResourceType::DATABASES).organization(organization);
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
        f.debug_struct("GuardLayer")
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        let layer = self.clone();
        Guard { inner, layer }
    }
}

/// What [`GuardLayer`] makes of a service.
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

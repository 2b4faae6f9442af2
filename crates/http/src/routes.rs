//! The router: all routes, and the layers around them.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use symbolon::store::Revision;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::sensitive_headers::SetSensitiveHeadersLayer;
use tower_http::trace::TraceLayer;
use tracing::Span;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::api::{Api, Operations};
use crate::failure::{Code, Failure};
use crate::openapi::head;
use crate::{backup, metrics_endpoint, openapi_links, v0, v2};

/// Maximum size of a request body, in bytes.
const LARGEST_BODY: usize = 1 << 20;

/// Creates the routes of the API, for mounting in an axum application.
///
/// Every path is also accepted with a trailing slash. A panic in a handler is answered with 500.
pub fn router(api: Api) -> Router {
    let (routes, document) = described();
    api.set_document(document);
    routes
        .method_not_allowed_fallback(|| async {
            Failure::new(Code::MethodNotAllowed, "method not allowed")
        })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(api.clone(), headers))
        .layer(middleware::from_fn_with_state(api.clone(), metrics_endpoint::count))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(api)
}

/// Creates a complete application: [`router`], a 404 reply for every other path, and a log line for
/// each request.
///
/// No log line contains a token, cookie, set-up code, path or query.
pub fn application(api: Api) -> Router {
    let nothing = Router::new()
        .fallback(|| async { Failure::new(Code::NotFound, "path not found") })
        .layer(middleware::from_fn_with_state(api.clone(), headers))
        .layer(middleware::from_fn_with_state(api.clone(), metrics_endpoint::count));
    let code = HeaderName::from_static(v2::SET_UP_CODE);
    let secret = [header::AUTHORIZATION, header::COOKIE, header::SET_COOKIE, code];
    router(api)
        .fallback_service(nothing)
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_request(())
                .on_response(answered)
                .on_failure(()),
        )
        .layer(SetSensitiveHeadersLayer::new(secret))
}

/// Answers 500. The panic hook has already logged the panic.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    Failure::panicked().into_response()
}

/// Creates the span of a request, with its route: a path may contain secrets.
fn span<B>(request: &axum::http::Request<B>) -> Span {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("-", MatchedPath::as_str);
    tracing::info_span!("request", method = %request.method(), route)
}

fn answered<B>(response: &axum::http::Response<B>, took: Duration, _: &Span) {
    let status = response.status().as_u16();
    tracing::info!(status, micros = took.as_micros(), "answered");
}

/// Returns the OpenAPI 3.1 document of all routes.
pub fn openapi() -> OpenApi {
    described().1
}

/// Returns the routes, and the OpenAPI document that describes them.
fn described() -> (Router<Api>, OpenApi) {
    let groups = [v2::routes(), v0::routes(), backup::routes(), metrics_endpoint::routes()];
    let all = OpenApiRouter::with_openapi(head());
    let all = groups.into_iter().flatten().fold(all, mount);
    let (routes, mut document) = all.split_for_parts();
    openapi_links::add(&mut document);
    (routes, document)
}

/// Adds the operations of one path, also under the path with a trailing slash. The document lists
/// only the path without it.
fn mount(router: OpenApiRouter<Api>, operations: Operations) -> OpenApiRouter<Api> {
    let (_, paths, methods) = &operations;
    let slashed: Vec<_> = paths.paths.keys().map(|path| format!("{path}/")).collect();
    let methods = methods.clone();
    let slashed = slashed.into_iter();
    slashed.fold(router.routes(operations), |router, path| router.route(&path, methods.clone()))
}

const BUILD: HeaderName = HeaderName::from_static("x-influxdb-build");
const VERSION: HeaderName = HeaderName::from_static("x-influxdb-version");
const REVISION: HeaderName = HeaderName::from_static("x-symbolon-revision");
const MIN_REVISION: HeaderName = HeaderName::from_static("x-symbolon-min-revision");

/// Waits for the revision that a request asks for, and adds the headers that every reply has.
async fn headers(State(api): State<Api>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let is_v0 = v0::is_path(request.uri().path());
    let wanted = request.headers().get(MIN_REVISION).cloned();
    let mut response = match reach(&api, wanted).await {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    };
    if is_v0 {
        response = v0::in_form(response);
    }
    let changed = changes && response.status().is_success();
    let headers = response.headers_mut();
    headers.insert(BUILD, HeaderValue::from_static("OSS"));
    if let Ok(version) = HeaderValue::from_str(api.settings().version) {
        headers.insert(VERSION, version);
    }
    // A reply may contain tokens and names: it is not cached, and never interpreted as a page.
    let no_store = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(no_store);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let (true, Ok(engine)) = (changed, api.engine()) {
        let revision = engine.committed().0;
        headers.insert(REVISION, HeaderValue::from(revision));
    }
    response
}

/// Waits for the revision in `X-Symbolon-Min-Revision`.
async fn reach(api: &Api, wanted: Option<HeaderValue>) -> Result<(), Failure> {
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let wanted = wanted.to_str().ok().and_then(|text| text.parse().ok());
    let wanted = wanted.map(Revision).ok_or_else(|| {
        Failure::invalid(
            "X-Symbolon-Min-Revision must be a number; send the value of X-Symbolon-Revision",
        )
    })?;
    let message = match api.wait_for(wanted).await? {
        Some(true) => return Ok(()),
        Some(false) => "this node has not applied the revision yet; try again",
        None => "too many requests wait for a revision; try again in a moment",
    };
    Err(Failure::new(Code::Unavailable, message).after(1))
}

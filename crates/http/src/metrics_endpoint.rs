//! `/metrics`, and the counting of requests.
//!
//! Requests are counted by their declared route, never by their path: no id or token becomes a
//! label, and clients cannot create new labels.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use utoipa_axum::routes;

use crate::api::{Api, Operations};
use crate::failure::Failure;
use crate::metrics::Asked;
use crate::responses::Failures;
use crate::tags;

const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn routes() -> Vec<Operations> {
    vec![routes!(metrics)]
}

/// Counts a request when its response starts.
pub(crate) async fn count(State(api): State<Api>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let matched = request.extensions().get::<MatchedPath>();
    let asked = Asked {
        method: known(request.method()),
        // A trailing slash does not make another route.
        route: matched.map_or("none", |path| path.as_str().trim_end_matches('/')).to_owned(),
    };
    let response = next.run(request).await;
    api.metrics().count(asked, response.status().as_u16(), begun.elapsed());
    response
}

/// Returns a method as a label. A client may send any word as the method.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Retrieve the metrics of the server
///
/// The reply is in the OpenMetrics text format, which Prometheus reads. As in InfluxDB, no token is
/// required.
#[utoipa::path(
    get, path = "/metrics", operation_id = "GetMetrics", tag = tags::SYSTEM,
    responses(
        (status = 200, description = "The metrics", body = String, content_type = FORMAT),
        Failures
    )
)]
async fn metrics(
    State(api): State<Api>,
) -> Result<([(HeaderName, &'static str); 1], String), Failure> {
    let metrics = api.metrics();
    metrics.look_at(api.engine().ok().map(|engine| &**engine));
    let text = metrics.text().map_err(|error| Failure::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, FORMAT)], text))
}

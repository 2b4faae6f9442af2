//! `/metrics`: metrics in the OpenMetrics text format.
//!
//! Requests are counted by their declared route, never by their path: no id or token becomes a
//! label, and clients cannot create new labels.

use std::fmt;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use symbolon::{Engine, Timestamp};
use utoipa_axum::routes;

use crate::api::Api;
use crate::failure::Failure;
use crate::openapi::Failures;
use crate::routes::Operations;

const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Bucket limits in seconds: from replies out of memory to those that wait for a remote store.
const BUCKETS: [f64; 10] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

pub(crate) fn routes() -> Vec<Operations> {
    vec![routes!(metrics)]
}

/// The metrics of a server.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Asked, Histogram, fn() -> Histogram>,
    ready: Gauge,
    known: Gauge,
    applied: Gauge,
    committed: Gauge,
    faults: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    pub(crate) fn new(started: Timestamp) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            ready: Gauge::default(),
            known: Gauge::default(),
            applied: Gauge::default(),
            committed: Gauge::default(),
            faults: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register(
            "symbolon_http_requests",
            "Number of requests by method, route and status",
            metrics.requests.clone(),
        );
        registry.register(
            "symbolon_http_request_duration_seconds",
            "Time until the response starts, in seconds",
            metrics.durations.clone(),
        );
        let gauges = [
            ("symbolon_ready", "1 if the store is open, 0 otherwise", &metrics.ready),
            (
                "symbolon_known",
                "Number of authorizations, users and organizations in the index",
                &metrics.known,
            ),
            (
                "symbolon_revision_applied",
                "Revision of the store up to which the index is current",
                &metrics.applied,
            ),
            (
                "symbolon_revision_committed",
                "Revision of the newest commit of this process",
                &metrics.committed,
            ),
            (
                "symbolon_faults",
                "Number of records that failed verification, at most 1,000",
                &metrics.faults,
            ),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
        let started = Duration::from_nanos(started.nanos()).as_secs_f64();
        registry.register(
            "process_start_time_seconds",
            "Start time of the process, in seconds since 1970",
            ConstGauge::new(started),
        );
        metrics
    }

    fn look_at(&self, engine: Option<&Engine>) {
        self.ready.set(engine.is_some().into());
        let Some(engine) = engine else {
            return;
        };
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.known.set(number(engine.len()));
        self.applied.set(engine.caught_up().0.cast_signed());
        self.committed.set(engine.committed().0.cast_signed());
        self.faults.set(number(engine.faults().len()));
    }

    fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
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
    let metrics = api.metrics();
    let took = begun.elapsed().as_secs_f64();
    metrics.durations.get_or_create(&asked).observe(took);
    let Asked { method, route } = asked;
    let answered = Answered { method, route, status: response.status().as_u16() };
    metrics.requests.get_or_create(&answered).inc();
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
    get, path = "/metrics", operation_id = "GetMetrics", tag = "system",
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

//! The metrics of a server, and their OpenMetrics text format.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use symbolon::{Engine, Timestamp};

/// Bucket limits in seconds: from replies out of memory to those that wait for a remote store.
const BUCKETS: [f64; 10] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

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

/// Labels of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Asked {
    pub(crate) method: &'static str,
    pub(crate) route: String,
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

    /// Counts a request.
    pub(crate) fn count(&self, asked: Asked, status: u16, took: Duration) {
        self.durations.get_or_create(&asked).observe(took.as_secs_f64());
        let Asked { method, route } = asked;
        self.requests.get_or_create(&Answered { method, route, status }).inc();
    }

    /// Reads the state of the engine, if it is open.
    pub(crate) fn look_at(&self, engine: Option<&Engine>) {
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

    /// Returns the OpenMetrics text.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

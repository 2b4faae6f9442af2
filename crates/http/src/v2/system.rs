//! `/health`, `/ready` and `/ping`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use symbolon::Timestamp;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::api::{Api, Operations};
use crate::responses::Failures;
use crate::schemas::Time;
use crate::tags;

pub(super) fn routes() -> Vec<Operations> {
    vec![routes!(health), routes!(ready), routes!(ping, ping_head)]
}

/// The health of the server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HealthCheck)]
struct HealthForm {
    name: &'static str,
    /// `pass` or `fail`.
    status: &'static str,
    message: &'static str,
    checks: Vec<CheckForm>,
    version: &'static str,
    commit: &'static str,
}

/// The result of one check.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HealthCheckOf)]
struct CheckForm {
    name: &'static str,
    /// `pass` or `fail`.
    status: &'static str,
    message: &'static str,
}

/// Check the health of the server
///
/// The server is healthy if its store can be read.
#[utoipa::path(
    get, path = "/health", operation_id = "GetHealth", tag = tags::SYSTEM,
    responses(
        (status = 200, description = "Healthy", body = HealthForm),
        (
            status = 405, description = "Method not allowed",
            body = crate::failure::FailureBody
        ),
        (status = 503, description = "Unhealthy", body = HealthForm)
    )
)]
async fn health(State(api): State<Api>) -> (StatusCode, Json<HealthForm>) {
    let read = api.run(|engine| engine.check_store());
    let works = match (api.engine(), read.await) {
        (Err(_), _) => Err("the store is being opened"),
        (_, Err(_)) => Err("the store cannot be read; see the log of the server"),
        (_, Ok(_)) => Ok(()),
    };
    let failing = |message| CheckForm { name: "store", status: "fail", message };
    let form = HealthForm {
        name: "influxdb",
        status: if works.is_ok() { "pass" } else { "fail" },
        message: works.err().unwrap_or("healthy"),
        checks: works.err().map(failing).into_iter().collect(),
        version: api.settings().version,
        commit: "",
    };
    let status = match works {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(form))
}

/// The start time and uptime of a ready server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ready)]
struct ReadyForm {
    /// `ready`.
    status: &'static str,
    #[schema(value_type = Time)]
    started: Timestamp,
    /// Time since the start, such as `1h2m3.5s`.
    up: String,
}

/// The failed checks of a starting server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Starting)]
struct StartingForm {
    /// `starting`.
    status: &'static str,
    checks: Vec<CheckForm>,
}

/// Check whether the server is ready
#[utoipa::path(
    get, path = "/ready", operation_id = "GetReady", tag = tags::SYSTEM,
    responses(
        (status = 200, description = "Ready", body = ReadyForm),
        (
            status = 405, description = "Method not allowed",
            body = crate::failure::FailureBody
        ),
        (status = 503, description = "Starting", body = StartingForm)
    )
)]
async fn ready(
    State(api): State<Api>,
) -> Result<Json<ReadyForm>, (StatusCode, Json<StartingForm>)> {
    if api.engine().is_err() {
        let store =
            CheckForm { name: "store", status: "fail", message: "the store is being opened" };
        let form = StartingForm { status: "starting", checks: vec![store] };
        return Err((StatusCode::SERVICE_UNAVAILABLE, Json(form)));
    }
    Ok(Json(ReadyForm { status: "ready", started: api.started(), up: duration(api.up()) }))
}

/// Formats a duration in nanoseconds like Go, to the millisecond.
fn duration(nanos: u64) -> String {
    let millis = nanos / 1_000_000;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let seconds = millis % 60_000;
    let seconds = format!("{}.{:03}", seconds / 1000, seconds % 1000);
    let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// Check whether the server is reachable
#[utoipa::path(
    get, path = "/ping", operation_id = "GetPing", tag = tags::SYSTEM,
    responses((status = 204, description = "Reachable"), Failures)
)]
async fn ping() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Check whether the server is reachable
#[utoipa::path(
    head, path = "/ping", operation_id = "HeadPing", tag = tags::SYSTEM,
    responses((status = 204, description = "Reachable"), Failures)
)]
async fn ping_head() -> StatusCode {
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_formatted_like_go() {
        let millis = |number: u64| duration(number * 1_000_000);
        assert_eq!(millis(0), "0s");
        assert_eq!(millis(1500), "1.5s");
        assert_eq!(millis(61_020), "1m1.02s");
        assert_eq!(millis(3_600_000), "1h0m0s");
    }
}

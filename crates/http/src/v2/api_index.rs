//! `/api/v2`, `/api/v2/resources` and `/api/v2/openapi.json`: descriptions of the API.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, header};
use serde_json::{Value, json};
use utoipa_axum::routes;

use crate::api::{Api, Operations};
use crate::failure::Failure;
use crate::principal::Principal;
use crate::responses::Failures;
use crate::tags;

pub(super) fn routes() -> Vec<Operations> {
    vec![routes!(links), routes!(resources), routes!(document)]
}

/// List the routes
#[utoipa::path(
    get, path = "/api/v2", operation_id = "GetRoutes", tag = tags::SYSTEM,
    responses((status = 200, description = "Paths by name", body = Object), Failures)
)]
async fn links() -> Json<Value> {
    Json(json!({
        "authorizations": "/api/v2/authorizations",
        "buckets": "/api/v2/buckets",
        "me": "/api/v2/me",
        "orgs": "/api/v2/orgs",
        "resources": "/api/v2/resources",
        "setup": "/api/v2/setup",
        "signin": "/api/v2/signin",
        "signout": "/api/v2/signout",
        "system": {
            "metrics": "/metrics",
            "health": "/health",
        },
        "users": "/api/v2/users",
        "openapi": "/api/v2/openapi.json",
    }))
}

/// List the resource types of permissions
#[utoipa::path(
    get, path = "/api/v2/resources", operation_id = "GetResources", tag = tags::SYSTEM,
    responses((status = 200, description = "Names of the types", body = Vec<String>), Failures),
    security(("token" = []), ("session" = []))
)]
async fn resources(State(api): State<Api>, _: Principal) -> Result<Json<Vec<String>>, Failure> {
    let types = api.engine()?.schema().resource_types();
    Ok(Json(types.map(|kind| kind.to_string()).collect()))
}

/// Retrieve this document
#[utoipa::path(
    get, path = "/api/v2/openapi.json", operation_id = "GetOpenapi", tag = tags::SYSTEM,
    responses((status = 200, description = "The OpenAPI document", body = Object), Failures)
)]
async fn document(
    State(api): State<Api>,
) -> Result<([(HeaderName, &'static str); 1], Bytes), Failure> {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kind, api.document()?))
}

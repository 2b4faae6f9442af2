//! The operations of the OpenAPI document.

use serde_json::Value;

pub(crate) fn document() -> Value {
    serde_json::to_value(symbolon_http::openapi()).unwrap()
}

/// Returns method, path and description of every operation.
pub(crate) fn operations() -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            all.push((method.to_uppercase(), path.clone(), described.clone()));
        }
    }
    all
}

/// Replaces the parameters of a path by ids that no record has.
pub(crate) fn path_with_ids(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment {
        "{tokenId}" => "00000000-0000-8000-8000-000000000001",
        segment if segment.starts_with('{') => "0fedcba987654321",
        segment => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

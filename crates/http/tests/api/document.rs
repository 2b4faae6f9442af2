//! `/api/v2/openapi.json`.

use serde_json::{Value, json};

use crate::support::Server;

async fn document(server: &Server) -> Value {
    let reply = server.ask("GET /api/v2/openapi.json", "", None).await;
    assert_eq!(reply.status, 200);
    reply.json()
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(array) => array.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_reference_in_the_document_resolves() {
    let server = Server::start();
    let document = document(&server).await;
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn database_tokens_have_their_own_error_schema() {
    let server = Server::start();
    let document = document(&server).await;
    let error = &document["components"]["schemas"]["DatabaseTokenError"];
    assert_eq!(error["properties"]["code"]["type"], "integer");
    let paths = document["paths"].as_object().unwrap();
    let v0 = paths.iter().filter(|(path, _)| path.starts_with("/api/v0/"));
    let operations: Vec<_> = v0.flat_map(|(_, path)| path.as_object().unwrap().values()).collect();
    assert_eq!(operations.len(), 5);
    for operation in operations {
        for status in ["400", "401", "403", "404", "405", "409", "413", "500", "503"] {
            let schema = &operation["responses"][status]["content"]["application/json"]["schema"];
            let wanted = json!({"$ref": "#/components/schemas/DatabaseTokenError"});
            assert_eq!(schema, &wanted, "{status}");
        }
        assert_eq!(operation["security"], json!([{"token": []}]));
    }
    let backup = &document["paths"]["/api/v1/backup"]["post"]["responses"]["200"];
    assert!(backup["content"]["application/octet-stream"].is_object());
}

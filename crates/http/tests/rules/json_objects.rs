//! Objects in bodies: an array of the values is refused.

use serde_json::{Map, Value, json};

use crate::document::{document, operations, path_with_ids};
use crate::server::Server;

/// Returns a value that this schema describes, with every member.
fn sample(document: &Value, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return sample(document, &document["components"]["schemas"][name]);
    }
    if let Some(all) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let some = all.iter().find(|one| one["type"] != "null");
        return sample(document, some.unwrap());
    }
    let kind = &schema["type"];
    let is = |name: &str| {
        let named = kind.as_array().map(|names| names.contains(&name.into()));
        kind == name || named == Some(true)
    };
    if is("object") {
        let fields = schema["properties"].as_object().unwrap().iter();
        let fields = fields.map(|(name, schema)| (name.clone(), sample(document, schema)));
        return Value::Object(fields.collect::<Map<_, _>>());
    }
    if is("array") {
        return json!([sample(document, &schema["items"])]);
    }
    if is("integer") {
        return json!(1);
    }
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    let text = match schema["enum"].as_array() {
        Some(all) => all[0].as_str().unwrap(),
        None if schema["format"] == "date-time" => "2030-01-01T00:00:00Z",
        None if pattern.contains("[0-9a-fA-F]{16}") => "0fedcba987654321",
        None => "x",
    };
    json!(text)
}

/// Collects the JSON pointers of all objects in `value`.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(at.to_owned());
            for (name, value) in fields {
                objects(value, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                objects(value, &format!("{at}/{number}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn an_array_is_not_accepted_as_an_object() {
    let server = Server::new();
    let document = document();
    let mut nested = 0;
    for (method, path, described) in operations() {
        let schema = &described["requestBody"]["content"]["application/json"]["schema"];
        // The test of set-up sends one, for a server that was set up reads no body.
        if schema.is_null() || described["operationId"] == "PostSetup" {
            continue;
        }
        let line = format!("{method} {}", path_with_ids(&path));
        let body = sample(&document, schema);
        let mut found = Vec::new();
        objects(&body, "", &mut found);
        nested += found.len() - 1;
        for at in found {
            let mut body = body.clone();
            let object = body.pointer_mut(&at).unwrap();
            let values: Vec<_> = object.as_object().unwrap().values().cloned().collect();
            *object = Value::Array(values);
            let reply = server.operate(&line, body).expect(400);
            let message = reply.json()["message"].as_str().unwrap().to_owned();
            let is_named = message.contains(", expected an object at line ");
            assert!(is_named, "{line} `{at}`: {message}");
            assert!(!message.contains("fedcba"), "{message}");
        }
    }
    assert!(nested >= 4, "{nested}");
}

#[test]
fn a_permission_given_as_an_array_creates_no_token() {
    let server = Server::new();
    let resource = json!({"type": "buckets", "orgID": server.org});
    for permission in [
        json!(["read", resource]),
        json!({"action": "read", "resource": ["buckets", null, null, null, server.org]}),
    ] {
        let body = json!({"orgID": server.org, "permissions": [permission]});
        let reply = server.operate("POST /api/v2/authorizations", body);
        let message = reply.expect_code("400 invalid");
        let wanted = "invalid json structure: invalid type, expected an object at line 1 column";
        assert!(message.starts_with(wanted), "{message}");
    }
    let body = json!({"description": "d", "permissions": [["read", "db"]]});
    server.operate("POST /api/v0/tokens", body).expect(400);
}

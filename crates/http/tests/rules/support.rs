//! Requests to a router without a network.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use symbolon::Id;
use tower::ServiceExt;
use uuid::Uuid;

/// Runs a future on this thread.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}

/// A response with its whole body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Sends `METHOD PATH` with these headers, and with a body unless it is null. A string is sent
/// unchanged.
pub(crate) async fn ask(app: &Router, line: &str, headers: &[(&str, &str)], body: Value) -> Reply {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "localhost");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = match body {
        Value::Null => Body::empty(),
        Value::String(raw) => raw.into(),
        body => body.to_string().into(),
    };
    let response = app.clone().oneshot(request.body(body).unwrap()).await;
    let (parts, body) = response.unwrap().into_parts();
    Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
    }
}

/// Reads an id as either API spells it.
pub(crate) fn read_id(value: &Value) -> Id {
    let text = value.as_str().unwrap();
    let uuid = Uuid::try_parse(text).ok().and_then(Id::from_uuid);
    uuid.or_else(|| text.parse().ok()).unwrap()
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Parses the body as JSON.
    pub(crate) fn json(&self) -> Value {
        let read = serde_json::from_slice(&self.body);
        read.unwrap_or_else(|error| panic!("`{}` is not JSON: {error}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns status, code and message of a refusal; code and header must agree.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let code = self.header("x-platform-error-code");
        assert_eq!(code, body["code"].as_str(), "{}", self.text());
        (self.status, text("code"), text("message"))
    }

    /// Asserts the status, and returns the reply.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Asserts that this is a refusal with `STATUS CODE`, and returns its message.
    #[track_caller]
    pub(crate) fn expect_code(&self, wanted: &str) -> String {
        let (status, code, message) = self.refusal();
        assert_eq!(format!("{status} {code}"), wanted, "{}", self.text());
        message
    }

    /// Asserts that this is a refusal with `STATUS CODE: MESSAGE`.
    #[track_caller]
    pub(crate) fn expect_refusal(&self, wanted: &str) {
        let (status, code, message) = self.refusal();
        assert_eq!(format!("{status} {code}: {message}"), wanted);
    }

    /// Asserts that the credential was refused as unknown, revoked or expired.
    #[track_caller]
    pub(crate) fn expect_unauthorized(&self) {
        self.expect_refusal("401 unauthorized: unauthorized access");
    }
}

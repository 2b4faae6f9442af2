//! Extractors for the JSON body, the query and the ids in the path of a request.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use symbolon::{Id, JsonObject, JsonProblem};

use crate::failure::{Code, Failure};

/// The JSON body. Its content type is ignored, as in InfluxDB.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        let read = serde_json::from_slice(&bytes);
        read.map(|JsonObject(read)| Self(read)).map_err(|error| {
            let (problem, line, column) = (JsonProblem::of(&error), error.line(), error.column());
            Failure::invalid(format!(
                "invalid json structure: {problem} at line {line} column {column}"
            ))
        })
    }
}

fn unread(rejection: BytesRejection) -> Failure {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message = "the body is too large; the limit is 1 MiB";
        return Failure::new(Code::TooLarge, message);
    }
    Failure::invalid("the body could not be read; send the request again")
}

/// The query. Unknown keys are ignored.
#[derive(Debug)]
pub(crate) struct QueryParams<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let asked = Query::from_request_parts(parts, state).await;
        let invalid = |error| Failure::invalid(format!("invalid query: {error}"));
        asked.map(|Query(asked)| Self(asked)).map_err(invalid)
    }
}

/// The id in the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathId(pub(crate) Id);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Failure::invalid("invalid ID"))?;
        id(&text).map(Self)
    }
}

/// The two ids in the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathIds(pub(crate) Id, pub(crate) Id);

impl<S: Send + Sync> FromRequestParts<S> for PathIds {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Failure::invalid("invalid ID"))?;
        Ok(Self(id(&first)?, id(&second)?))
    }
}

/// Parses an id.
///
/// # Errors
///
/// 400 with InfluxDB's text if it is not an id.
pub(crate) fn id(text: &str) -> Result<Id, Failure> {
    text.parse().map_err(|error: symbolon::InvalidId| Failure::invalid(error.to_string()))
}

/// Parses an id of the query. Returns `None` if it is not given or empty.
///
/// # Errors
///
/// Those of [`id`].
pub(crate) fn id_if_given(text: Option<&str>) -> Result<Option<Id>, Failure> {
    given(text).map(id).transpose()
}

/// Returns a text of the query, or `None` if it is not given or empty.
pub(crate) fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

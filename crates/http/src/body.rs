//! What a request says: its JSON body, its query and the ids in its path.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use symbolon::Id;

use crate::failure::{Code, Failure};

/// The JSON body, whatever its content type, as InfluxDB reads it.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        let read = serde_json::from_slice(&bytes);
        read.map(Self)
            .map_err(|error| Failure::invalid(format!("invalid json structure: {error}")))
    }
}

fn unread(rejection: BytesRejection) -> Failure {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message = "the body is too large; at most 1 MiB is taken";
        return Failure::new(Code::TooLarge, message);
    }
    Failure::invalid("the body could not be read; send it again")
}

/// The query; of a key that is not known nothing is said.
#[derive(Debug)]
pub(crate) struct Ask<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Ask<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let asked = Query::from_request_parts(parts, state).await;
        let invalid = |error| Failure::invalid(format!("invalid query: {error}"));
        asked.map(|Query(asked)| Self(asked)).map_err(invalid)
    }
}

/// The id in the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OneId(pub(crate) Id);

impl<S: Send + Sync> FromRequestParts<S> for OneId {
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
pub(crate) struct TwoIds(pub(crate) Id, pub(crate) Id);

impl<S: Send + Sync> FromRequestParts<S> for TwoIds {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Failure::invalid("invalid ID"))?;
        Ok(Self(id(&first)?, id(&second)?))
    }
}

/// Reads an id.
///
/// # Errors
///
/// 400 with InfluxDB's text.
pub(crate) fn id(text: &str) -> Result<Id, Failure> {
    text.parse()
        .map_err(|error: symbolon::InvalidId| Failure::invalid(error.to_string()))
}

/// Reads an id of the query, if it is given: an empty text is none.
///
/// # Errors
///
/// As [`id`].
pub(crate) fn id_if_given(text: Option<&str>) -> Result<Option<Id>, Failure> {
    given(text).map(id).transpose()
}

/// A text of the query, if it is given: an empty one is none.
pub(crate) fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

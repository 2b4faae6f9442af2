//! Lists that are read and sent page by page, so that their length does not affect memory use.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{TryStreamExt as _, stream};
use symbolon::Engine;

use crate::api::Api;
use crate::failure::Failure;

/// A list that is read and written page by page.
pub(crate) trait PagedResponse: Sized + Send + 'static {
    /// Reads the next page and writes it as JSON.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read.
    fn write_next_page(self, engine: &Engine) -> Result<Self, Failure>;

    /// Returns the bytes written since the last call.
    fn take(&mut self) -> Vec<u8>;

    /// Returns true if the whole list is written.
    fn is_finished(&self) -> bool;
}

/// Creates a JSON response from a list whose first page is written. If a later page cannot be read,
/// the response is aborted, which a client notices.
pub(crate) fn json(api: Api, first: impl PagedResponse) -> Response {
    let chunks = stream::try_unfold(Some(first), move |pages| {
        let api = api.clone();
        async move {
            let Some(mut pages) = pages else {
                return Ok::<_, Failure>(None);
            };
            let chunk = Bytes::from(pages.take());
            if pages.is_finished() {
                return Ok(Some((chunk, None)));
            }
            let next = api.run(move |engine| pages.write_next_page(engine)).await?;
            Ok(Some((chunk, Some(next))))
        }
    });
    let chunks = chunks.map_err(|failure| io::Error::other(failure.message.into_owned()));
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, Body::from_stream(chunks)).into_response()
}

//! Long lists: read and sent page by page, so that a long one takes no more memory than a short one.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{TryStreamExt as _, stream};
use symbolon::Engine;

use crate::api::Api;
use crate::failure::Failure;

/// So many records are read from the store at once.
pub(crate) const PAGE: usize = 500;

/// A list that is being written.
pub(crate) trait PagedResponse: Sized + Send + 'static {
    /// Reads and writes the next page.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn write_next_page(self, engine: &Engine) -> Result<Self, Failure>;

    /// What was written since it was last asked for.
    fn take(&mut self) -> Vec<u8>;

    /// Whether everything is written.
    fn is_finished(&self) -> bool;
}

/// JSON of which the first page is written. If a later page cannot be read the stream breaks off, which a client sees.
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

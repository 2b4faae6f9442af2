//! `POST /api/v1/backup`: a copy of the whole store, streamed.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use symbolon::{Error, Request, Schema, TokenStore, backup};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use utoipa_axum::routes;

use crate::api::Api;
use crate::failure::Failure;
use crate::openapi::Failures;
use crate::principal::Principal;
use crate::routes::Operations;
use crate::schemas::Octets;

/// What is sent at once.
const CHUNK: usize = 64 * 1024;
/// How many of them wait for a slow client.
const WAITING: usize = 4;

pub(crate) fn routes() -> Vec<Operations> {
    vec![routes!(backup_now)]
}

/// Back the store up
///
/// For operators: whoever may do everything in all organizations. The backup is the state at one commit, and others may
/// change the store meanwhile. It is sealed: without the store's key, which is not in it, nobody can restore it. It ends with
/// a checksum. A backup that fails breaks off, so that the client sees an incomplete answer; and what is cut off, no restore
/// takes.
#[utoipa::path(
    post, path = "/api/v1/backup", operation_id = "PostBackup", tag = "system",
    responses((status = 200, description = "The backup", body = Octets, content_type = "application/octet-stream"), Failures),
    security(("token" = []), ("session" = []))
)]
async fn backup_now(State(api): State<Api>, principal: Principal) -> Result<Response, Failure> {
    let store = api.run(move |engine| {
        let issuer = engine.issuer();
        for one in Schema::influxdb_operator() {
            let request = Request::new(one.action, one.resource.kind);
            issuer.authorize(&principal.caller, &request)?;
        }
        Ok::<_, Error>(engine.store())
    });
    let store = store.await?;
    let (chunks, receiver) = channel(WAITING);
    tokio::task::spawn_blocking(move || send(&*store, chunks));
    let name = format!("attachment; filename=\"symbolon-{}.backup\"", stamp(&api));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(received(receiver))).into_response())
}

/// The time, as it may stand in the name of a file.
fn stamp(api: &Api) -> String {
    let now = api.now().to_string();
    let seconds = now.get(..19).unwrap_or_default();
    let plain = seconds.replace(['-', ':'], "");
    format!("{plain}Z")
}

type Chunk = Result<Bytes, io::Error>;

fn received(receiver: Receiver<Chunk>) -> impl stream::Stream<Item = Chunk> {
    stream::unfold(receiver, |mut receiver| async {
        let chunk = receiver.recv().await?;
        Some((chunk, receiver))
    })
}

fn send(store: &dyn TokenStore, chunks: Sender<Chunk>) {
    let mut out = Chunks {
        chunks,
        next: Vec::with_capacity(CHUNK),
    };
    let done = backup::write(store, &mut out, &mut |_| ());
    let done = done.map_err(io::Error::other).and_then(|_| out.flush());
    if let Err(error) = done {
        tracing::error!(error = %error, "a backup was not sent to its end");
        // Nobody is there any more, or the stream breaks off with this.
        let _ = out.chunks.blocking_send(Err(error));
    }
}

/// Writes to whoever receives, and waits while that is slow.
struct Chunks {
    chunks: Sender<Chunk>,
    next: Vec<u8>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.next.extend_from_slice(bytes);
        if self.next.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.next.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.next, Vec::with_capacity(CHUNK));
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the client is gone");
        self.chunks.blocking_send(Ok(chunk.into())).map_err(gone)
    }
}

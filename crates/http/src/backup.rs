//! `POST /api/v1/backup`: a copy of the whole store, streamed.

use std::future::ready;
use std::io::{self, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use symbolon::Engine;
use symbolon::backup::BackupError;
use tokio::sync::mpsc::{Sender, channel};
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
    let engine = Arc::clone(api.engine()?);
    let (chunks, mut receiver) = channel(WAITING);
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(|| send(&engine, &principal, chunks)));
    // What refuses it comes before anything else. There is always something, unless that thread panicked.
    let first = receiver
        .recv()
        .await
        .unwrap_or_else(|| Err(Failure::panicked()))?;
    let rest = stream::unfold(receiver, |mut receiver| async {
        let chunk = receiver.recv().await?;
        Some((chunk, receiver))
    });
    let all = stream::once(ready(Ok(first))).chain(rest);
    let all = all.map_err(|failure: Failure| io::Error::other(failure.message.into_owned()));
    let name = format!("attachment; filename=\"symbolon-{}.backup\"", stamp(&api));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Body::from_stream(all)).into_response())
}

/// The time, as it may stand in the name of a file.
fn stamp(api: &Api) -> String {
    let now = api.now().to_string();
    let seconds = now.get(..19).unwrap_or_default();
    let plain = seconds.replace(['-', ':'], "");
    format!("{plain}Z")
}

type Chunk = Result<Bytes, Failure>;

fn send(engine: &Engine, principal: &Principal, chunks: Sender<Chunk>) {
    let mut out = Chunks {
        chunks,
        next: Vec::with_capacity(CHUNK),
    };
    let issuer = engine.issuer();
    let done = issuer.backup(&principal.caller, &mut out, &mut |_| ());
    let failure = match done {
        Ok(_) => return,
        Err(BackupError::Engine(error)) => error.into(),
        Err(BackupError::Write(_)) => {
            tracing::warn!("the client of a backup is gone before its end");
            return;
        }
        Err(error) => Failure::internal(&error),
    };
    // It is the answer if nothing was sent yet; else the stream breaks off with it.
    let _ = out.chunks.blocking_send(Err(failure));
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

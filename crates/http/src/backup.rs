//! `POST /api/v1/backup`: a backup of the store as a stream.

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

use crate::api::{Api, Operations};
use crate::failure::Failure;
use crate::principal::Principal;
use crate::responses::Failures;
use crate::schemas::Octets;
use crate::tags;

/// Size of a chunk, in bytes.
const CHUNK: usize = 64 * 1024;
/// Maximum number of chunks that wait for a slow client.
const WAITING: usize = 4;

pub(crate) fn routes() -> Vec<Operations> {
    vec![routes!(backup_now)]
}

/// Create a backup of the store
///
/// Requires the permissions of an operator: all permissions, in all organizations. The backup is
/// the state of the store at one commit; the store can be changed meanwhile. Restoring it requires
/// the key of the store, which the backup does not contain. A backup ends with a checksum. If it
/// fails, the response is aborted; an incomplete backup cannot be restored.
#[utoipa::path(
    post, path = "/api/v1/backup", operation_id = "PostBackup", tag = tags::SYSTEM,
    responses(
        (
            status = 200, description = "The backup",
            body = Octets, content_type = "application/octet-stream"
        ),
        Failures
    ),
    security(("token" = []), ("session" = []))
)]
async fn backup_now(State(api): State<Api>, principal: Principal) -> Result<Response, Failure> {
    let engine = Arc::clone(api.engine()?);
    let (chunks, mut receiver) = channel(WAITING);
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(|| send(&engine, &principal, chunks)));
    // A refusal is the first item. The channel is empty only if the thread panicked.
    let first = receiver.recv().await.unwrap_or_else(|| Err(Failure::panicked()))?;
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

/// Returns the current time for use in a file name, such as `20260131T235959Z`.
fn stamp(api: &Api) -> String {
    let now = api.now().to_string();
    let seconds = now.get(..19).unwrap_or_default();
    let plain = seconds.replace(['-', ':'], "");
    format!("{plain}Z")
}

type Chunk = Result<Bytes, Failure>;

fn send(engine: &Engine, principal: &Principal, chunks: Sender<Chunk>) {
    let mut out = Chunks { chunks, next: Vec::with_capacity(CHUNK) };
    let done = engine.admin(principal.caller).backup(&mut out, &mut |_| ());
    let failure = match done {
        Ok(_) => return,
        Err(BackupError::Admin(error)) => error.into(),
        Err(BackupError::Write(_)) => {
            tracing::warn!("client disconnected before the end of a backup");
            return;
        }
        Err(error) => Failure::internal(&error),
    };
    // This is the reply if nothing was sent yet; otherwise it aborts the stream.
    let _ = out.chunks.blocking_send(Err(failure));
}

/// Writer that sends chunks to the response, and blocks while the client is slow.
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
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the client disconnected");
        self.chunks.blocking_send(Ok(chunk.into())).map_err(gone)
    }
}

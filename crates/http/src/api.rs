//! State shared by all operations: the engine, once it is open, and the settings.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Bytes;
use symbolon::store::Revision;
use symbolon::{Clock, Engine, SystemClock, Timestamp};
use tokio::sync::Semaphore;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::UtoipaMethodRouter;

use crate::failure::Failure;
use crate::login_attempts::LoginAttempts;
use crate::metrics::Metrics;
use crate::settings::Settings;

/// Maximum time that a request waits for a revision.
const REVISION_WAIT: Duration = Duration::from_secs(1);
/// Maximum number of requests that wait for a revision at once; each blocks a thread.
const MAX_WAITING: usize = 64;

/// Operations of one path.
pub(crate) type Operations = UtoipaMethodRouter<Api>;

/// The state of the operations: an engine and the settings. Clones share it.
#[derive(Debug, Clone)]
pub struct Api {
    shared: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: OnceLock<Arc<Engine>>,
    settings: Settings,
    clock: SystemClock,
    started: Timestamp,
    metrics: Metrics,
    login_attempts: Arc<LoginAttempts>,
    /// Permits of the requests that wait for a revision; each blocks a thread.
    waiting: Arc<Semaphore>,
    document: OnceLock<Bytes>,
}

impl Api {
    /// Creates the API of an open engine.
    pub fn new(engine: Arc<Engine>, settings: Settings) -> Self {
        let api = Self::starting(settings);
        api.open(engine);
        api
    }

    /// Creates an API whose engine is not open yet. Every route that needs the engine answers 503
    /// until [`Api::open`] is called.
    pub fn starting(settings: Settings) -> Self {
        let clock = SystemClock::default();
        let started = clock.now();
        let shared = Inner {
            engine: OnceLock::new(),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            document: OnceLock::new(),
            login_attempts: Arc::new(LoginAttempts::new(settings.passwords)),
            settings,
            started,
            clock,
            metrics: Metrics::new(started),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Provides the engine. Only the first call has an effect.
    pub fn open(&self, engine: Arc<Engine>) {
        let _ = self.shared.engine.set(engine);
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    pub(crate) fn started(&self) -> Timestamp {
        self.shared.started
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Waits until this node has applied a revision, at most one second. Returns whether it has, or
    /// `None` if too many requests wait already.
    pub(crate) async fn wait_for(&self, wanted: Revision) -> Result<Option<bool>, Failure> {
        if self.engine()?.caught_up() >= wanted {
            return Ok(Some(true));
        }
        let Ok(turn) = Arc::clone(&self.shared.waiting).try_acquire_owned() else {
            return Ok(None);
        };
        let reached = self.run(move |engine| {
            // Released by the thread, which continues even if the request is cancelled.
            let _turn = turn;
            Ok::<_, Failure>(engine.wait_for(wanted, REVISION_WAIT))
        });
        reached.await.map(Some)
    }

    /// Sets the OpenAPI document, with the version of the settings. Only the first call has an
    /// effect.
    pub(crate) fn set_document(&self, mut document: OpenApi) {
        self.settings().version.clone_into(&mut document.info.version);
        match serde_json::to_vec(&document) {
            Ok(written) => drop(self.shared.document.set(written.into())),
            Err(error) => tracing::error!(%error, "cannot write the OpenAPI document"),
        }
    }

    /// Returns the OpenAPI document as JSON.
    pub(crate) fn document(&self) -> Result<Bytes, Failure> {
        let document = self.shared.document.get().cloned();
        document.ok_or_else(|| Failure::internal(&io::Error::other("no OpenAPI document")))
    }

    pub(crate) fn login_attempts(&self) -> &Arc<LoginAttempts> {
        &self.shared.login_attempts
    }

    /// Returns the time since the start, in nanoseconds.
    pub(crate) fn up(&self) -> u64 {
        let passed = self.now().nanos();
        passed.saturating_sub(self.shared.started.nanos())
    }

    /// Returns the engine. Fails with 503 while it is being opened.
    pub(crate) fn engine(&self) -> Result<&Arc<Engine>, Failure> {
        self.shared.engine.get().ok_or_else(Failure::starting)
    }

    /// Runs `work` on a thread that may wait for the store. Every blocking call of the engine,
    /// except a backup, goes through this function.
    pub(crate) async fn run<T, E>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let engine = Arc::clone(self.engine()?);
        let span = tracing::Span::current();
        let done = tokio::task::spawn_blocking(move || span.in_scope(|| work(&engine)));
        match done.await {
            Ok(answer) => answer.map_err(Into::into),
            Err(error) => Err(Failure::internal(&error)),
        }
    }
}

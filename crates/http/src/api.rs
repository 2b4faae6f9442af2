//! State shared by all routes: the engine, once it is open, and the settings.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Bytes;
use symbolon::store::Revision;
use symbolon::{Clock, Engine, SystemClock, Timestamp};
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::login_attempts::LoginAttempts;
use crate::metrics::Metrics;
use crate::setup_code::SetupCode;

/// Maximum time that a request waits for a revision.
const REVISION_WAIT: Duration = Duration::from_secs(1);
/// Maximum number of requests that wait for a revision at once; each blocks a thread.
const MAX_WAITING: usize = 64;

/// Settings of the API.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Text in place of the token in every reply except the one that creates it.
    pub token_in_replies: TokenInReplies,
    /// Code that set-up over HTTP requires. Without one, which is the default, the server cannot be
    /// set up over HTTP.
    pub setup_code: Option<SetupCode>,
    /// Host names, without ports, under which set-up and sign-in are accepted besides `localhost`
    /// and IP addresses. Empty by default.
    pub allowed_hosts: Vec<String>,
    /// Lifetime of an unused session; each use extends it to at least five minutes. One hour by
    /// default.
    pub session: Duration,
    /// Limit of wrong passwords for one user name.
    pub passwords: PasswordLimit,
    /// Version in `X-Influxdb-Version`, `/health` and the OpenAPI document; by default that of this
    /// crate.
    pub version: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_in_replies: TokenInReplies::Empty,
            setup_code: None,
            allowed_hosts: Vec::new(),
            session: Duration::from_secs(60 * 60),
            passwords: PasswordLimit::default(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("token_in_replies", &self.token_in_replies)
            .field("setup_code", &self.setup_code.is_some())
            .field("allowed_hosts", &self.allowed_hosts)
            .field("session", &self.session)
            .field("passwords", &self.passwords)
            .finish_non_exhaustive()
    }
}

/// Limit of wrong passwords for one user name, whether the user exists or not. Further attempts are
/// answered with 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordLimit {
    /// Number of wrong passwords allowed within the window. An attempt counts as wrong until its
    /// password is verified.
    pub failures: u32,
    /// Period that begins with the first wrong password. The count is reset at its end, and by a
    /// correct password.
    pub window: Duration,
}

impl Default for PasswordLimit {
    /// Returns a limit of ten wrong passwords within five minutes.
    fn default() -> Self {
        Self { failures: 10, window: Duration::from_secs(5 * 60) }
    }
}

/// Text in place of a token in replies. Only the reply that creates a token contains the token
/// itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenInReplies {
    /// `""`, as in InfluxDB 2.9 with hashed tokens.
    #[default]
    Empty,
    /// `"redacted"`, as in InfluxDB Cloud.
    Redacted,
}

impl TokenInReplies {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "",
            Self::Redacted => "redacted",
        }
    }
}

/// The state of the routes: an engine and the settings. Clones share it.
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

    /// Returns the OpenAPI document as JSON.
    pub(crate) fn document(&self) -> Result<Bytes, Failure> {
        if let Some(known) = self.shared.document.get() {
            return Ok(known.clone());
        }
        let mut document = crate::openapi();
        self.settings().version.clone_into(&mut document.info.version);
        let written = serde_json::to_vec(&document).map_err(|error| Failure::internal(&error))?;
        Ok(self.shared.document.get_or_init(|| written.into()).clone())
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

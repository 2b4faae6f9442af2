//! What the routes share: the engine, once it is open, and how they answer.

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

/// For how long a request waits for a revision.
const REVISION_WAIT: Duration = Duration::from_secs(1);
/// So many do at once, of all the threads that wait for the store.
const MAX_WAITING: usize = 64;

/// How the API answers.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// What stands for the token in every reply but that to its creation.
    pub token_in_replies: TokenInReplies,
    /// Code that the first set-up over HTTP needs. Without one, which is the default, the server cannot
    /// be set up over HTTP.
    pub setup_code: Option<SetupCode>,
    /// Host names, without ports, under which set-up and sign-in are accepted besides `localhost` and
    /// IP addresses. Empty by default.
    pub allowed_hosts: Vec<String>,
    /// How long a session lasts if it is not used; each use extends it to five minutes at least.
    pub session: Duration,
    /// How many wrong passwords may be given under one user name.
    pub passwords: PasswordLimit,
    /// The version that is told in `X-Influxdb-Version`, `/health` and the OpenAPI document.
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

/// How many wrong passwords may be given under one user name, whether there is such a user or not, before every further
/// one is answered 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordLimit {
    /// So many. Each try counts as wrong until it was found right.
    pub failures: u32,
    /// Within this time from the first of them; then they are forgotten. A right one forgets them too.
    pub window: Duration,
}

impl Default for PasswordLimit {
    /// Ten within five minutes.
    fn default() -> Self {
        Self {
            failures: 10,
            window: Duration::from_secs(5 * 60),
        }
    }
}

/// What stands for a token in every reply but that to its creation, where its text is told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenInReplies {
    /// `""`, as InfluxDB 2.9 with hashed tokens.
    #[default]
    Empty,
    /// `"redacted"`, as InfluxDB Cloud.
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

/// The engine behind the routes, and how they answer. Cloned for each request.
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
    /// Who may wait for a revision: each does on a thread.
    waiting: Arc<Semaphore>,
    document: OnceLock<Bytes>,
}

impl Api {
    /// The API of an engine that is open.
    pub fn new(engine: Arc<Engine>, settings: Settings) -> Self {
        let api = Self::starting(settings);
        api.open(engine);
        api
    }

    /// An API whose engine is still being opened: until [`Api::open`], every route that needs it answers 503.
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
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Begins to answer with this engine. Only the first one counts.
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

    /// Waits until this node has seen a revision, for a second at most. Whether it has; none if too many wait already.
    pub(crate) async fn wait_for(&self, wanted: Revision) -> Result<Option<bool>, Failure> {
        if self.engine()?.caught_up() >= wanted {
            return Ok(Some(true));
        }
        let Ok(turn) = Arc::clone(&self.shared.waiting).try_acquire_owned() else {
            return Ok(None);
        };
        let reached = self.run(move |engine| {
            // Given back by the thread, which goes on if nobody waits for the answer any more.
            let _turn = turn;
            Ok::<_, Failure>(engine.wait_for(wanted, REVISION_WAIT))
        });
        reached.await.map(Some)
    }

    /// The OpenAPI document as it is sent.
    pub(crate) fn document(&self) -> Result<Bytes, Failure> {
        if let Some(known) = self.shared.document.get() {
            return Ok(known.clone());
        }
        let mut document = crate::openapi();
        self.settings()
            .version
            .clone_into(&mut document.info.version);
        let written = serde_json::to_vec(&document).map_err(|error| Failure::internal(&error))?;
        Ok(self.shared.document.get_or_init(|| written.into()).clone())
    }

    pub(crate) fn login_attempts(&self) -> &Arc<LoginAttempts> {
        &self.shared.login_attempts
    }

    /// For how many nanoseconds it has been up.
    pub(crate) fn up(&self) -> u64 {
        let passed = self.now().nanos();
        passed.saturating_sub(self.shared.started.nanos())
    }

    /// The engine, unless it is still being opened.
    pub(crate) fn engine(&self) -> Result<&Arc<Engine>, Failure> {
        self.shared.engine.get().ok_or_else(Failure::starting)
    }

    /// **The one way to the engine's blocking calls**: `work` runs on a thread where it may wait for the store.
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

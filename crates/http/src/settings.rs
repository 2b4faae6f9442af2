//! Settings of the API.

use std::fmt;
use std::time::Duration;

use crate::setup_code::SetupCode;

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

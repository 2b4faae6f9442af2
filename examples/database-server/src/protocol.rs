//! The wire protocol: one UTF-8 line per command, and one per reply.
//!
//! ```text
//! AUTH TOKEN               OK
//! WRITE TABLE KEY VALUE    OK
//! READ TABLE KEY           OK VALUE
//! QUIT                     OK
//! any refused command      ERR REASON and a sentence for people
//! ```

use std::fmt;

use symbolon::Denied;

/// A command of a client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Command<'l> {
    /// Authenticates the connection.
    Auth(&'l str),
    /// Sets a value.
    Write {
        /// The table.
        table: &'l str,
        /// The key.
        key: &'l str,
        /// Everything after the key.
        value: &'l str,
    },
    /// Reads a value.
    Read {
        /// The table.
        table: &'l str,
        /// The key.
        key: &'l str,
    },
    /// Ends the connection.
    Quit,
}

impl<'l> Command<'l> {
    /// Parses a line without its end.
    ///
    /// # Errors
    ///
    /// [`Refusal::Syntax`] if the line is not a command.
    pub fn parse(line: &'l [u8]) -> Result<Self, Refusal> {
        let line = std::str::from_utf8(line).map_err(|_| Refusal::Syntax)?;
        let mut words = line.splitn(4, ' ');
        let words: [Option<&str>; 4] = std::array::from_fn(|_| words.next());
        match words {
            [Some("AUTH"), Some(token), None, None] => Ok(Self::Auth(token)),
            [Some("WRITE"), Some(table), Some(key), Some(value)] => {
                let (table, key) = names(table, key)?;
                Ok(Self::Write { table, key, value })
            }
            [Some("READ"), Some(table), Some(key), None] => {
                let (table, key) = names(table, key)?;
                Ok(Self::Read { table, key })
            }
            [Some("QUIT"), None, None, None] => Ok(Self::Quit),
            _ => Err(Refusal::Syntax),
        }
    }
}

fn names<'l>(table: &'l str, key: &'l str) -> Result<(&'l str, &'l str), Refusal> {
    let is_name = |name: &str| !name.is_empty() && !name.chars().any(char::is_control);
    (is_name(table) && is_name(key)).then_some((table, key)).ok_or(Refusal::Syntax)
}

/// A reply of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The command succeeded.
    Done,
    /// The value.
    Value(String),
    /// The command was refused.
    Refused(Refusal),
}

/// A reason for refusing a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The token is refused, or does not allow the command.
    Denied(Denied),
    /// No token was presented on this connection.
    Unauthenticated,
    /// The line is not a command.
    Syntax,
    /// The table has no such key.
    Missing,
    /// There is no room for another value.
    Full,
    /// The line is too long. The connection ends.
    TooLong,
    /// No complete line arrived in time. The connection ends.
    Timeout,
    /// There are too many connections. This one is closed.
    Busy,
}

impl Refusal {
    /// Returns a stable word for programs.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.reason(),
            Self::Unauthenticated => "unauthenticated",
            Self::Syntax => "syntax",
            Self::Missing => "missing",
            Self::Full => "full",
            Self::TooLong => "too_long",
            Self::Timeout => "timeout",
            Self::Busy => "busy",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Denied(Denied::Unavailable) => "tokens cannot be checked now; try again later",
            Self::Denied(Denied::Malformed) => "this is not a token; check that it is complete",
            Self::Denied(Denied::Unknown) => "unknown token",
            Self::Denied(Denied::Revoked(_)) => "the token was revoked; ask for a new one",
            Self::Denied(Denied::Inactive(_)) => "the token is inactive",
            Self::Denied(Denied::Expired(_)) => "the token has expired; ask for a new one",
            Self::Denied(Denied::OwnerInactive(_)) => {
                "the user or organization of the token is inactive"
            }
            Self::Denied(Denied::Forbidden(_)) => "the token does not allow this",
            Self::Unauthenticated => "authenticate first: AUTH TOKEN",
            Self::Syntax => "expected AUTH TOKEN, WRITE TABLE KEY VALUE, READ TABLE KEY or QUIT",
            Self::Missing => "the table has no such key",
            Self::Full => "the server has no room for another value",
            Self::TooLong => "the line is too long",
            Self::Timeout => "no line was received in time",
            Self::Busy => "too many connections; try again later",
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("OK"),
            Self::Value(value) => write!(f, "OK {value}"),
            Self::Refused(refusal) => write!(f, "ERR {} {}", refusal.reason(), refusal.advice()),
        }
    }
}

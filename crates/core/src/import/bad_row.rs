//! What is wrong with a row, and where it stands.

use std::fmt;
use std::io;

use crate::error::Error;
use crate::id::Id;

/// One of the lists of an import file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ImportList {
    /// `orgs`.
    Organizations,
    /// `users`.
    Users,
    /// `buckets`.
    Buckets,
    /// `authorizations`.
    Authorizations,
    /// The list without a name that `influx auth list --json` prints.
    Unnamed,
}

impl ImportList {
    pub(super) const NAMED: [Self; 4] = [
        Self::Organizations,
        Self::Users,
        Self::Buckets,
        Self::Authorizations,
    ];

    /// The key under which it stands.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Organizations => "orgs",
            Self::Users => "users",
            Self::Buckets => "buckets",
            Self::Authorizations => "authorizations",
            Self::Unnamed => "",
        }
    }
}

/// Where a row stands: its list, and its index in it, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowPosition {
    /// The list.
    pub list: ImportList,
    /// The index.
    pub index: usize,
}

impl fmt::Display for RowPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.list.key(), self.index)
    }
}

/// A row that cannot be taken. It holds nothing of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Where it stands.
    pub place: RowPosition,
    /// Its id, if it has one.
    pub id: Option<Id>,
    /// Why it cannot be taken.
    pub reason: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if let Some(id) = self.id {
            write!(f, " (id {id})")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Why an import file is refused as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It cannot be read.
    #[error("the input cannot be read")]
    Read(#[source] io::Error),
    /// It is no JSON; the text names line and column.
    #[error("the input is no JSON: {0}")]
    Syntax(String),
    /// It is JSON, but something else.
    #[error(
        "the input is not what InfluxDB writes: {0}; it is an object with `orgs`, `users`, `buckets` or \
         `authorizations`, each an array, or the array that `influx auth list --json` prints"
    )]
    Form(String),
}

/// Why a row is not taken: it is bad, or everything stops.
#[derive(Debug)]
pub(super) enum Refusal {
    Row(String),
    Stop(Error),
}

impl Refusal {
    pub(super) fn row(reason: &str) -> Self {
        Self::Row(reason.into())
    }

    /// Tells a bad row from what stops everything.
    pub(super) fn of<T>(result: Result<T, Self>) -> Result<Result<T, String>, Error> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(Self::Row(reason)) => Ok(Err(reason)),
            Err(Self::Stop(error)) => Err(error),
        }
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Row(reason)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(_) | Error::Journal(_) | Error::Random | Error::Contended => {
                Self::Stop(error)
            }
            error => Self::Row(error.to_string()),
        }
    }
}

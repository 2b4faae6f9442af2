//! Errors of an import: invalid rows with their position, and files that are refused.

use std::fmt;
use std::io;

use crate::admin_error::AdminError;
use crate::id::Id;

/// A list of an import file.
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
    /// The list without a key, as printed by `influx auth list --json`.
    Unnamed,
}

impl ImportList {
    pub(super) const NAMED: [Self; 4] =
        [Self::Organizations, Self::Users, Self::Buckets, Self::Authorizations];

    /// Returns the key of the list.
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

/// The position of a row: its list and its index, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowPosition {
    /// List that contains the row.
    pub list: ImportList,
    /// Index in the list.
    pub index: usize,
}

impl fmt::Display for RowPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.list.key(), self.index)
    }
}

/// A row that cannot be imported. It contains no part of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Position of the row.
    pub place: RowPosition,
    /// Id of the row, if it has one.
    pub id: Option<Id>,
    /// Reason why the row is invalid.
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

/// The reason why an import file was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Reading the input failed.
    #[error("cannot read the input")]
    Read(#[source] io::Error),
    /// The input is not JSON. The text names line and column.
    #[error("the input is not valid JSON: {0}")]
    Syntax(String),
    /// The input is JSON of another form.
    #[error(
        "the input is not an import file: {0}; expected an object with `orgs`, `users`, \
         `buckets` or `authorizations`, each an array, or an array of \
         authorizations alone"
    )]
    Form(String),
}

/// The reason why a row is not imported: the row is invalid, or the import fails.
#[derive(Debug)]
pub(super) enum Refusal {
    Row(String),
    Stop(AdminError),
}

impl Refusal {
    pub(super) fn row(reason: &str) -> Self {
        Self::Row(reason.into())
    }

    /// Separates invalid rows from errors that stop the import.
    pub(super) fn of<T>(result: Result<T, Self>) -> Result<Result<T, String>, AdminError> {
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

impl From<AdminError> for Refusal {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Store(_)
            | AdminError::Journal(_)
            | AdminError::Random(_)
            | AdminError::Contended => Self::Stop(error),
            error => Self::Row(error.to_string()),
        }
    }
}

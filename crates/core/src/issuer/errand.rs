//! Who asks for what: what the journal notes of a change.

use super::caller::Caller;
use crate::error::Error;
use crate::id::Id;
use crate::journal::{Act, By};
use crate::record::{Kind, RecordKey};

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Errand {
    pub(super) by: By,
    pub(super) act: Act,
    /// About which record, if one is named.
    pub(super) on: Option<RecordKey>,
}

impl Errand {
    pub(super) fn new(caller: &Caller, act: Act) -> Self {
        let by = match caller {
            Caller::Root => By::Root,
            Caller::Authorization(id) => By::Authorization(*id),
            Caller::User(id) => By::User(*id),
        };
        Self { by, act, on: None }
    }

    /// The same, about this record.
    pub(super) fn on(self, kind: Kind, id: Id) -> Self {
        let on = Some(RecordKey::new(kind, id));
        Self { on, ..self }
    }

    /// Whether `error` is a refusal that belongs into the journal: to somebody other than the program itself, which may
    /// do everything. What is not found may be somebody else's.
    pub(super) fn is_denied(&self, error: &Error) -> bool {
        let refusal = matches!(
            error,
            Error::Forbidden(_) | Error::Exceeds(_) | Error::Caller(_) | Error::NotFound(_)
        );
        refusal && self.by != By::Root
    }
}

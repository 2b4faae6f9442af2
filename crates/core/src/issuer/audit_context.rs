//! Who asks for what: what the journal notes of a change.

use super::caller::Caller;
use crate::error::Error;
use crate::id::Id;
use crate::journal::{Actor, Operation};
use crate::record::{Kind, RecordKey};

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct AuditContext {
    pub(super) actor: Actor,
    pub(super) operation: Operation,
    /// About which record, if one is named.
    pub(super) on: Option<RecordKey>,
}

impl AuditContext {
    pub(super) fn new(caller: &Caller, operation: Operation) -> Self {
        let actor = match caller {
            Caller::Root => Actor::Root,
            Caller::Authorization(id) => Actor::Authorization(*id),
            Caller::User(id) => Actor::User(*id),
        };
        Self {
            actor,
            operation,
            on: None,
        }
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
        refusal && self.actor != Actor::Root
    }
}

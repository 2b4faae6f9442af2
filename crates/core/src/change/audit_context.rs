//! Context of a change for the journal.

use crate::admin_error::AdminError;
use crate::caller::Caller;
use crate::id::Id;
use crate::journal::{Actor, Operation};
use crate::record::{Kind, RecordKey};

/// The caller, the operation and the record of a change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AuditContext {
    pub(crate) actor: Actor,
    pub(crate) operation: Operation,
    /// The record, if the caller names one.
    pub(crate) on: Option<RecordKey>,
}

impl AuditContext {
    pub(crate) fn new(caller: &Caller, operation: Operation) -> Self {
        let actor = match caller {
            Caller::Root => Actor::Root,
            Caller::Authorization(bearer) => Actor::Authorization(bearer.id()),
            Caller::User(user) => Actor::User(user.id()),
        };
        Self { actor, operation, on: None }
    }

    /// Returns the same context for this record.
    pub(crate) fn on(self, kind: Kind, id: Id) -> Self {
        let on = Some(RecordKey::new(kind, id));
        Self { on, ..self }
    }

    /// Returns true if `error` is a denial that belongs in the journal. The embedding program may
    /// do everything, so none of its errors are. `NotFound` counts, because the record may exist
    /// and be hidden from the caller.
    pub(crate) fn is_denied(&self, error: &AdminError) -> bool {
        let refusal = matches!(
            error,
            AdminError::Forbidden(_)
                | AdminError::Exceeds(_)
                | AdminError::Caller(_)
                | AdminError::NotFound(_)
        );
        refusal && self.actor != Actor::Root
    }
}

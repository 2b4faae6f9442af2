//! Options of an engine.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::integrity::IntegrityCallback;
use crate::journal::Journal;
use crate::rollback::UnjournaledStore;
use crate::schema::Schema;
use crate::time::Timestamp;
use crate::token::Prefix;

/// Options for opening an engine.
#[derive(Clone)]
pub struct Options {
    /// The actions and resource types of the server.
    pub schema: Schema,
    /// Time for which checks may rely on the index while the store cannot be reached; 10 s by
    /// default. After it they return [`Denied::Unavailable`](crate::Denied::Unavailable).
    pub max_staleness: Duration,
    /// Time for which revoked and deleted records are kept before
    /// [`Maintenance::purge`](crate::Maintenance::purge) removes them; 30 days by default.
    pub retention: Duration,
    /// Prefix of new tokens. Only used when the store is created.
    pub prefix: Prefix,
    /// Source of the time.
    pub clock: Arc<dyn Clock>,
    /// Callback invoked for each record that fails verification.
    pub report: Option<IntegrityCallback>,
    /// Append-only journal of all changes. Without one, restoring a backup reactivates the tokens
    /// that were revoked after it.
    pub journal: Option<Arc<dyn Journal>>,
    /// Action for a store that is not new while the journal is empty.
    pub unjournaled_store: UnjournaledStore,
    /// Action of [`Engine::create`](crate::Engine::create) if the store is empty although the
    /// journal records changes.
    pub if_store_missing: IfStoreMissing,
    /// Revokes all authorizations and sessions that were created before this time, before the first
    /// check.
    pub revoke_created_before: Option<Timestamp>,
}

impl Options {
    /// Returns the defaults with this schema.
    pub fn new(schema: Schema) -> Self {
        Self {
            schema,
            max_staleness: Duration::from_secs(10),
            retention: Duration::from_secs(30 * 24 * 60 * 60),
            prefix: Prefix::default(),
            clock: Arc::new(SystemClock::default()),
            report: None,
            journal: None,
            unjournaled_store: UnjournaledStore::default(),
            if_store_missing: IfStoreMissing::default(),
            revoke_created_before: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("max_staleness", &self.max_staleness)
            .field("retention", &self.retention)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Action for an empty store whose journal records changes: the volume of the store may not be
/// mounted, or its file may have been deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfStoreMissing {
    /// Fail with [`OpenError::StoreMissing`](crate::OpenError::StoreMissing), so that the operator
    /// looks for the store.
    #[default]
    Refuse,
    /// Create a new store that continues the journal. The previous store is refused from now on.
    Create,
}

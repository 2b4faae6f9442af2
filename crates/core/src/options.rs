//! Options of an engine.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::engine_state::IntegrityCallback;
use crate::journal::Journal;
use crate::rollback::UnjournaledStore;
use crate::schema::Schema;
use crate::time::Timestamp;
use crate::token::Prefix;

/// What can be chosen when an engine is opened.
#[derive(Clone)]
pub struct Options {
    /// The actions and resource types of the server.
    pub schema: Schema,
    /// How long checks may rely on what is known while the store cannot be reached. 10 s unless changed.
    pub max_staleness: Duration,
    /// How long what was revoked or deleted is kept before [`Issuer::purge`](crate::Issuer::purge) forgets it. 30 days unless changed.
    pub retention: Duration,
    /// What new tokens start with. It counts only when the store is made.
    pub prefix: Prefix,
    /// Where the time is read.
    pub clock: Arc<dyn Clock>,
    /// Called with every record that is not as it should be.
    pub report: Option<IntegrityCallback>,
    /// Where it is noted what is done, and so what has ended. Without one, what was revoked since a backup works again
    /// once the backup is restored.
    pub journal: Option<Arc<dyn Journal>>,
    /// What to do with a store that is not new, of which the journal knows nothing.
    pub unjournaled_store: UnjournaledStore,
    /// What [`Engine::create`](crate::Engine::create) does if the store is empty although the journal records changes.
    pub if_store_missing: IfStoreMissing,
    /// All authorizations that were made before this time are revoked before the first check.
    pub revoke_created_before: Option<Timestamp>,
}

impl Options {
    /// The defaults, with this schema.
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

/// What to do with an empty store whose journal records changes: the volume of the store may not be
/// mounted, or its file was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfStoreMissing {
    /// Refuse with [`Error::StoreMissing`](crate::Error::StoreMissing), so that the store is looked for.
    #[default]
    Refuse,
    /// Create a new store, which takes over the journal. The store that it knew until then is refused
    /// from now on.
    Create,
}

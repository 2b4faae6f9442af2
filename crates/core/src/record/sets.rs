//! Permission sets that were read before: a store has the same ones again and again.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::bytes::Reader;
use super::seal::IntegrityError;
use crate::permission::PermissionSet;

/// Sets by the bytes that they were read from. A set has one spelling, and stands last in a body.
#[derive(Debug, Default)]
pub(crate) struct KnownSets {
    known: HashMap<Box<[u8]>, Arc<PermissionSet>, RandomState>,
    last: Arc<PermissionSet>,
}

/// Sets beyond these, and longer ones, are read each time.
const MAX_CACHED_SETS: usize = 1024;
const LONGEST: usize = 2048;

impl KnownSets {
    /// The set of the authorization that was read last.
    pub(crate) fn last(&self) -> Arc<PermissionSet> {
        Arc::clone(&self.last)
    }

    /// Takes the set that the rest of a body says. `read` is asked if it is not known.
    pub(super) fn take(
        &mut self,
        r: &mut Reader<'_>,
        read: impl FnOnce(&mut Reader<'_>) -> Result<PermissionSet, IntegrityError>,
    ) -> Result<(), IntegrityError> {
        let bytes = r.0;
        if let Some(known) = self.known.get(bytes) {
            r.0 = &[];
            self.last = Arc::clone(known);
            return Ok(());
        }
        self.last = Arc::new(read(r)?);
        if r.0.is_empty() && self.known.len() < MAX_CACHED_SETS && bytes.len() <= LONGEST {
            self.known.insert(bytes.into(), self.last());
        }
        Ok(())
    }
}

//! A cache of decoded permission sets: most authorizations of a store share a few sets.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::bytes::Reader;
use super::integrity_error::IntegrityError;
use crate::permission::PermissionSet;

/// Permission sets by the bytes that they were decoded from. A set has exactly one encoding and is
/// the last field of a body.
#[derive(Debug, Default)]
pub(crate) struct KnownSets {
    known: HashMap<Box<[u8]>, Arc<PermissionSet>, RandomState>,
    last: Arc<PermissionSet>,
}

/// Maximum number of cached sets. Further sets, and long ones, are decoded each time.
const MAX_CACHED_SETS: usize = 1024;
const LONGEST: usize = 2048;

impl KnownSets {
    /// Returns the permission set of the authorization that was read last.
    pub(crate) fn last(&self) -> Arc<PermissionSet> {
        Arc::clone(&self.last)
    }

    /// Consumes the rest of a body, which is a permission set. Calls `read` if the set is not
    /// cached.
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

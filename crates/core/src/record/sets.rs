//! Permission sets that were read before: a page of records has the same few again and again.

use std::collections::HashMap;

use super::bytes::Reader;
use super::seal::RecordError;
use crate::permission::PermissionSet;

/// Sets by the bytes that they were read from. A set has one spelling, and stands last in a body.
#[derive(Debug, Default)]
pub(crate) struct KnownSets(HashMap<Box<[u8]>, PermissionSet>);

/// Sets beyond these, and longer ones, are read each time.
const KEPT: usize = 256;
const LONGEST: usize = 2048;

impl KnownSets {
    /// The set that the rest of a body says. `read` is asked if it is not known.
    pub(super) fn read(
        &mut self,
        r: &mut Reader<'_>,
        read: impl FnOnce(&mut Reader<'_>) -> Result<PermissionSet, RecordError>,
    ) -> Result<PermissionSet, RecordError> {
        let bytes = r.0;
        if let Some(known) = self.0.get(bytes) {
            r.0 = &[];
            return Ok(known.clone());
        }
        let set = read(r)?;
        if r.0.is_empty() && self.0.len() < KEPT && bytes.len() <= LONGEST {
            self.0.insert(bytes.into(), set.clone());
        }
        Ok(set)
    }
}

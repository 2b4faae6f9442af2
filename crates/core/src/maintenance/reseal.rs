//! Sealing records again under another key.

use super::Maintenance;
use crate::admin_error::AdminError;
use crate::caller::Caller;
use crate::change::{AuditContext, Transaction};
use crate::journal::Operation;
use crate::record::{RecordKey, SETTINGS};
use crate::store::{Cursor, ScannedPages};

const PAGE: usize = 2000;

impl Maintenance {
    /// Seals every record under the current secret of the key with which the engine was opened.
    /// Afterwards [`StoreKey::retired`](crate::StoreKey::retired) can replace that key. Returns the
    /// number of records written, and calls `progress` with it after each commit. It can be
    /// interrupted and called again.
    ///
    /// Tampered records are left as they are, and reported as faults.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`] or [`AdminError::Journal`]; records sealed before stay so.
    pub fn reseal(&self, progress: &mut dyn FnMut(usize)) -> Result<usize, AdminError> {
        self.changes.name_keys()?;
        let mut count = 0;
        for page in ScannedPages::new(&*self.changes.shared.store, Cursor::start(), PAGE) {
            let page = page?;
            let due: Vec<RecordKey> = page
                .items
                .iter()
                .filter(|stored| !self.changes.shared.sealer.is_current(&stored.record))
                .map(|stored| stored.record.key)
                .collect();
            for chunk in due.chunks(self.changes.chunk()) {
                count += self.reseal_all(chunk)?;
                progress(count);
            }
        }
        Ok(count)
    }

    fn reseal_all(&self, keys: &[RecordKey]) -> Result<usize, AdminError> {
        let audit_context = AuditContext::new(&Caller::Root, Operation::Reseal);
        self.changes.change(audit_context, |change| {
            let each = keys.iter().map(|key| reseal(change, *key));
            each.sum::<Result<usize, AdminError>>()
        })
    }
}

fn reseal(change: &mut Transaction<'_>, key: RecordKey) -> Result<usize, AdminError> {
    match change.reseal(key) {
        Ok(written) => Ok(written.into()),
        Err(AdminError::Tampered(_)) if key != SETTINGS => Ok(0),
        Err(error) => Err(error),
    }
}

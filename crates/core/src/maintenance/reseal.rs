//! Sealing records again under another key.

use super::Maintenance;
use crate::admin_error::AdminError;
use crate::caller::Caller;
use crate::change::{AuditContext, Transaction};
use crate::journal::Operation;
use crate::record::{RecordKey, SETTINGS};
use crate::store::Cursor;

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
        let mut cursor = Cursor::start();
        loop {
            let page = self.changes.shared.store.scan(&cursor, PAGE)?;
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
            if page.end.is_some() {
                return Ok(count);
            }
            cursor = page.next;
        }
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

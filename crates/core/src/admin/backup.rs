//! Backing up the whole store for a caller.

use std::io::Write;

use super::Admin;
use crate::admin_error::AdminError;
use crate::backup::{self, BackupError, Summary};
use crate::change::AuditContext;
use crate::journal::{Intent, Operation, Outcome};
use crate::permission::Request;
use crate::schema::Schema;

impl Admin {
    /// Writes a backup of the whole store for the caller, who needs the permissions of an operator.
    /// The journal records the backup before its first byte is written, and afterwards its revision
    /// or its failure. `progress` is called now and then with the number of records written.
    /// [`backup::write()`] does the same without a caller.
    ///
    /// # Errors
    ///
    /// [`BackupError::Admin`] with [`AdminError::Forbidden`] or [`AdminError::Caller`] if the
    /// caller may not, or with [`AdminError::Journal`] if the journal cannot be written; otherwise
    /// those of [`backup::write()`].
    pub fn backup(
        &self,
        out: impl Write,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Summary, BackupError> {
        let audit_context = AuditContext::new(&self.caller, Operation::Backup);
        self.change(Operation::Backup, |_, authorized| {
            let all = Schema::influxdb_operator();
            let mut all = all.iter();
            all.try_for_each(|one| authorized.must(&Request::new(one.action, one.resource.kind)))
        })?;
        let intent = Intent {
            actor: audit_context.actor,
            operation: audit_context.operation,
            writes: Vec::new(),
            ends: Vec::new(),
        };
        let recorder = &self.changes.shared.recorder;
        let number = recorder.record_intents(&[intent]).map_err(AdminError::from)?;
        let written = backup::write(&*self.changes.shared.store, out, progress);
        let outcome = written
            .as_ref()
            .map_or(Outcome::Failed, |summary| Outcome::Done { revision: summary.head.0 });
        recorder.journal_outcomes(number.map(|of| (of, outcome)).as_slice());
        written
    }
}

//! Copying the whole store on somebody's behalf.

use std::io::Write;

use super::{Caller, Errand, Issuer};
use crate::backup::{self, BackupError, Summary};
use crate::error::Error;
use crate::journal::{Act, Fate, Intent};
use crate::permission::Request;
use crate::schema::Schema;

impl Issuer {
    /// Writes a backup of the whole store for `caller`, who must hold all that an operator does. The journal has its line
    /// before the first byte is written, and says afterwards at which commit the backup is, or that it broke off.
    /// `progress` is told now and then how many records were written. See [`backup::write()`] for one without a caller.
    ///
    /// # Errors
    ///
    /// [`BackupError::Engine`] with [`Error::Forbidden`] or [`Error::Caller`] for whoever may not, with [`Error::Journal`]
    /// if the journal cannot be written, and otherwise as [`backup::write()`].
    pub fn back_up(
        &self,
        caller: &Caller,
        out: impl Write,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Summary, BackupError> {
        let errand = Errand::new(caller, Act::Backup);
        self.change(errand, |change| {
            let holder = caller.hold(change)?;
            let all = Schema::influxdb_operator();
            let mut all = all.iter();
            all.try_for_each(|one| holder.must(&Request::new(one.action, one.resource.kind)))
        })?;
        let intent = Intent {
            by: errand.by,
            act: errand.act,
            writes: Vec::new(),
            ends: Vec::new(),
        };
        let recorder = &self.shared.recorder;
        let number = recorder.intend(&[intent]).map_err(Error::from)?;
        let written = backup::write(&*self.shared.store, out, progress);
        let fate = written.as_ref().map_or(Fate::Failed, |summary| Fate::Done {
            revision: summary.head.0,
        });
        recorder.conclude(number.map(|of| (of, fate)).as_slice());
        written
    }
}

//! State of the set-up of a store.
//!
//! Set-up over a network is open only until the first change of a store. The sealed settings record
//! that change. They can be replaced by an older copy of themselves, so the other records and the
//! journal must agree.

use super::Changes;
use super::transaction::Transaction;
use crate::admin_error::AdminError;
use crate::journal::Operation;
use crate::record::{Entity, SET_UP, SETTINGS, SetupState};
use crate::store::{Cursor, ScannedPages};

/// Callers that may set up a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetupStatus {
    /// Callers without the key, too: the store was never written to.
    Open,
    /// Only the holder of the key.
    KeyHolder,
    /// No caller: the store was set up.
    Done,
}

impl Changes {
    /// Returns true if the store was set up.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`], [`AdminError::Settings`], or [`AdminError::Journal`] if the journal
    /// cannot be read. It is read unless the store says that it was set up.
    pub(crate) fn is_set_up(&self) -> Result<bool, AdminError> {
        let status = Transaction::new(&self.shared).setup_status()?;
        Ok(status == SetupStatus::Done)
    }

    /// Returns true if a caller without the key may set the store up: it was never written to.
    ///
    /// # Errors
    ///
    /// Those of [`Changes::is_set_up`].
    pub(crate) fn is_setup_open(&self) -> Result<bool, AdminError> {
        if self.shared.is_setup_closed() {
            return Ok(false);
        }
        let status = Transaction::new(&self.shared).setup_status()?;
        if status != SetupStatus::Open {
            self.shared.close_setup();
        }
        Ok(status == SetupStatus::Open)
    }
}

impl Transaction<'_> {
    /// Returns who may set up the store. The settings, the records and the journal must agree.
    pub(crate) fn setup_status(&mut self) -> Result<SetupStatus, AdminError> {
        let state = self.settings()?.setup;
        if state == SetupState::Done || self.has_set_up_record()? {
            return Ok(SetupStatus::Done);
        }
        let store = self.shared.sealer.store().to_string();
        let recorded = self.shared.recorder.changes(&store)?;
        if recorded.set_up {
            return Ok(SetupStatus::Done);
        }
        let open = state <= SetupState::Open && !recorded.any && !self.holds_records()?;
        Ok(if open { SetupStatus::Open } else { SetupStatus::KeyHolder })
    }

    /// Closes set-up for callers without the key, in the commit of the first change of the store.
    ///
    /// Without settings, set-up is not open anyway.
    pub(super) fn close_setup(&mut self, operation: Operation) -> Result<(), AdminError> {
        let sets_up = self.plans(SET_UP);
        // Sealing records again does not change their contents, and writes the settings itself.
        if operation == Operation::Reseal || self.shared.is_setup_closed() && !sets_up {
            return Ok(());
        }
        let mut settings = match self.settings() {
            Err(AdminError::Settings) => return Ok(()),
            settings => settings?,
        };
        let state = if sets_up { SetupState::Done } else { SetupState::Closed };
        if settings.setup < state {
            settings.setup = state;
            self.put(Entity::Settings(settings))?;
        }
        Ok(())
    }

    /// Returns true if the store has a record of its set-up, tampered or not.
    pub(crate) fn has_set_up_record(&mut self) -> Result<bool, AdminError> {
        Ok(self.read(SET_UP)?.is_some())
    }

    fn holds_records(&self) -> Result<bool, AdminError> {
        for page in ScannedPages::new(&*self.shared.store, Cursor::start(), 2) {
            if page?.items.iter().any(|one| one.record.key != SETTINGS) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

//! Reading all records of a kind, page by page.

use super::Changes;
use crate::admin_error::AdminError;
use crate::record::{Entity, Kind, SET_UP, SetUp};
use crate::store::{FoundPages, Query};

const PAGE: usize = 500;

impl Changes {
    /// Calls `visit` with each record of a kind, ordered by id; with none for a tampered record,
    /// which is reported as a fault.
    pub(crate) fn entities<E: From<AdminError>>(
        &self,
        kind: Kind,
        mut visit: impl FnMut(Option<Entity>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut pages = FoundPages::new(Query { limit: PAGE, ..Query::all(kind) });
        while let Some(page) = pages.next_page(&*self.shared.store).map_err(AdminError::from)? {
            for stored in &page {
                visit(self.open_or_report(&stored.record))?;
            }
        }
        Ok(())
    }

    /// Returns the record of the set-up, if the store was set up.
    pub(crate) fn set_up_time(&self) -> Result<Option<SetUp>, AdminError> {
        let stored = self.shared.store.get(&SET_UP)?;
        let opened = stored.and_then(|stored| self.open_or_report(&stored.record));
        Ok(opened.and_then(|entity| match entity {
            Entity::SetUp(set_up) => Some(set_up),
            _ => None,
        }))
    }
}

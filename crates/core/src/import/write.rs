//! Writes the new entities of a plan in commits of moderate size.

use super::ImportList;
use super::plan::{Counts, Plan};
use crate::admin_error::AdminError;
use crate::field::Field;
use crate::invalid_value::InvalidValue;
use crate::maintenance::{IfRevoked, ImportItem, ImportReport, Maintenance};
use crate::token::MalformedToken;

/// Maximum number of entities per commit: large enough that the sync is a small part of the cost,
/// small enough that other writers do not wait long.
const CHUNK: usize = 1000;

impl Plan {
    /// Writes the new entities, owners first, and returns their numbers. Calls `progress` after
    /// each commit with the number of entities so far. Each commit is atomic. After an error,
    /// planning and writing the same file again continues where this call stopped.
    ///
    /// # Errors
    ///
    /// The same as those of [`Maintenance::import`].
    pub fn write(
        self,
        maintenance: &Maintenance,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Counts, AdminError> {
        let mut done = Counts::default();
        // The first commit of a store also writes its settings.
        let chunk = maintenance.limits().writes.saturating_sub(1).clamp(1, CHUNK);
        // Written first, so that the store is never open to another set-up.
        if let Some(set_up) = &self.set_up {
            maintenance.import(std::slice::from_ref(set_up))?;
        }
        let lists = [ImportList::Organizations, ImportList::Users, ImportList::Buckets];
        for (list, items) in lists.into_iter().zip(&self.items) {
            for items in items.chunks(chunk) {
                *done.of(list) += commit(maintenance, items, self.if_revoked)?.new;
                progress(done.total());
            }
        }
        let mut rows = self.rows.into_iter();
        loop {
            let next = rows.by_ref().take(chunk);
            let items = next.map(|ready| ready.item(maintenance.prefix(), &self.sets, self.now));
            let items = items.collect::<Result<Vec<_>, _>>();
            // The prefix is the one that the rows were checked with.
            let wrong = |error: MalformedToken| {
                AdminError::Invalid(Field::Token, InvalidValue::Malformed(error))
            };
            let items = items.map_err(wrong)?;
            if items.is_empty() {
                return Ok(done);
            }
            done.authorizations += commit(maintenance, &items, self.if_revoked)?.new;
            progress(done.total());
        }
    }
}

/// Writes `items` in one commit, or in several if they are too large.
fn commit(
    maintenance: &Maintenance,
    items: &[ImportItem],
    if_revoked: IfRevoked,
) -> Result<ImportReport, AdminError> {
    match maintenance.import_with(items, if_revoked) {
        Err(AdminError::TooLarge) if items.len() > 1 => {
            let (first, second) = items.split_at(items.len() / 2);
            let first = commit(maintenance, first, if_revoked)?;
            let second = commit(maintenance, second, if_revoked)?;
            Ok(ImportReport { new: first.new + second.new, known: first.known + second.known })
        }
        imported => imported,
    }
}

//! Writing what is new, in commits as large as the store takes well.

use super::ImportList;
use super::plan::{Counts, Plan};
use crate::error::{Error, Field};
use crate::issuer::{IfRevoked, ImportItem, ImportReport, Issuer};
use crate::token::MalformedToken;

/// Items in one commit: enough that its sync costs little, few enough that others wait briefly.
const CHUNK: usize = 1000;

impl Plan {
    /// Writes all that is new, owners first. Each commit is all or nothing; after an error the same file can be read
    /// and written again, and goes on where this one stopped. Returns what was written; `progress` is told how many
    /// items, after each commit.
    ///
    /// # Errors
    ///
    /// As [`Issuer::import`].
    pub fn write(self, issuer: &Issuer, progress: &mut dyn FnMut(usize)) -> Result<Counts, Error> {
        let mut done = Counts::default();
        // The first commit of a store also writes its settings.
        let chunk = issuer.limits().writes.saturating_sub(1).clamp(1, CHUNK);
        // First, so that the store is never open to another set-up meanwhile.
        if let Some(set_up) = &self.set_up {
            issuer.import(std::slice::from_ref(set_up))?;
        }
        let lists = [
            ImportList::Organizations,
            ImportList::Users,
            ImportList::Buckets,
        ];
        for (list, items) in lists.into_iter().zip(&self.items) {
            for items in items.chunks(chunk) {
                *done.of(list) += commit(issuer, items, self.if_revoked)?.new;
                progress(done.total());
            }
        }
        let mut rows = self.rows.into_iter();
        loop {
            let next = rows.by_ref().take(chunk);
            let items = next.map(|ready| ready.item(issuer.prefix(), &self.sets, self.now));
            let items = items.collect::<Result<Vec<_>, _>>();
            // The store has the same prefix as when the rows were looked at.
            let wrong = |error: MalformedToken| Error::Invalid(Field::Token, format!("is {error}"));
            let items = items.map_err(wrong)?;
            if items.is_empty() {
                return Ok(done);
            }
            done.authorizations += commit(issuer, &items, self.if_revoked)?.new;
            progress(done.total());
        }
    }
}

/// Writes `items` in one commit, or in as many as their sizes need.
fn commit(
    issuer: &Issuer,
    items: &[ImportItem],
    if_revoked: IfRevoked,
) -> Result<ImportReport, Error> {
    match issuer.import_with(items, if_revoked) {
        Err(Error::TooLarge) if items.len() > 1 => {
            let (first, second) = items.split_at(items.len() / 2);
            let first = commit(issuer, first, if_revoked)?;
            let second = commit(issuer, second, if_revoked)?;
            Ok(ImportReport {
                new: first.new + second.new,
                known: first.known + second.known,
            })
        }
        imported => imported,
    }
}

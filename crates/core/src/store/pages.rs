//! Reading a store page by page.

use super::{Cursor, Page, Query, StoreError, Stored, TokenStore};

/// Pages of [`TokenStore::find`], ordered by id. After an error there are no more.
#[derive(Debug)]
pub(crate) struct FoundPages {
    next: Option<Query>,
}

impl FoundPages {
    /// Reads what `query` finds; its limit is the size of a page.
    pub(crate) fn new(query: Query) -> Self {
        Self { next: Some(query) }
    }

    /// Returns the next records; none if there are no more.
    pub(crate) fn next_page(
        &mut self,
        store: &dyn TokenStore,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let Some(mut query) = self.next.take() else {
            return Ok(None);
        };
        let page = store.find(&query)?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        if page.len() >= query.limit {
            query.after = Some(last.record.key.id);
            self.next = Some(query);
        }
        Ok(Some(page))
    }

    /// Doubles the size of the following pages up to `maximum`.
    pub(crate) fn grow(&mut self, maximum: usize) {
        if let Some(query) = &mut self.next {
            query.limit = query.limit.saturating_mul(2).min(maximum);
        }
    }
}

/// Pages of [`TokenStore::scan`] up to the end of the store. After an error there are no more.
#[derive(Debug)]
pub(crate) struct ScannedPages<'s> {
    store: &'s dyn TokenStore,
    next: Option<Cursor>,
    size: usize,
}

impl<'s> ScannedPages<'s> {
    /// Reads from `cursor` on, `size` records at once.
    pub(crate) fn new(store: &'s dyn TokenStore, cursor: Cursor, size: usize) -> Self {
        Self { store, next: Some(cursor), size }
    }
}

impl Iterator for ScannedPages<'_> {
    type Item = Result<Page, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let page = self.store.scan(&self.next.take()?, self.size);
        if let Ok(page) = &page
            && page.end.is_none()
        {
            self.next = Some(page.next.clone());
        }
        Some(page)
    }
}

//! Lists that are read page by page.

use std::fmt;
use std::vec;

use super::{Admin, Authorized};
use crate::admin_error::AdminError;
use crate::change::Transaction;
use crate::id::Id;
use crate::record::{Entity, Kind};
use crate::store::{FoundPages, Query, Stored};

/// Part of a list; fields that are none do not limit it. To read a list in parts of a chosen size,
/// set `limit`, and `after` to the last id of the part before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListOptions {
    /// Only ids greater than this one.
    pub after: Option<Id>,
    /// Maximum number of results of the whole list.
    pub limit: Option<usize>,
}

impl ListOptions {
    pub(super) fn of(self, kind: Kind) -> Query {
        Query { after: self.after, ..Query::all(kind) }
    }
}

/// A list that is read from the store page by page, ordered by id.
///
/// It iterates over the results; [`List::next_page`] returns those of one page, and [`List::all`]
/// all of them. Each page is read with the rights that the caller has at that time. The list may
/// or may not contain changes that are made while it is read. After an error it ends.
///
/// ```
/// # use std::sync::Arc;
/// # use symbolon::{Engine, MemoryStore, Options, Schema, StoreKey};
/// # let options = Options::new(Schema::influxdb_v2());
/// # let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
/// use symbolon::{Caller, ListOptions, NewUser};
///
/// let root = engine.admin(Caller::Root);
/// let first = root.users().create(NewUser::named("anna"))?;
/// root.users().create(NewUser::named("ben"))?;
/// let options = ListOptions { after: Some(first.id), ..ListOptions::default() };
/// for user in root.users().list(options) {
///     assert_eq!(user?.name, "ben");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct List<T> {
    admin: Admin,
    state: State,
    /// Number of results that remain until the limit.
    left: usize,
    pick: Pick<T>,
    page: vec::IntoIter<T>,
}

/// Returns the result that a record contributes, if any.
type Pick<T> = Box<
    dyn Fn(&mut Transaction<'_>, &Authorized, Entity, &Stored) -> Result<Option<T>, AdminError>
        + Send
        + Sync,
>;

enum State {
    Next(FoundPages),
    /// Nothing can match, but the caller is not checked yet.
    Empty,
    /// The list could not be prepared.
    Failed(AdminError),
    Complete,
}

/// Maximum number of records that are read at once.
const PAGE: usize = 500;

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("admin", &self.admin).finish_non_exhaustive()
    }
}

impl<T> List<T> {
    /// Creates a list of the records that the query finds and `pick` accepts; without a query, an
    /// empty one.
    pub(super) fn new(
        admin: &Admin,
        query: Result<Option<Query>, AdminError>,
        limit: Option<usize>,
        pick: impl Fn(
            &mut Transaction<'_>,
            &Authorized,
            Entity,
            &Stored,
        ) -> Result<Option<T>, AdminError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let state = match query {
            Ok(Some(query)) => {
                let limit = limit.unwrap_or(PAGE).clamp(1, PAGE);
                State::Next(FoundPages::new(Query { limit, ..query }))
            }
            Ok(None) => State::Empty,
            Err(error) => State::Failed(error),
        };
        Self {
            admin: admin.clone(),
            state,
            left: limit.unwrap_or(usize::MAX),
            pick: Box::new(pick),
            page: Vec::new().into_iter(),
        }
    }

    /// Returns the next results, at most 500; none if the list is complete.
    ///
    /// # Errors
    ///
    /// [`AdminError::Caller`], [`AdminError::Store`].
    pub fn next_page(&mut self) -> Result<Option<Vec<T>>, AdminError> {
        if self.page.len() > 0 {
            return Ok(Some(std::mem::take(&mut self.page).collect()));
        }
        self.read_page()
    }

    /// Returns all results.
    ///
    /// # Errors
    ///
    /// [`AdminError::Caller`], [`AdminError::Store`].
    pub fn all(self) -> Result<Vec<T>, AdminError> {
        self.collect()
    }

    /// Reads until a page has a result.
    fn read_page(&mut self) -> Result<Option<Vec<T>>, AdminError> {
        let mut pages = match std::mem::replace(&mut self.state, State::Complete) {
            State::Next(pages) => pages,
            State::Empty => {
                self.admin.authorized()?;
                return Ok(None);
            }
            State::Failed(error) => return Err(error),
            State::Complete => return Ok(None),
        };
        loop {
            let mut change = Transaction::new(&self.admin.changes.shared);
            let authorized = Authorized::read(&self.admin.caller, &mut change)?;
            if self.left == 0 {
                return Ok(None);
            }
            let Some(records) = pages.next_page(&*self.admin.changes.shared.store)? else {
                return Ok(None);
            };
            let mut results = Vec::new();
            for stored in &records {
                if let Some(entity) = self.admin.changes.open_or_report(&stored.record) {
                    results.extend((self.pick)(&mut change, &authorized, entity, stored)?);
                }
            }
            results.truncate(self.left);
            if !results.is_empty() {
                self.left -= results.len();
                if self.left > 0 {
                    self.state = State::Next(pages);
                }
                return Ok(Some(results));
            }
            // The caller may see few of the records.
            pages.grow(PAGE);
        }
    }
}

impl<T> Iterator for List<T> {
    type Item = Result<T, AdminError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.len() == 0 {
            match self.read_page() {
                Ok(page) => self.page = page.unwrap_or_default().into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
        self.page.next().map(Ok)
    }
}

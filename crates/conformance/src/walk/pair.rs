//! Comparison of the store under test with the reference.

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};
use symbolon::record::{Kind, RecordKey};
use symbolon::store::{Cursor, End, Epoch, Query, Revision, Stored, TokenStore, Write};

use super::Reopening;
use super::model::{Model, Step};
use crate::fresh_store::FreshStore;
use crate::pages::{dump, keep_newest};
use crate::sample::Refusal;

type Compared = Result<(), TestCaseError>;

/// The store under test, and the state that the comparison needs.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    store: FreshStore<'a>,
    reopening: Reopening,
    epoch: Epoch,
    /// The store's own revision for each revision of the reference: only their order must agree.
    revisions: BTreeMap<Revision, Revision>,
    follower: Follower,
}

/// A follower that knows the store only from its pages.
#[derive(Debug, Default)]
struct Follower {
    cursor: Cursor,
    known: BTreeMap<RecordKey, Stored>,
}

impl<'a> Pair<'a> {
    pub(super) fn new(store: FreshStore<'a>, reopening: Reopening) -> Self {
        Self {
            epoch: dump(&*store).end.epoch,
            store,
            reopening,
            revisions: BTreeMap::from([(Revision::ABSENT, Revision::ABSENT)]),
            follower: Follower::default(),
        }
    }

    /// Repeats the step of the reference on the store and compares the results.
    pub(super) fn follow(mut self, model: &Model, step: &Step) -> Result<Self, TestCaseError> {
        match step {
            Step::Commit(_) => self.commit(model)?,
            Step::Touch(used) => self.store.touch(used).map_err(failed)?,
            Step::Get(key) => {
                let wanted = model.store.get(key).map_err(failed)?;
                let found = self.store.get(key).map_err(failed)?;
                prop_assert_eq!(found, wanted.map(|stored| self.translate(stored)));
            }
            Step::Find(query) => self.find(model, query)?,
            Step::Page(limit) => self.page(model, *limit)?,
            Step::CompareAll => self.compare_all(model)?,
            Step::Renew => {
                let epoch = self.store.renew().map_err(failed)?;
                prop_assert!(epoch != self.epoch, "{:?} was used before", epoch);
                self.epoch = epoch;
                self.compare_all(model)?;
            }
            Step::Reopen if self.reopening == Reopening::Never => {}
            Step::Reopen => {
                self.store = self.store.reopened();
                self.note_uses_again(model)?;
                self.compare_all(model)?;
            }
        }
        Ok(self)
    }

    /// Compares all records and the end of a scan.
    pub(super) fn compare_all(&self, model: &Model) -> Compared {
        let wanted = dump(&model.store);
        let found = dump(&*self.store);
        let translated = |(key, stored)| (key, self.translate(stored));
        let records: BTreeMap<_, _> = wanted.records.into_iter().map(translated).collect();
        prop_assert_eq!(found.records, records);
        self.compare_end(found.end, wanted.end)
    }

    fn compare_end(&self, found: End, wanted: End) -> Compared {
        let wanted =
            End { head: self.own(wanted.head), floor: self.own(wanted.floor), epoch: self.epoch };
        prop_assert_eq!(found, wanted);
        Ok(())
    }

    fn commit(&mut self, model: &Model) -> Compared {
        let writes: Vec<Write> = model.writes.iter().map(|write| self.own_write(write)).collect();
        let found = match self.store.commit(&writes) {
            Ok(revision) => Ok(revision),
            Err(error) => match Refusal::of(&error) {
                Some(refusal) => Err(refusal),
                None => return Err(failed(error)),
            },
        };
        if let (Some(Ok(wanted)), Ok(found)) = (model.committed, found) {
            let last = self.revisions.last_key_value();
            if last.is_none_or(|(last, _)| *last < wanted) {
                let greater = last.is_none_or(|(_, last)| *last < found);
                prop_assert!(greater, "revision {found:?} after {last:?}");
                self.revisions.insert(wanted, found);
            }
        }
        let wanted = model.committed.map(|wanted| wanted.map(|revision| self.own(revision)));
        prop_assert_eq!(Some(found), wanted, "committing {:?}", writes);
        Ok(())
    }

    fn find(&self, model: &Model, query: &Query) -> Compared {
        let wanted = model.store.find(query).map_err(failed)?;
        let wanted: Vec<Stored> = wanted.into_iter().map(|stored| self.translate(stored)).collect();
        let found = self.store.find(query).map_err(failed)?;
        prop_assert_eq!(found, wanted, "finding {:?}", query);
        Ok(())
    }

    /// Reads the next page. At the end of a scan, the follower has the newest version of each
    /// record.
    fn page(&mut self, model: &Model, limit: usize) -> Compared {
        let page = self.store.scan(&self.follower.cursor, limit).map_err(failed)?;
        prop_assert!(page.items.len() <= limit);
        self.follower.cursor = page.next;
        for item in page.items {
            keep_newest(&mut self.follower.known, item);
        }
        let Some(end) = page.end else { return Ok(()) };
        let wanted = dump(&model.store);
        self.compare_end(end, wanted.end)?;
        // A purge only raises the floor; a follower then reads everything again.
        self.follower.known.retain(|key, _| wanted.records.contains_key(key));
        for (key, stored) in wanted.records {
            let known = self.follower.known.get(&key).map(|known| (&known.record, known.revision));
            let wanted = (&stored.record, self.own(stored.revision));
            prop_assert_eq!(known, Some(wanted), "{:?} was missed", key);
        }
        Ok(())
    }

    /// Records the last uses again. Closing a store may lose last uses, but must not invent any.
    fn note_uses_again(&self, model: &Model) -> Compared {
        let wanted = dump(&model.store).records;
        for (key, found) in dump(&*self.store).records {
            let noted = wanted.get(&key).and_then(|stored| stored.last_used);
            prop_assert!(found.last_used <= noted, "{key:?} has an invented last use");
        }
        let tokens = wanted.iter().filter(|(key, _)| key.kind == Kind::AUTHORIZATION);
        let uses: Vec<_> =
            tokens.filter_map(|(key, stored)| Some((key.id, stored.last_used?))).collect();
        self.store.touch(&uses).map_err(failed)
    }

    fn own_write(&self, write: &Write) -> Write {
        let mut write = write.clone();
        let (Write::Put { expected, .. }
        | Write::Purge { expected, .. }
        | Write::Guard { expected, .. }) = &mut write;
        *expected = self.own(*expected);
        write
    }

    /// Returns the store's revision for one of the reference; revisions that never existed stay
    /// unchanged.
    fn own(&self, revision: Revision) -> Revision {
        self.revisions.get(&revision).copied().unwrap_or(revision)
    }

    fn translate(&self, stored: Stored) -> Stored {
        Stored { revision: self.own(stored.revision), ..stored }
    }
}

fn failed(error: impl Debug) -> TestCaseError {
    TestCaseError::fail(format!("the store failed: {error:?}"))
}

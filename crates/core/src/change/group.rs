//! Changes that share one commit.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::pending_change::{self, Answer, NotCommitted, PendingChange};
use crate::journal::{Operation, Outcome, Recorder};
use crate::record::RecordKey;
use crate::store::StoreError;
use crate::store::{Limits, Revision, TokenStore, Write};

/// Changes that can share a commit: no two write the same record, and guards of the same record
/// expect the same revision.
pub(super) struct CommitGroup {
    /// Changes without a result yet.
    pending_changes: Vec<Arc<PendingChange>>,
    all: Vec<Arc<PendingChange>>,
}

impl CommitGroup {
    /// Takes the changes that fit together from the front of `waiting`. A change that does not fit
    /// waits for the next group, and so do later changes of the same records, so that none
    /// overtakes it.
    pub(super) fn gather(waiting: &mut VecDeque<Arc<PendingChange>>, limits: &Limits) -> Self {
        let mut pending_changes: Vec<Arc<PendingChange>> = Vec::new();
        let mut left = VecDeque::new();
        let mut held: HashMap<RecordKey, Option<Revision>> = HashMap::new();
        let (mut writes, mut bytes) = (0, 0);
        for pending_change in waiting.drain(..) {
            let size: usize = pending_change.writes.iter().map(Write::size).sum();
            let fits = pending_changes.is_empty()
                || writes + pending_change.writes.len() <= limits.writes
                    && bytes + size <= limits.bytes;
            let free = pending_change.writes.iter().all(|write| match held.get(&write.key()) {
                None => true,
                Some(guarded) => guarded.is_some() && *guarded == guard(write),
            });
            let joins = fits && free;
            for write in pending_change.writes.iter() {
                // A later change must not share a record with a change that has to wait.
                held.insert(write.key(), guard(write).filter(|_| joins));
            }
            if joins {
                writes += pending_change.writes.len();
                bytes += size;
                pending_changes.push(pending_change);
            } else {
                left.push_back(pending_change);
            }
        }
        *waiting = left;
        let all = pending_changes.clone();
        Self { pending_changes, all }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Records the intents, commits, and records the outcomes. A change that fails alone gets its
    /// result, and the others are tried again without it.
    pub(super) fn commit(&mut self, store: &dyn TokenStore, recorder: &Recorder) {
        self.journal_intents(recorder);
        self.commit_all(store);
        self.journal_outcomes(recorder);
    }

    /// Records the intents. If that fails, only revocations are carried out.
    fn journal_intents(&mut self, recorder: &Recorder) {
        let intents =
            self.pending_changes.iter().filter_map(|pending_change| pending_change.intent.clone());
        match recorder.record_intents(&intents.collect::<Vec<_>>()) {
            Ok(None) => {}
            Ok(Some(first)) => {
                let with_intent = self
                    .pending_changes
                    .iter()
                    .filter(|pending_change| pending_change.intent.is_some());
                for (number, pending_change) in (first..).zip(with_intent) {
                    let _ = pending_change.number.set(number);
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                self.pending_changes.retain(|pending_change| {
                    let operation = pending_change.intent.as_ref().map(|intent| intent.operation);
                    let goes_on = operation.is_none_or(Operation::is_revocation);
                    if !goes_on {
                        pending_change.answer(Err(NotCommitted::Journal(Arc::clone(&error))));
                    }
                    goes_on
                });
            }
        }
    }

    fn commit_all(&mut self, store: &dyn TokenStore) {
        while !self.pending_changes.is_empty() {
            let (merged, origins) = self.merge();
            match store.commit(&merged) {
                Ok(revision) => return self.answer_all(&Ok(revision)),
                Err(StoreError::Conflict(at)) => self.fail(&origins, at, StoreError::Conflict),
                Err(StoreError::Duplicate(at)) => self.fail(&origins, at, StoreError::Duplicate),
                Err(StoreError::TooLarge) if self.pending_changes.len() > 1 => {
                    return self.commit_individually(store);
                }
                Err(error) => return self.answer_all(&Err(error.into())),
            }
        }
    }

    /// Returns all writes, with equal guards merged, and for each the indexes of its change and of
    /// the write in that change.
    fn merge(&self) -> (Arc<[Write]>, Vec<(usize, usize)>) {
        // A single change need not be copied.
        if let [only] = self.pending_changes.as_slice() {
            let origins = (0..only.writes.len()).map(|place| (0, place));
            return (Arc::clone(&only.writes), origins.collect());
        }
        let mut guards: HashMap<RecordKey, ()> = HashMap::new();
        let (mut merged, mut origins) = (Vec::new(), Vec::new());
        for (which, pending_change) in self.pending_changes.iter().enumerate() {
            for (place, write) in pending_change.writes.iter().enumerate() {
                if guard(write).is_some() && guards.insert(write.key(), ()).is_some() {
                    continue;
                }
                merged.push(write.clone());
                origins.push((which, place));
            }
        }
        (merged.into(), origins)
    }

    /// Answers the change that failed. Others with the same failing guard fail in a later attempt.
    fn fail(&mut self, origins: &[(usize, usize)], at: usize, error: fn(usize) -> StoreError) {
        match origins.get(at) {
            Some((which, place)) => {
                let pending_change = self.pending_changes.remove(*which);
                pending_change.answer(Err(error(*place).into()));
            }
            None => {
                let wrong = StoreError::Corrupt("the store reported a write out of range".into());
                self.answer_all(&Err(wrong.into()));
                self.pending_changes.clear();
            }
        }
    }

    /// Records the outcomes of the intents, including those that could not be recorded.
    fn journal_outcomes(&self, recorder: &Recorder) {
        let mut outcomes = Vec::new();
        for pending_change in &self.all {
            match (pending_change.number.get(), &pending_change.intent) {
                (Some(number), _) => outcomes.push((*number, pending_change.outcome())),
                (None, Some(intent)) if pending_change.outcome() != Outcome::Failed => {
                    recorder.record_unwritten(intent.clone(), pending_change.outcome());
                }
                (None, _) => {}
            }
        }
        recorder.journal_outcomes(&outcomes);
    }

    fn commit_individually(&self, store: &dyn TokenStore) {
        for pending_change in &self.pending_changes {
            pending_change.answer(store.commit(&pending_change.writes).map_err(NotCommitted::from));
        }
    }

    fn answer_all(&self, answer: &Answer) {
        for pending_change in &self.pending_changes {
            pending_change.answer(answer.clone());
        }
    }
}

impl Drop for CommitGroup {
    /// Notifies all callers. A change has no result here only if the store panicked.
    fn drop(&mut self) {
        self.answer_all(&Err(StoreError::backend("the store panicked").into()));
        pending_change::notify(&self.all);
    }
}

/// Returns the expected revision if the write is a guard.
fn guard(write: &Write) -> Option<Revision> {
    match write {
        Write::Guard { expected, .. } => Some(*expected),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Columns, Kind, Record};
    use crate::{Id, MemoryStore};

    fn key(number: u64) -> RecordKey {
        RecordKey::new(Kind::USER, Id::new(number).unwrap())
    }

    fn put(number: u64) -> Write {
        let record = Record {
            key: key(number),
            unique: None,
            columns: Columns::default(),
            bytes: [1].into(),
        };
        Write::Put { record, expected: Revision::ABSENT }
    }

    fn compare(number: u64, revision: u64) -> Write {
        Write::Guard { key: key(number), expected: Revision(revision) }
    }

    /// Returns the indexes of the changes that share the first commit, and how many wait.
    fn gathered(changes: Vec<Vec<Write>>) -> (Vec<usize>, usize) {
        let mut waiting: VecDeque<Arc<PendingChange>> = changes
            .iter()
            .map(|writes| Arc::new(PendingChange::new(writes.clone().into(), None)))
            .collect();
        let group = CommitGroup::gather(&mut waiting, &MemoryStore::new().limits());
        let place = |pending_change: &Arc<PendingChange>| {
            changes.iter().position(|one| **one == *pending_change.writes)
        };
        let first = group.pending_changes.iter().filter_map(place).collect();
        (first, waiting.len())
    }

    #[test]
    fn only_independent_changes_share_a_commit() {
        let shared = vec![vec![put(1), compare(9, 5)], vec![put(2), compare(9, 5)]];
        assert_eq!(gathered(shared), (vec![0, 1], 0));
        assert_eq!(gathered(vec![vec![put(1)], vec![put(1)], vec![put(2)]]), (vec![0, 2], 1));
        assert_eq!(gathered(vec![vec![put(9)], vec![put(2), compare(9, 5)]]), (vec![0], 1));
        // A waiting change blocks later ones with the same record, even if they agree with it …
        let stale = vec![
            vec![put(1), compare(9, 5)],
            vec![put(2), compare(9, 4)],
            vec![put(3), compare(9, 4)],
        ];
        assert_eq!(gathered(stale), (vec![0], 2));
        // … or with the first one.
        let late = vec![vec![put(1), compare(9, 5)], vec![put(9)], vec![put(3), compare(9, 5)]];
        assert_eq!(gathered(late), (vec![0], 2));
    }
}

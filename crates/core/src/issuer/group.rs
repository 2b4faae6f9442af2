//! Changes that share one commit.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::pending_change::{self, Answer, NotCommitted, PendingChange};
use crate::error::StoreError;
use crate::journal::{Operation, Outcome, Recorder};
use crate::record::RecordKey;
use crate::store::{Limits, Revision, TokenStore, Write};

/// Changes that can share a commit: no two write one record, and those that compare one expect the same.
pub(super) struct CommitGroup {
    /// Those that have no answer yet.
    pending_changes: Vec<Arc<PendingChange>>,
    all: Vec<Arc<PendingChange>>,
}

impl CommitGroup {
    /// Takes from the front of `waiting` what fits together. What does not, waits for the next group, and
    /// whatever comes after it with the same records too, so that nothing overtakes.
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
            let free = pending_change
                .writes
                .iter()
                .all(|write| match held.get(&write.key()) {
                    None => true,
                    Some(guarded) => guarded.is_some() && *guarded == guard(write),
                });
            let joins = fits && free;
            for write in pending_change.writes.iter() {
                // Whatever a change that has to wait writes or compares, nobody after it may share.
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
        Self {
            pending_changes,
            all,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Commits, once it is written down. A change that fails alone is answered, and the others are tried again
    /// without it.
    pub(super) fn commit(&mut self, store: &dyn TokenStore, recorder: &Recorder) {
        self.journal_intents(recorder);
        self.commit_all(store);
        self.journal_outcomes(recorder);
    }

    /// What cannot be written down is not done, unless it only takes away.
    fn journal_intents(&mut self, recorder: &Recorder) {
        let intents = self
            .pending_changes
            .iter()
            .filter_map(|pending_change| pending_change.intent.clone());
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
                    let operation = pending_change
                        .intent
                        .as_ref()
                        .map(|intent| intent.operation);
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

    /// All writes, equal guards once, and for each the ticket and the place in it that it came from.
    fn merge(&self) -> (Arc<[Write]>, Vec<(usize, usize)>) {
        // A change that is alone is not copied.
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

    /// Answers the change that failed. Others with the same failing guard fail in their own turn.
    fn fail(&mut self, origins: &[(usize, usize)], at: usize, error: fn(usize) -> StoreError) {
        match origins.get(at) {
            Some((which, place)) => {
                let pending_change = self.pending_changes.remove(*which);
                pending_change.answer(Err(error(*place).into()));
            }
            None => {
                let wrong =
                    StoreError::Corrupt("the store names a write that it was not given".into());
                self.answer_all(&Err(wrong.into()));
                self.pending_changes.clear();
            }
        }
    }

    /// Has the journal say what became of what was written down, and of what could not be.
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
            pending_change.answer(
                store
                    .commit(&pending_change.writes)
                    .map_err(NotCommitted::from),
            );
        }
    }

    fn answer_all(&self, answer: &Answer) {
        for pending_change in &self.pending_changes {
            pending_change.answer(answer.clone());
        }
    }
}

impl Drop for CommitGroup {
    /// Tells every answer; whoever has none heard nothing because the store panicked.
    fn drop(&mut self) {
        self.answer_all(&Err(StoreError::backend("the store panicked").into()));
        pending_change::notify(&self.all);
    }
}

/// What a write compares, if it only compares.
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
        Write::Put {
            record,
            expected: Revision::ABSENT,
        }
    }

    fn compare(number: u64, revision: u64) -> Write {
        Write::Guard {
            key: key(number),
            expected: Revision(revision),
        }
    }

    /// How many of these changes share the first commit, and which wait.
    fn gathered(changes: Vec<Vec<Write>>) -> (Vec<usize>, usize) {
        let mut waiting: VecDeque<Arc<PendingChange>> = changes
            .iter()
            .map(|writes| Arc::new(PendingChange::new(writes.clone().into(), None)))
            .collect();
        let group = CommitGroup::gather(&mut waiting, &MemoryStore::new().limits());
        let place = |pending_change: &Arc<PendingChange>| {
            changes
                .iter()
                .position(|one| **one == *pending_change.writes)
        };
        let first = group.pending_changes.iter().filter_map(place).collect();
        (first, waiting.len())
    }

    #[test]
    fn only_independent_changes_share_a_commit() {
        let shared = vec![vec![put(1), compare(9, 5)], vec![put(2), compare(9, 5)]];
        assert_eq!(gathered(shared), (vec![0, 1], 0));
        assert_eq!(
            gathered(vec![vec![put(1)], vec![put(1)], vec![put(2)]]),
            (vec![0, 2], 1)
        );
        assert_eq!(
            gathered(vec![vec![put(9)], vec![put(2), compare(9, 5)]]),
            (vec![0], 1)
        );
        // What waits blocks whoever comes after it with the same record, even if that one would agree with it …
        let stale = vec![
            vec![put(1), compare(9, 5)],
            vec![put(2), compare(9, 4)],
            vec![put(3), compare(9, 4)],
        ];
        assert_eq!(gathered(stale), (vec![0], 2));
        // … or with the first.
        let late = vec![
            vec![put(1), compare(9, 5)],
            vec![put(9)],
            vec![put(3), compare(9, 5)],
        ];
        assert_eq!(gathered(late), (vec![0], 2));
    }
}

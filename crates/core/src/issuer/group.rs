//! Changes that share one commit.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::ticket::{self, Answer, NotCommitted, Ticket};
use crate::error::StoreError;
use crate::journal::{Act, Fate, Recorder};
use crate::record::RecordKey;
use crate::store::{Limits, Revision, TokenStore, Write};

/// Changes that can share a commit: no two write one record, and those that compare one expect the same.
pub(super) struct Group {
    /// Those that have no answer yet.
    tickets: Vec<Arc<Ticket>>,
    all: Vec<Arc<Ticket>>,
}

impl Group {
    /// Takes from the front of `waiting` what fits together. What does not, waits for the next group, and
    /// whatever comes after it with the same records too, so that nothing overtakes.
    pub(super) fn gather(waiting: &mut VecDeque<Arc<Ticket>>, limits: &Limits) -> Self {
        let mut tickets: Vec<Arc<Ticket>> = Vec::new();
        let mut left = VecDeque::new();
        let mut held: HashMap<RecordKey, Option<Revision>> = HashMap::new();
        let (mut writes, mut bytes) = (0, 0);
        for ticket in waiting.drain(..) {
            let size: usize = ticket.writes.iter().map(Write::size).sum();
            let fits = tickets.is_empty()
                || writes + ticket.writes.len() <= limits.writes && bytes + size <= limits.bytes;
            let free = ticket
                .writes
                .iter()
                .all(|write| match held.get(&write.key()) {
                    None => true,
                    Some(guarded) => guarded.is_some() && *guarded == guard(write),
                });
            let joins = fits && free;
            for write in ticket.writes.iter() {
                // Whatever a change that has to wait writes or compares, nobody after it may share.
                held.insert(write.key(), guard(write).filter(|_| joins));
            }
            if joins {
                writes += ticket.writes.len();
                bytes += size;
                tickets.push(ticket);
            } else {
                left.push_back(ticket);
            }
        }
        *waiting = left;
        let all = tickets.clone();
        Self { tickets, all }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Commits, once it is written down. A change that fails alone is answered, and the others are tried again
    /// without it.
    pub(super) fn commit(&mut self, store: &dyn TokenStore, recorder: &Recorder) {
        self.write_down(recorder);
        self.commit_all(store);
        self.conclude(recorder);
    }

    /// What cannot be written down is not done, unless it only takes away.
    fn write_down(&mut self, recorder: &Recorder) {
        let intents = self
            .tickets
            .iter()
            .filter_map(|ticket| ticket.intent.clone());
        match recorder.intend(&intents.collect::<Vec<_>>()) {
            Ok(None) => {}
            Ok(Some(first)) => {
                let with_intent = self.tickets.iter().filter(|ticket| ticket.intent.is_some());
                for (number, ticket) in (first..).zip(with_intent) {
                    let _ = ticket.number.set(number);
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                self.tickets.retain(|ticket| {
                    let act = ticket.intent.as_ref().map(|intent| intent.act);
                    let goes_on = act.is_none_or(Act::only_takes_away);
                    if !goes_on {
                        ticket.answer(Err(NotCommitted::Journal(Arc::clone(&error))));
                    }
                    goes_on
                });
            }
        }
    }

    fn commit_all(&mut self, store: &dyn TokenStore) {
        while !self.tickets.is_empty() {
            let (merged, origins) = self.merge();
            match store.commit(&merged) {
                Ok(revision) => return self.answer_all(&Ok(revision)),
                Err(StoreError::Conflict(at)) => self.fail(&origins, at, StoreError::Conflict),
                Err(StoreError::Duplicate(at)) => self.fail(&origins, at, StoreError::Duplicate),
                Err(StoreError::TooLarge) if self.tickets.len() > 1 => {
                    return self.one_by_one(store);
                }
                Err(error) => return self.answer_all(&Err(error.into())),
            }
        }
    }

    /// All writes, equal guards once, and for each the ticket and the place in it that it came from.
    fn merge(&self) -> (Arc<[Write]>, Vec<(usize, usize)>) {
        // A change that is alone is not copied.
        if let [only] = self.tickets.as_slice() {
            let origins = (0..only.writes.len()).map(|place| (0, place));
            return (Arc::clone(&only.writes), origins.collect());
        }
        let mut guards: HashMap<RecordKey, ()> = HashMap::new();
        let (mut merged, mut origins) = (Vec::new(), Vec::new());
        for (which, ticket) in self.tickets.iter().enumerate() {
            for (place, write) in ticket.writes.iter().enumerate() {
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
                let ticket = self.tickets.remove(*which);
                ticket.answer(Err(error(*place).into()));
            }
            None => {
                let wrong =
                    StoreError::Corrupt("the store names a write that it was not given".into());
                self.answer_all(&Err(wrong.into()));
                self.tickets.clear();
            }
        }
    }

    /// Has the journal say what became of what was written down, and of what could not be.
    fn conclude(&self, recorder: &Recorder) {
        let mut outcomes = Vec::new();
        for ticket in &self.all {
            match (ticket.number.get(), &ticket.intent) {
                (Some(number), _) => outcomes.push((*number, ticket.fate())),
                (None, Some(intent)) if ticket.fate() != Fate::Failed => {
                    recorder.miss(intent.clone(), ticket.fate());
                }
                (None, _) => {}
            }
        }
        recorder.conclude(&outcomes);
    }

    fn one_by_one(&self, store: &dyn TokenStore) {
        for ticket in &self.tickets {
            ticket.answer(store.commit(&ticket.writes).map_err(NotCommitted::from));
        }
    }

    fn answer_all(&self, answer: &Answer) {
        for ticket in &self.tickets {
            ticket.answer(answer.clone());
        }
    }
}

impl Drop for Group {
    /// Tells every answer; whoever has none heard nothing because the store panicked.
    fn drop(&mut self) {
        self.answer_all(&Err(StoreError::backend("the store panicked").into()));
        ticket::tell(&self.all);
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
        let mut waiting: VecDeque<Arc<Ticket>> = changes
            .iter()
            .map(|writes| Arc::new(Ticket::new(writes.clone().into(), None)))
            .collect();
        let group = Group::gather(&mut waiting, &MemoryStore::new().limits());
        let place = |ticket: &Arc<Ticket>| changes.iter().position(|one| **one == *ticket.writes);
        let first = group.tickets.iter().filter_map(place).collect();
        (first, waiting.len())
    }

    #[test]
    fn changes_share_a_commit_only_if_none_writes_or_compares_what_another_does_differently() {
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

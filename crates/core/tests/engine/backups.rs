//! Backups by a caller: required permissions and journal entries.

use std::io::{self, Cursor, Write};
use std::sync::Arc;

use symbolon::backup::{Backup, BackupError};
use symbolon::journal::{Actor, Entry, Event, Intent, Operation, Outcome};
use symbolon::{AdminError, Caller, MemoryStore, Schema};

use crate::journal::{Failing, journaled, on};

/// Returns the actor and the outcome, if known, of each journaled backup.
fn journaled_backups(entries: &[Entry]) -> Vec<(Actor, Option<Outcome>)> {
    let outcome = |number: u64| {
        entries.iter().find_map(|entry| match entry.event {
            Event::Outcome { of, outcome } if of == number => Some(outcome),
            _ => None,
        })
    };
    let intents = entries.iter().filter_map(|entry| match &entry.event {
        Event::Intent(intent) if intent.operation == Operation::Backup => {
            assert!(intent.writes.is_empty() && intent.ends.is_empty());
            Some((intent.actor, outcome(entry.number)))
        }
        _ => None,
    });
    intents.collect()
}

/// A writer that keeps its input, calls `first` at the first byte, and fails after `most` bytes.
struct Watching<F> {
    written: Vec<u8>,
    most: usize,
    first: F,
}

impl<F: FnMut()> Write for Watching<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written.is_empty() {
            (self.first)();
        }
        if self.written.len() + bytes.len() > self.most {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn backups_are_journaled_before_and_after_writing() {
    let j = journaled();
    let all = Schema::influxdb_operator();
    let all: Vec<_> = all.iter().map(ToString::to_string).collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let operator = j.world.caller(&all);
    let Caller::Authorization(bearer) = operator else { unreachable!() };
    let id = bearer.id();
    let actor = Actor::Authorization(id);
    let mut seen = 0;
    let mut out = Watching {
        written: Vec::new(),
        most: usize::MAX,
        first: || {
            assert_eq!(journaled_backups(&j.journal.entries()), [(actor, None)]);
            seen += 1;
        },
    };
    let engine = &j.world.engine;
    let summary = engine.admin(operator).backup(&mut out, &mut |_| ()).unwrap();
    let written = std::mem::take(&mut out.written);
    assert_eq!(seen, 1);
    let revision = summary.head.0;
    let done = (actor, Some(Outcome::Done { revision }));
    assert_eq!(journaled_backups(&j.journal.entries()), [done]);
    assert_eq!(Backup::read(Cursor::new(&written)).unwrap().summary(), summary);

    // The writer fails before the end.
    let mut out = Watching { written: Vec::new(), most: written.len() - 1, first: || () };
    let broken = engine.admin(operator).backup(&mut out, &mut |_| ());
    assert!(matches!(broken, Err(BackupError::Write(_))), "{broken:?}");
    let failed = (actor, Some(Outcome::Failed));
    assert_eq!(journaled_backups(&j.journal.entries()), [done, failed]);

    // The next process does not take these entries for changes of the store.
    let engine = j.open(Arc::clone(&j.world.store)).unwrap();
    assert_eq!(engine.rollback(), None);
}

#[test]
fn backups_require_every_operator_permission_and_refusals_are_journaled() {
    let j = journaled();
    let all = Schema::influxdb_operator();
    let all: Vec<_> = all.iter().map(ToString::to_string).collect();
    let less: Vec<_> = all.iter().skip(1).map(String::as_str).collect();
    let caller = j.world.caller(&less);
    let mut out = Vec::new();
    let refused = j.world.engine.admin(caller).backup(&mut out, &mut |_| ());
    let Err(BackupError::Admin(AdminError::Forbidden(lacking))) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((lacking.to_string().as_str(), out.len()), (all[0].as_str(), 0));
    let entries = j.journal.entries();
    assert_eq!(journaled_backups(&entries), []);
    let denied = entries
        .iter()
        .filter(|entry| matches!(entry.event, Event::Denied { operation: Operation::Backup, .. }));
    assert_eq!(denied.count(), 1);
}

#[test]
fn an_unwritable_journal_prevents_backups() {
    let failing = Arc::new(Failing::default());
    let world = on(Arc::new(MemoryStore::new()), failing.clone());
    let backup = || {
        let mut out = Vec::new();
        let done = world.root().backup(&mut out, &mut |_| ());
        (done, out.len())
    };
    failing.break_it(true);
    let (refused, bytes) = backup();
    assert!(matches!(refused, Err(BackupError::Admin(AdminError::Journal(_)))));
    assert_eq!(bytes, 0);
    failing.break_it(false);
    let (done, bytes) = backup();
    assert_eq!(done.unwrap().bytes, bytes as u64);
    assert_eq!(journaled_backups(&failing.inner.entries()).len(), 1);
}

#[test]
fn a_backup_without_a_journaled_outcome_counts_as_completed() {
    let j = journaled();
    let intent = Intent {
        actor: Actor::Root,
        operation: Operation::Backup,
        writes: Vec::new(),
        ends: Vec::new(),
    };
    let at = symbolon::Clock::now(&j.world.clock);
    let synced = symbolon::journal::Durability::Synced;
    symbolon::journal::Journal::append(&*j.journal, at, &[Event::Intent(intent)], synced).unwrap();
    let journal = Arc::new(j.journal.reopened());
    let options = crate::journal::with_journal(&j.world.clock, journal.clone());
    let store = Arc::clone(&j.world.store);
    let engine = symbolon::Engine::open(store, crate::fixture::key(), options).unwrap();
    let new = j.world.new_authorization(&["read:buckets"]);
    engine.admin(Caller::Root).authorizations().create(new).unwrap();
    assert_eq!(journaled_backups(&journal.entries()), [(Actor::Root, Some(Outcome::Found))]);
}

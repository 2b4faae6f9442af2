//! Backups on somebody's behalf: who gets one, and what the journal says of it.

use std::io::{self, Cursor, Write};
use std::sync::Arc;

use symbolon::backup::{Backup, BackupError};
use symbolon::journal::{Act, By, Entry, Event, Fate, Intent};
use symbolon::{Caller, Error, MemoryStore, Schema};

use crate::journal::{Failing, journaled, on};

/// What the journal says of backups: who asked, and what became of it; none if that is not known.
fn told(entries: &[Entry]) -> Vec<(By, Option<Fate>)> {
    let fate = |number: u64| {
        entries.iter().find_map(|entry| match entry.event {
            Event::Outcome { of, fate } if of == number => Some(fate),
            _ => None,
        })
    };
    let intents = entries.iter().filter_map(|entry| match &entry.event {
        Event::Intent(intent) if intent.act == Act::Backup => {
            assert!(intent.writes.is_empty() && intent.ends.is_empty());
            Some((intent.by, fate(entry.number)))
        }
        _ => None,
    });
    intents.collect()
}

/// Keeps what it is given, looks at the journal at the first byte, and may fail after some.
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
fn a_backup_has_its_line_before_its_first_byte_and_its_commit_after_the_last() {
    let j = journaled();
    let all = Schema::influxdb_operator();
    let all: Vec<_> = all.iter().map(ToString::to_string).collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let operator = j.world.caller(&all);
    let Caller::Authorization(id) = operator else {
        unreachable!()
    };
    let by = By::Authorization(id);
    let mut seen = 0;
    let mut out = Watching {
        written: Vec::new(),
        most: usize::MAX,
        first: || {
            assert_eq!(told(&j.journal.entries()), [(by, None)]);
            seen += 1;
        },
    };
    let issuer = j.world.engine.issuer();
    let summary = issuer.back_up(&operator, &mut out, &mut |_| ()).unwrap();
    let written = std::mem::take(&mut out.written);
    assert_eq!(seen, 1);
    let revision = summary.head.0;
    let done = (by, Some(Fate::Done { revision }));
    assert_eq!(told(&j.journal.entries()), [done]);
    assert_eq!(
        Backup::read(Cursor::new(&written)).unwrap().summary(),
        summary
    );

    // One that is cut off.
    let mut out = Watching {
        written: Vec::new(),
        most: written.len() - 1,
        first: || (),
    };
    let broken = issuer.back_up(&operator, &mut out, &mut |_| ());
    assert!(matches!(broken, Err(BackupError::Write(_))), "{broken:?}");
    let failed = (by, Some(Fate::Failed));
    assert_eq!(told(&j.journal.entries()), [done, failed]);

    // The next process takes none of it for a change of the store.
    let engine = j.open(Arc::clone(&j.world.store)).unwrap();
    assert_eq!(engine.restored(), None);
}

#[test]
fn whoever_lacks_one_permission_of_an_operator_gets_nothing_and_that_is_noted() {
    let j = journaled();
    let all = Schema::influxdb_operator();
    let all: Vec<_> = all.iter().map(ToString::to_string).collect();
    let less: Vec<_> = all.iter().skip(1).map(String::as_str).collect();
    let caller = j.world.caller(&less);
    let mut out = Vec::new();
    let refused = j
        .world
        .engine
        .issuer()
        .back_up(&caller, &mut out, &mut |_| ());
    let Err(BackupError::Engine(Error::Forbidden(lacking))) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((lacking.as_str(), out.len()), (all[0].as_str(), 0));
    let entries = j.journal.entries();
    assert_eq!(told(&entries), []);
    let denied = entries.iter().filter(|entry| {
        matches!(
            entry.event,
            Event::Denied {
                act: Act::Backup,
                ..
            }
        )
    });
    assert_eq!(denied.count(), 1);
}

#[test]
fn without_a_journal_that_can_be_written_there_is_no_backup() {
    let failing = Arc::new(Failing::default());
    let world = on(Arc::new(MemoryStore::new()), failing.clone());
    let back_up = || {
        let mut out = Vec::new();
        let done = world
            .engine
            .issuer()
            .back_up(&Caller::Root, &mut out, &mut |_| ());
        (done, out.len())
    };
    failing.break_it(true);
    let (refused, bytes) = back_up();
    assert!(matches!(
        refused,
        Err(BackupError::Engine(Error::Journal(_)))
    ));
    assert_eq!(bytes, 0);
    failing.break_it(false);
    let (done, bytes) = back_up();
    assert_eq!(done.unwrap().bytes, bytes as u64);
    assert_eq!(told(&failing.inner.entries()).len(), 1);
}

#[test]
fn one_whose_end_is_not_in_the_journal_counts_as_made() {
    let j = journaled();
    let intent = Intent {
        by: By::Root,
        act: Act::Backup,
        writes: Vec::new(),
        ends: Vec::new(),
    };
    let at = symbolon::Clock::now(&j.world.clock);
    let synced = symbolon::journal::Durability::Synced;
    symbolon::journal::Journal::append(&*j.journal, at, &[Event::Intent(intent)], synced).unwrap();
    let journal = Arc::new(j.journal.reopened());
    let options = crate::journal::with_journal(&j.world.clock, journal.clone());
    let store = Arc::clone(&j.world.store);
    let engine = symbolon::Engine::open(store, crate::world::key(), options).unwrap();
    let new = j.world.new_authorization(&["read:buckets"]);
    engine.issuer().create(&Caller::Root, new).unwrap();
    assert_eq!(told(&journal.entries()), [(By::Root, Some(Fate::Found))]);
}

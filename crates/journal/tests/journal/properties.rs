//! Properties: written entries read back unchanged, and no input causes a panic.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use symbolon::Id;
use symbolon::Timestamp;
use symbolon::journal::{
    Actor, Durability, Event, Intent, Journal, Mac, Operation, Outcome, Revocation, WrittenRecord,
};
use symbolon::record::{Kind, RecordKey};
use symbolon_journal::verify_bytes;

use crate::common::{Home, all, keys};

fn id() -> impl Strategy<Value = Id> {
    (1..=u64::MAX).prop_map(|id| Id::new(id).unwrap())
}

fn key() -> impl Strategy<Value = RecordKey> {
    (any::<u8>(), id()).prop_map(|(kind, id)| RecordKey::new(Kind(kind), id))
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0..=Timestamp::MAX.nanos()).prop_map(|nanos| Timestamp::from_nanos(nanos).unwrap())
}

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        Just(Actor::Root),
        id().prop_map(Actor::Authorization),
        id().prop_map(Actor::User),
        Just(Actor::Anonymous)
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        Just(Operation::Create),
        Just(Operation::RegisterBucket),
        Just(Operation::ReplayRevocations)
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        any::<u64>().prop_map(|revision| Outcome::Done { revision }),
        Just(Outcome::Found),
        Just(Outcome::Failed),
        Just(Outcome::Unknown),
    ]
}

fn ending() -> impl Strategy<Value = Revocation> {
    let mark = option::of(any::<[u8; 16]>().prop_map(Mac));
    (key(), time(), mark).prop_map(|(key, at, mark)| Revocation { key, at, mark })
}

fn event() -> impl Strategy<Value = Event> {
    let target = (key(), any::<u64>()).prop_map(|(key, sequence)| WrittenRecord { key, sequence });
    let intent = (actor(), operation(), vec(target, 0..4), vec(ending(), 0..4));
    prop_oneof![
        (".*", any::<u64>(), any::<u64>()).prop_map(|(store, epoch, head)| Event::Opened {
            store,
            epoch,
            head
        }),
        intent.prop_map(|(actor, operation, writes, ends)| Event::Intent(Intent {
            actor,
            operation,
            writes,
            ends
        })),
        (any::<u64>(), outcome()).prop_map(|(of, outcome)| Event::Outcome { of, outcome }),
        (actor(), operation(), option::of(key()), any::<String>(), any::<u64>()).prop_map(
            |(actor, operation, on, reason, left_out)| Event::Denied {
                actor,
                operation,
                on,
                reason,
                left_out
            }
        ),
        (any::<[u64; 3]>(), vec(any::<u64>(), 0..3), any::<bool>()).prop_map(
            |([found_epoch, found_head, epoch], superseded, accepted)| {
                Event::RolledBack { found_epoch, found_head, epoch, superseded, accepted }
            }
        ),
        any::<u64>().prop_map(|missed| Event::Gap { missed }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn appended_entries_round_trip(parts in vec((time(), vec(event(), 0..6)), 1..6)) {
        let home = Home::new();
        let mut wanted = Vec::new();
        for (at, events) in parts {
            // Opened again each time.
            let first = home.open().append(at, &events, Durability::Written).unwrap();
            prop_assert_eq!(first, wanted.len() as u64 + 1);
            wanted.extend(events.into_iter().map(|event| (at, event)));
        }
        let journal = home.open();
        let read = |entries: Vec<symbolon::journal::Entry>| -> Vec<_> {
            entries.into_iter().map(|entry| (entry.at, entry.event)).collect()
        };
        prop_assert_eq!(&read(all(&journal)), &wanted);
        let opened = |(_, event): &(_, Event)| matches!(event, Event::Opened { .. });
        let start = wanted.iter().rposition(opened).unwrap_or(0);
        prop_assert_eq!(&read(journal.recent().unwrap()), &wanted[start..]);
        prop_assert!(home.verify().is_sound());
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..600), chain in any::<u32>()) {
        let report = verify_bytes(&keys(), chain, &bytes).unwrap();
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        prop_assert_eq!(report.lines, lines);
        prop_assert_eq!(report.findings.is_empty(), lines == 0);
    }

    #[test]
    fn line_like_input_does_not_panic(
        numbers in vec((any::<u32>(), any::<u64>(), "[0-9a-f]{8}", "[0-9a-f]{32}"), 0..20),
    ) {
        let home = Home::with_lines(1);
        let mut text = std::fs::read_to_string(home.chain(1)).unwrap();
        for (chain, number, key, mac) in &numbers {
            text.push_str(&format!(
                r#"{{"chain":{},"number":{},"key":"{key}","mac":"{mac}"}}"#, chain % 3, number % 5
            ));
            text.push('\n');
        }
        std::fs::write(home.chain(1), &text).unwrap();
        let report = home.verify();
        prop_assert_eq!(report.is_sound(), numbers.is_empty());
        let journal = home.open();
        prop_assert_eq!(journal.recent().is_ok(), numbers.is_empty());
    }
}

//! Every type of change, with every fault at each of its calls of the store.
//!
//! Each attempt runs on its own store. The test compares the content of the store, the state of the
//! engine, and that of a second engine, which shows the state after a restart.

#![expect(clippy::panic, reason = "a test that fails panics")]

mod adoption;
mod cases;
mod setup;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon::store::{Cursor, End, Stored, TokenStore};
use symbolon::{AdminError, Engine, MemoryStore, StoreError, Token};
use symbolon_conformance::faults::{Fault, FaultyStore, Method};

use crate::fixture::{READ_BUCKETS, World};
use cases::{Again, CASES, Case, Commits};
use setup::Before;

type Plan = Vec<(Method, u64, Fault)>;

/// The result of an attempt, and the actual state of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AttemptOutcome {
    Done,
    Refused,
    UnknownButApplied,
    UnknownAndNotThere,
}

/// A faulty store, an engine on it, and the initial state of a change.
struct Trial {
    store: Arc<FaultyStore<MemoryStore>>,
    world: World,
    before: Before,
    records: (Vec<Stored>, End),
}

impl Trial {
    fn new(case: &Case) -> Self {
        let store = Arc::new(FaultyStore::new(MemoryStore::new()));
        let world = World::on(Arc::clone(&store) as Arc<dyn TokenStore>);
        let before = (case.prepare)(&world);
        // The engine's own thread reads the store once a second.
        store.only_this_thread();
        Self { records: dump(store.inner()), store, world, before }
    }

    fn run(&self, case: &Case) -> Result<Vec<Token>, AdminError> {
        (case.run)(&self.world, &self.before)
    }

    /// Returns the number of calls of each method without faults, and the number of records after
    /// the change.
    fn count(case: &Case) -> (Vec<(Method, u64)>, usize) {
        let trial = Self::new(case);
        let calls = || Method::ALL.map(|method| trial.store.calls(method));
        let first = calls();
        let tokens = trial.run(case).unwrap();
        let counts = calls().into_iter().zip(first).map(|(now, first)| now - first);
        trial.must_hold(case, &trial.world.engine, &tokens, "nothing");
        let counted = Method::ALL.into_iter().zip(counts).collect();
        (counted, dump(trial.store.inner()).0.len())
    }

    /// Checks that the change is complete: in the index, in the store, and in an engine that opens
    /// it next.
    fn must_hold(&self, case: &Case, engine: &Engine, tokens: &[Token], what: &str) {
        let name = case.name;
        // This comes first, because calls of the engine may update the index.
        let problems = engine.maintenance().fsck(&mut |_| {}).unwrap().problems;
        assert!(problems.is_empty(), "{name}, {what}: {problems:?}");
        for engine in [engine, &self.world.another()] {
            for token in tokens {
                let checked = engine.verifier().check(token.reveal(), &READ_BUCKETS);
                assert!(checked.is_ok(), "{name}, {what}: {checked:?}");
            }
            assert!(
                (case.holds)(engine, &self.before),
                "{name}, {what}: the change is not visible"
            );
            assert_eq!(
                engine.maintenance().fsck(&mut |_| {}).unwrap().problems,
                [],
                "{name}, {what}"
            );
        }
    }
}

/// Makes the change with the faults of `plan`, and again without. Returns `None` if a fault did not
/// occur.
fn attempt(case: &Case, plan: &Plan, whole: usize) -> Option<AttemptOutcome> {
    let trial = Trial::new(case);
    let (name, store, engine) = (case.name, &trial.store, &trial.world.engine);
    for (method, nth, fault) in plan {
        store.plan(*method, *nth, *fault);
    }
    let answer = trial.run(case);
    let struck = store.struck() == plan.len() as u64;
    store.heal();
    let now = dump(store.inner());
    let untouched = now == trial.records;
    let what = format!("{plan:?}");
    let outcome = match &answer {
        Ok(tokens) => {
            trial.must_hold(case, engine, tokens, &what);
            return struck.then_some(AttemptOutcome::Done);
        }
        Err(error) if !is_unknown(error) => {
            let partly = case.commits == Commits::Several;
            assert!(untouched || partly, "{name}, {what}: {error}, but the store changed");
            AttemptOutcome::Refused
        }
        Err(_) if untouched => AttemptOutcome::UnknownAndNotThere,
        Err(_) if case.commits == Commits::Several => AttemptOutcome::UnknownButApplied,
        Err(_) => {
            let restarted = trial.world.another();
            assert!(
                (case.holds)(&restarted, &trial.before),
                "{name}, {what}: the change is incomplete"
            );
            assert_eq!(now.0.len(), whole, "{name}, {what}");
            AttemptOutcome::UnknownButApplied
        }
    };
    assert_eq!(
        trial.world.another().maintenance().fsck(&mut |_| {}).unwrap().problems,
        [],
        "{name}, {what}"
    );
    if untouched {
        assert_eq!(engine.maintenance().fsck(&mut |_| {}).unwrap().problems, [], "{name}, {what}");
    }
    let is_applied = outcome == AttemptOutcome::UnknownButApplied;
    let again = trial.run(case);
    let tokens = match (again, case.again) {
        (Ok(tokens), _) => tokens,
        (Err(error), Again::Refused(refusal)) if is_applied && refusal(&error) => Vec::new(),
        (Err(error), _) => panic!("{name}, {what}: {error} on the second attempt"),
    };
    let is_confirmed = matches!(case.again, Again::Same) && case.commits == Commits::One;
    if is_applied && !is_confirmed {
        // The commit was not confirmed, so the index learns of it by following the store.
        let agrees = || engine.maintenance().fsck(&mut |_| {}).unwrap().problems.is_empty();
        eventually(|| agrees() && (case.holds)(engine, &trial.before));
    }
    trial.must_hold(case, engine, &tokens, &what);
    let unknown_to_all = match case.again {
        Again::Another(records) if is_applied => records,
        _ => 0,
    };
    assert_eq!(dump(store.inner()).0.len(), whole + unknown_to_all, "{name}, {what}");
    struck.then_some(outcome)
}

/// Tries every single fault, and an unconfirmed commit whose records cannot all be read back.
fn attempts(case: &Case) -> (String, usize) {
    let (counts, whole) = Trial::count(case);
    let mut outcomes = Vec::new();
    for (method, count) in &counts {
        for nth in 1..=*count {
            for fault in method.faults() {
                let plan = vec![(*method, nth, fault)];
                let outcome = attempt(case, &plan, whole);
                let outcome = outcome.unwrap_or_else(|| panic!("{}: {plan:?}", case.name));
                // The record can be read back.
                let is_clear = fault == Fault::After;
                assert!(!is_clear || outcome == AttemptOutcome::Done, "{}: {plan:?}", case.name);
                outcomes.push(outcome);
            }
        }
    }
    let count = |method| counts.iter().find(|(one, _)| *one == method).unwrap().1;
    if case.commits == Commits::One {
        let commit = (Method::Commit, 1, Fault::After);
        outcomes.extend((count(Method::Get) + 1..).map_while(|nth| {
            attempt(case, &vec![commit, (Method::Get, nth, Fault::Before)], whole)
        }));
    }
    let mut row = format!("| {} ", case.name);
    for method in [Method::Get, Method::Find, Method::Commit] {
        write!(row, "| {} ", count(method)).unwrap();
    }
    write!(row, "| {} ", outcomes.len()).unwrap();
    for outcome in [
        AttemptOutcome::Done,
        AttemptOutcome::Refused,
        AttemptOutcome::UnknownButApplied,
        AttemptOutcome::UnknownAndNotThere,
    ] {
        let same = outcomes.iter().filter(|one| **one == outcome).count();
        write!(row, "| {same} ").unwrap();
    }
    (row + "|", outcomes.len())
}

/// Prints the attempts and their results with `--nocapture`.
#[test]
fn every_change_reports_its_true_outcome_under_every_fault() {
    println!(
        "| change | gets | finds | commits | faults \
         | done | refused | unknown: written | unknown: not written |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    // The cases run concurrently, because most of their time is waiting for a follower.
    let rows: Vec<(String, usize)> = std::thread::scope(|scope| {
        let start = |case| scope.spawn(move || attempts(case));
        let threads: Vec<_> = CASES.iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut all = 0;
    for (row, faults) in rows {
        println!("{row}");
        // Each change has at least one commit, which can fail in nine ways.
        assert!(faults >= 9, "{row}");
        all += faults;
    }
    println!("{} types of change, {all} faults", CASES.len());
}

/// Returns true if the change may have been written in spite of this error.
fn is_unknown(error: &AdminError) -> bool {
    matches!(error, AdminError::Store(error) if matches!(**error, StoreError::Backend(_)))
}

fn dump(store: &MemoryStore) -> (Vec<Stored>, End) {
    let page = store.scan(&Cursor::start(), 10_000).unwrap();
    (page.items, page.end.unwrap())
}

fn eventually(mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(2));
    }
}

//! Applies random changes to the index and to the reference index, and compares them after each.

use super::super::fixtures::*;
use super::super::*;
use super::reference_index::{ReferenceIndex, TestLookup, Tested};
use crate::authorization::NotInForce;
use crate::record::Kind;
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Apply(Change),
    /// Applies this number of new authorizations, so that the table grows.
    Fill(u64),
    /// Purges half of the records of [`Step::Fill`], so that the table shrinks.
    Empty,
    Settle,
    Begin,
    Rebuild(Vec<Change>),
    Finish,
}

const IDS: u64 = 5;
/// Number of digests that any authorization may have, so that they collide.
const SHARED: u64 = 5;
/// First id of the records of [`Step::Fill`].
const FILLED: u64 = 1_000;

fn own(number: u64, variant: u64) -> ShortDigest {
    short_digest(100 + 2 * number + variant)
}

fn handle(number: u64) -> impl Strategy<Value = TokenLookup> {
    let shared = || (0..SHARED).prop_map(short_digest);
    prop_oneof![
        3 => (0..2_u64).prop_map(move |variant| TokenLookup::ById(own(number, variant))),
        2 => (shared(), proptest::option::of(shared())).prop_map(|(one, two)| {
            TokenLookup::ByDigest([Some(one), two.filter(|two| *two != one)])
        }),
    ]
}

fn authorization() -> impl Strategy<Value = Change> {
    let status = prop_oneof![
        6 => Just(Status::Active),
        3 => Just(Status::Inactive),
        2 => Just(Status::Revoked),
    ];
    let expires = prop_oneof![2 => Just(None), 1 => (1..4_u64).prop_map(|at| Some(time(at * 10)))];
    let owners = (proptest::option::of(2..4_u64), 1..3_u64);
    let numbers = (1..=IDS, 1..7_u64, 0..3_u64);
    (numbers, status, expires, owners)
        .prop_flat_map(|(numbers, status, expires, owners)| {
            let rest = (numbers, status, expires, owners);
            (Just(rest), handle(numbers.0))
        })
        .prop_map(|(((number, sequence, later), status, expires, (user, organization)), handle)| {
            let mut change = handled(number, sequence, status, handle);
            change.revision = Revision(sequence + later);
            if let ChangeKind::Authorization(digest, _) = &mut change.what {
                digest.expires = expires;
                digest.user = user.map(id);
                digest.organization = id(organization);
            }
            change
        })
}

fn any_key() -> impl Strategy<Value = RecordKey> {
    prop_oneof![
        4 => (1..=IDS).prop_map(key),
        1 => (2..4_u64).prop_map(|number| RecordKey::new(Kind::USER, id(number))),
        1 => (1..3_u64).prop_map(|number| RecordKey::new(Kind::ORGANIZATION, id(number))),
    ]
}

fn owner_change() -> impl Strategy<Value = Change> {
    let state = prop_oneof![
        5 => Just(OwnerState::Active),
        2 => Just(OwnerState::Inactive),
        1 => Just(OwnerState::Deleted),
    ];
    let kind = prop_oneof![Just(Kind::USER), Just(Kind::ORGANIZATION)];
    (kind, 1..4_u64, state, 1..7_u64, 0..2_u64).prop_map(
        |(kind, number, state, sequence, later)| {
            let mut change = owner(kind, number, state, sequence);
            change.revision = Revision(sequence + later);
            change
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let bare = |what: ChangeKind| {
        (any_key(), 1..9_u64).prop_map(move |(key, revision)| Change {
            key,
            revision: Revision(revision),
            what: what.clone(),
        })
    };
    prop_oneof![
        10 => authorization(),
        2 => owner_change(),
        2 => bare(ChangeKind::Purged),
        2 => bare(ChangeKind::Tampered),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => change().prop_map(Step::Apply),
        2 => (1..60_u64).prop_map(Step::Fill),
        1 => Just(Step::Empty),
        1 => Just(Step::Settle),
        1 => Just(Step::Begin),
        1 => vec(change(), 0..8).prop_map(Step::Rebuild),
        1 => Just(Step::Finish),
    ]
}

/// Both indexes, and the range of the records of [`Step::Fill`].
struct Both {
    index: Index,
    reference_index: ReferenceIndex,
    filled: u64,
    emptied: u64,
}

impl Both {
    fn new() -> Self {
        let (index, reference_index) = (Index::empty(), ReferenceIndex::empty());
        let mut both = Self { index, reference_index, filled: FILLED, emptied: FILLED };
        both.apply(owner(Kind::ORGANIZATION, 1, OwnerState::Active, 1));
        both.apply(owner(Kind::USER, 2, OwnerState::Active, 1));
        both
    }

    fn apply(&mut self, change: Change) {
        let index = self.index.apply_one(change.clone());
        let reference_index = self.reference_index.apply_one(change.clone());
        assert_eq!(index, reference_index, "{change:?}");
        self.agree_on(&change);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Apply(change) => self.apply(change),
            Step::Fill(count) => {
                for _ in 0..count {
                    self.apply(filler(self.filled));
                    self.filled += 1;
                }
            }
            Step::Empty => {
                for number in self.emptied..(self.emptied + self.filled) / 2 {
                    self.apply(Change {
                        key: key(number),
                        revision: Revision(2),
                        what: ChangeKind::Purged,
                    });
                    self.emptied = number + 1;
                }
            }
            Step::Settle => self.index.settle_now(),
            Step::Begin => {
                self.index.start_rebuild();
                self.reference_index.start_rebuild();
            }
            Step::Rebuild(changes) => {
                self.index.rebuild_with(changes.clone());
                self.reference_index.rebuild_with(changes);
            }
            Step::Finish => {
                let (index, reference_index) =
                    (self.index.end_rebuild(), self.reference_index.end_rebuild());
                assert_eq!(index, reference_index);
            }
        }
    }

    fn agree_on(&self, change: &Change) {
        assert_eq!(self.index.says(change), self.reference_index.says(change), "{change:?}");
    }

    /// Compares everything that the steps may have changed.
    fn agree(&self, now: u64) {
        let (index, reference_index) = (&self.index, &self.reference_index);
        assert_eq!(index.count(), reference_index.count());
        assert_eq!(index.all_revoked(), reference_index.all_revoked());
        let shared = (0..SHARED).map(|number| TestLookup::Digest(short_digest(number)));
        let own = (1..=IDS)
            .flat_map(|number| [0, 1].map(|variant| TestLookup::Id(number, own(number, variant))));
        let filled = (FILLED..self.filled).step_by(7).flat_map(|number| {
            let ChangeKind::Authorization(digest, _) = filler(number).what else {
                unreachable!();
            };
            TestLookup::of(id(number), digest.handle)
        });
        for door in shared.chain(own).chain(filled) {
            let found: [Option<(Id, Result<u64, NotInForce>)>; 2] =
                [index.find_at(door, time(now)), reference_index.find_at(door, time(now))];
            assert_eq!(found[0], found[1], "{door:?}");
        }
        for number in 1..=IDS {
            for kind in [Kind::AUTHORIZATION, Kind::USER, Kind::ORGANIZATION] {
                let key = RecordKey::new(kind, id(number));
                assert_eq!(index.sequence_of(key), reference_index.sequence_of(key), "{key:?}");
            }
            for at in [5, 15, 35] {
                let (key, at) = (key(number), time(at));
                let (says, plainly) = (index.outlives(key, at), reference_index.outlives(key, at));
                // The expiry may be unknown for an authorization that is not found.
                assert!(
                    says == plainly || says && !reference_index.is_found(key),
                    "{key:?} {at:?}"
                );
            }
        }
    }
}

fn filler(number: u64) -> Change {
    let handle = match number % 3 {
        0 => TokenLookup::ByDigest([
            Some(short_digest(number)),
            Some(short_digest(number + (1 << 32))),
        ]),
        _ => TokenLookup::ById(short_digest(number)),
    };
    handled(number, 1, Status::Active, handle)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn the_index_agrees_with_the_reference_index(
        steps in vec((step(), 1..40_u64), 1..60),
        changes in vec(change(), 20),
    ) {
        let mut both = Both::new();
        for (step, now) in steps {
            both.take(step);
            both.agree(now);
        }
        changes.iter().for_each(|change| both.agree_on(change));
    }
}

/// Returns `PROPTEST_CASES`, by default 400.
fn cases() -> u32 {
    let cases = std::env::var("PROPTEST_CASES").ok();
    cases.and_then(|cases| cases.parse().ok()).unwrap_or(400)
}

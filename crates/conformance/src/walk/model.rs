//! The reference model of the walk, and the operations generated from its state.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;
use symbolon::record::{Columns, Kind, Record, RecordKey};
use symbolon::store::{Query, Revision, TokenStore, Write};
use symbolon::{Id, MemoryStore, Minute, Origin, Status};

use crate::pages::dump;
use crate::sample::{NEVER, Refusal, revision_of};

/// One operation of a walk.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Commit(Vec<(Write, Expect)>),
    Touch(Vec<(Id, Minute)>),
    Get(RecordKey),
    Find(Query),
    /// Reads a page of this size as a follower.
    Page(usize),
    CompareAll,
    Renew,
    Reopen,
}

/// The revision that a write expects. It is resolved when the step runs, so that a walk stays valid
/// while proptest removes steps from it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expect {
    Current,
    Absent,
    Older,
}

/// A [`MemoryStore`] and the changes applied to it.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) store: MemoryStore,
    changes: Vec<Change>,
    /// The last commit, with the revisions of this store.
    pub(super) writes: Vec<Write>,
    pub(super) committed: Option<Result<Revision, Refusal>>,
}

#[derive(Debug, Clone)]
enum Change {
    Commit(Vec<Write>),
    Touch(Vec<(Id, Minute)>),
}

impl Clone for Model {
    /// Repeats all changes on a new store.
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        for change in &self.changes {
            copy.make(change.clone());
        }
        copy
    }
}

impl Model {
    fn make(&mut self, change: Change) {
        match &change {
            Change::Commit(writes) => {
                let refusal = |error| Refusal::of(&error).expect("the memory store does not fail");
                self.committed = Some(self.store.commit(writes).map_err(refusal));
                self.writes.clone_from(writes);
            }
            Change::Touch(used) => self.store.touch(used).expect("the memory store does not fail"),
        }
        self.changes.push(change);
    }

    /// Resolves the expected revisions, and keeps one write per key.
    fn resolve(&self, drawn: &[(Write, Expect)]) -> Vec<Write> {
        let mut keys = BTreeSet::new();
        let distinct = drawn.iter().filter(|(write, _)| keys.insert(write.key()));
        distinct
            .map(|(write, expect)| {
                let current = revision_of(&self.store, write.key());
                let expected = match expect {
                    Expect::Current => current,
                    Expect::Absent => Revision::ABSENT,
                    Expect::Older if current <= Revision(1) => NEVER,
                    Expect::Older => Revision(current.0 - 1),
                };
                expecting(write, expected)
            })
            .collect()
    }
}

fn expecting(write: &Write, revision: Revision) -> Write {
    let mut write = write.clone();
    match &mut write {
        Write::Put { expected, .. } | Write::Guard { expected, .. } => *expected = revision,
        // A purge never expects absence.
        Write::Purge { expected, .. } if revision == Revision::ABSENT => *expected = NEVER,
        Write::Purge { expected, .. } => *expected = revision,
    }
    write
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(model: &Self) -> BoxedStrategy<Step> {
        let present: Vec<RecordKey> = dump(&model.store).records.into_keys().collect();
        let key = || match present.is_empty() {
            true => any_key().boxed(),
            false => prop_oneof![2 => select(present.clone()), 1 => any_key()].boxed(),
        };
        let used = (key(), 0..20_u32).prop_map(|(key, minute)| (key.id, Minute(minute)));
        let get = key().prop_map(Step::Get);
        prop_oneof![
            40 => vec(write(key()), 0..8).prop_map(Step::Commit),
            5 => vec(used, 0..4).prop_map(Step::Touch),
            10 => get,
            15 => query().prop_map(Step::Find),
            20 => (1..5_usize).prop_map(Step::Page),
            3 => Just(Step::CompareAll),
            1 => Just(Step::Renew),
            2 => Just(Step::Reopen),
        ]
        .boxed()
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        match step {
            Step::Commit(drawn) => model.make(Change::Commit(model.resolve(drawn))),
            Step::Touch(used) => model.make(Change::Touch(used.clone())),
            _ => {}
        }
        model
    }
}

fn write(key: BoxedStrategy<RecordKey>) -> impl Strategy<Value = (Write, Expect)> {
    let expect = prop_oneof![
        20 => Just(Expect::Current),
        1 => Just(Expect::Absent),
        1 => Just(Expect::Older),
    ];
    let put = |(key, (unique, columns, bytes))| Write::Put {
        record: Record { key, unique, columns, bytes },
        expected: NEVER,
    };
    let content = (unique(), columns(), bytes());
    let write = prop_oneof![
        6 => (any_key(), content).prop_map(put).boxed(),
        2 => key.clone().prop_map(|key| Write::Purge { key, expected: NEVER }),
        2 => key.prop_map(|key| Write::Guard { key, expected: NEVER }),
    ];
    (write, expect)
}

// Few values of each type, so that they collide.

fn any_key() -> impl Strategy<Value = RecordKey> {
    let kind = select(vec![Kind::AUTHORIZATION, Kind::USER, Kind(200)]);
    let numbers = vec![1, 2, 3, 255, 256, 1 << 63, u64::MAX - 1, u64::MAX];
    let id = select(numbers).prop_map(|number| Id::new(number).expect("not 0"));
    (kind, id).prop_map(|(kind, id)| RecordKey::new(kind, id))
}

fn unique() -> impl Strategy<Value = Option<Box<[u8]>>> {
    let names: Vec<Box<[u8]>> =
        ["", "a", "A", "ab", "a\0", "\u{ff}"].map(|name| name.as_bytes().into()).into();
    option::of(select(names))
}

fn owner() -> impl Strategy<Value = Option<Id>> {
    select(vec![None, Some(Id::MIN), Id::new(1 << 63), Some(Id::MAX)])
}

fn status() -> impl Strategy<Value = Option<Status>> {
    option::of(select(vec![Status::Active, Status::Inactive, Status::Revoked]))
}

fn origin() -> impl Strategy<Value = Option<Origin>> {
    option::of(select(vec![Origin::V2, Origin::V0, Origin::Embedder]))
}

fn columns() -> impl Strategy<Value = Columns> {
    (owner(), owner(), status(), origin()).prop_map(|(organization, user, status, origin)| {
        Columns { organization, user, status, origin }
    })
}

fn bytes() -> impl Strategy<Value = Box<[u8]>> {
    let long = (any::<u8>(), 1000..9000_usize).prop_map(|(byte, size)| vec![byte; size]);
    prop_oneof![9 => vec(any::<u8>(), 0..8), 1 => long].prop_map(Vec::into)
}

prop_compose! {
    /// Creates a query on few columns, so that it finds something.
    fn query()(
        kind in any_key().prop_map(|key| key.kind),
        unique in option::weighted(0.2, unique()),
        columns in columns(),
        owners: bool,
        others: bool,
        after in option::of(any_key().prop_map(|key| key.id)),
        limit in select(vec![0, 1, 3, usize::MAX]),
    ) -> Query {
        Query {
            unique: unique.flatten(),
            organization: columns.organization.filter(|_| owners),
            user: columns.user.filter(|_| owners && others),
            status: columns.status.filter(|_| others),
            origin: columns.origin.filter(|_| others && !owners),
            after,
            limit,
            ..Query::all(kind)
        }
    }
}

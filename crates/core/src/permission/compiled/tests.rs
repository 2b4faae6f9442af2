//! Compares compiled sets with the oracle, on random sets and requests that often match.

use super::*;
use crate::schema::Schema;
use symbolon_oracle as oracle;
use symbolon_oracle::random::{Rng, pick};

const SETS: u64 = 6_000;
const REQUESTS: u64 = 60;

/// Draws sets and requests.
struct Draw(Rng);

impl Draw {
    fn with_seed(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0.u64(..end)
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        *pick(&mut self.0, of)
    }

    /// Draws from few ids, so that users, organizations and resources share them.
    fn id(&mut self) -> Id {
        id(1 + self.below(5))
    }

    fn maybe_id(&mut self) -> Option<Id> {
        (self.below(4) != 0).then(|| self.id())
    }

    fn owners(&mut self) -> (Id, Option<Id>) {
        (self.id(), self.maybe_id())
    }

    fn action(&mut self) -> Action {
        self.one_of(&ACTIONS).parse().unwrap()
    }

    fn kind(&mut self) -> ResourceType {
        self.one_of(&TYPES).parse().unwrap()
    }

    fn permission(&mut self) -> Permission {
        let resource = Resource {
            kind: self.kind(),
            organization: self.maybe_id(),
            target: match self.below(5) {
                0 => Target::Any,
                1 | 2 => Target::Id(self.id()),
                _ => Target::named(self.one_of(&NAMES)),
            },
        };
        let action = self.action();
        Permission { action, resource }
    }

    fn set(&mut self) -> PermissionSet {
        let len = match self.below(3) {
            0 => self.below(3),
            1 => self.below(10),
            _ => self.below(41),
        };
        (0..len).map(|_| self.permission()).collect()
    }

    /// Draws a request that often nearly matches a permission of the set.
    fn request<'a>(&mut self, set: &'a PermissionSet) -> Request<'a> {
        let mut request = Request {
            action: self.action(),
            kind: self.kind(),
            organization: self.maybe_id(),
            wanted: match self.below(5) {
                0 => RequestTarget::Any,
                1 | 2 => RequestTarget::Id(self.id()),
                _ => RequestTarget::Name(self.one_of(&NAMES)),
            },
        };
        if !set.is_empty() && self.below(6) != 0 {
            let near = &set[self.below(set.len() as u64) as usize];
            request.action = near.action;
            request.kind = near.resource.kind;
            if self.below(4) != 0 {
                request.organization = near.resource.organization;
            }
            match &near.resource.target {
                Target::Id(id) if self.below(4) != 0 => request.wanted = RequestTarget::Id(*id),
                Target::Name(name) if self.below(4) != 0 => {
                    request.wanted = RequestTarget::Name(name)
                }
                _ => {}
            }
        }
        request
    }
}

/// Well-known names, names that are well known in the other position, and names of all lengths that
/// differ only at their ends.
const ACTIONS: [&str; 5] = ["read", "write", "drop", "buckets", LONG[0]];
const TYPES: [&str; 8] =
    ["buckets", "users", "databases", "tables", "read", LONG[0], LONG[1], LONG[2]];
const LONG: [&str; 3] = [
    "a-name-that-has-thirty-one-byte",
    "a-name-that-has-thirty-one-bytf",
    "a-name-that-has-thirty-one-byt",
];
const NAMES: [&str; 6] = ["a", "b", "ab", "*", "1", "a name of some more bytes than a word"];

/// Compares `sets` random sets with the oracle on [`REQUESTS`] requests each, and returns how many
/// were covered.
fn compare(random: &mut Draw, sets: u64) -> u64 {
    let mut covered = 0;
    for _ in 0..sets {
        let (organization, user) = random.owners();
        let set = random.set();
        let compiled = CompiledSet::of(&set, organization, user);
        let granted = set.to_oracle();
        for _ in 0..REQUESTS {
            let request = random.request(&set);
            let first = granted.iter().find(|one| one.covers(&oracle::Request::from(&request)));
            let is_covered = first.is_some();
            assert_eq!(
                compiled.covers(&request, organization, user),
                is_covered,
                "{request} of {organization} {user:?} with {set:?}"
            );
            assert_eq!(set.covering(&request).map(oracle::Permission::from).as_ref(), first);
            covered += u64::from(is_covered);
        }
    }
    covered
}

/// For 100 million cases, run `SYMBOLON_TEST_CASES=100000000 cargo test --release -p symbolon --lib
/// compiled_sets_cover`.
#[test]
fn compiled_sets_cover_the_same_requests() {
    let each = SETS * REQUESTS;
    let cases = std::env::var("SYMBOLON_TEST_CASES").map_or(each, |cases| cases.parse().unwrap());
    let rounds = cases.div_ceil(each);
    let covered: u64 =
        (0..rounds).map(|round| compare(&mut Draw::with_seed(round << 32 | 1), SETS)).sum();
    // Neither outcome is rare.
    let all = rounds * each;
    assert!((all / 5..all * 4 / 5).contains(&covered), "{covered} of {all}");
}

#[test]
fn decompiling_keeps_the_order() {
    let mut random = Draw::with_seed(2);
    for _ in 0..SETS {
        let (organization, user) = random.owners();
        let set = random.set();
        let compiled = CompiledSet::of(&set, organization, user);
        assert_eq!(compiled.decompile(organization, user), set);
    }
}

/// Sets are equal exactly if one becomes the other by replacing the ids of its owners.
#[test]
fn sets_are_equal_relative_to_their_owners() {
    let mut random = Draw::with_seed(3);
    let mut equal = 0;
    for _ in 0..SETS {
        let (organization, user) = random.owners();
        let moved = |one: Id| id(one.number() + 100);
        let rename = |mut one: Permission| {
            if let Some(scope) = &mut one.resource.organization
                && *scope == organization
            {
                *scope = moved(*scope);
            }
            if let Target::Id(id) = &mut one.resource.target
                && (*id == organization || Some(*id) == user)
            {
                *id = moved(*id);
            }
            one
        };
        let set: PermissionSet = (0..random.below(4)).map(|_| random.permission()).collect();
        let other: PermissionSet = set.iter().cloned().map(rename).collect();
        let compiled = CompiledSet::of(&set, organization, user);
        let (to, by) = (moved(organization), user.map(moved));
        assert_eq!(CompiledSet::of(&other, to, by), compiled);
        // For other owners the set has another meaning, if it refers to its owners at all.
        let kept = CompiledSet::of(&set, to, by);
        assert_eq!(kept == compiled, other == set, "{organization} {user:?} {set:?}");
        equal += u64::from(other == set);
    }
    assert!((SETS / 10..SETS * 9 / 10).contains(&equal), "{equal}");
}

#[test]
fn sets_that_differ_in_one_word_or_name_are_not_equal() {
    let texts = ["read:databases/a", "read:databases/b", "read:tables", "drop:tables", "read:rows"];
    let compiled = texts.map(|text| {
        let set: PermissionSet = vec![text.parse().unwrap()].into();
        CompiledSet::of(&set, Id::MIN, None)
    });
    for (at, one) in compiled.iter().enumerate() {
        for (other_at, other) in compiled.iter().enumerate() {
            assert_eq!(one == other, at == other_at, "{one:?} {other:?}");
        }
    }
}

#[test]
fn all_access_sets_are_shared_between_owners() {
    let set = |organization, user| {
        let (organization, user) = (id(organization), Id::new(user));
        let set = PermissionSet::from(Schema::influxdb_all_access(organization, user));
        CompiledSet::of(&set, organization, user)
    };
    assert_eq!(set(1, 2), set(3, 4));
    assert_eq!(set(1, 0), set(3, 0));
    assert_ne!(set(1, 2), set(1, 0));
}

/// Ids, organizations and names of which many share a tag, or the bits that a hash table uses.
#[test]
fn colliding_hashes_are_distinguished() {
    let own = Id::MIN;
    let asked = |number: u64| Request::new(Action::READ, ResourceType::BUCKETS).id(id(number));
    for held in [1, 8, 9, 40] {
        let compiled = CompiledSet::of(&buckets(held), own, None);
        let covers = |number: &u64| compiled.covers(&asked(*number), own, None);
        assert_eq!((10..50_000).filter(covers).count() as u64, held);
    }
    let any = Permission::new(Action::READ, ResourceType::BUCKETS);
    for held in [1, 8, 9, 40] {
        let scoped = (10..10 + held).map(|number| any.clone().organization(id(number)));
        let compiled = CompiledSet::of(&scoped.collect(), own, None);
        let asked = Request::new(Action::READ, ResourceType::BUCKETS);
        let covers = |number: &u64| compiled.covers(&asked.organization(id(*number)), own, None);
        assert_eq!((1..50_000).filter(covers).count() as u64, held);
    }
    let named = |name| Permission::new(Action::READ, ResourceType::DATABASES).name(name);
    let names: Vec<String> = (0..50_000).map(|number| number.to_string()).collect();
    for held in [1, 8, 9, 40] {
        let set = names.iter().take(held).map(|name| named(name)).collect();
        let compiled = CompiledSet::of(&set, own, None);
        let any = Request::new(Action::READ, ResourceType::DATABASES);
        let covers = |name: &&String| compiled.covers(&any.name(name), own, None);
        assert_eq!(names.iter().filter(covers).count(), held);
    }
    let words: Vec<ResourceType> = names.iter().map(|name| name.parse().unwrap()).collect();
    for held in [1, 40] {
        let set =
            words.iter().take(held).map(|kind| Permission::new(Action::READ, *kind)).collect();
        let compiled = CompiledSet::of(&set, own, None);
        let covers =
            |kind: &&ResourceType| compiled.covers(&Request::new(Action::READ, **kind), own, None);
        assert_eq!(words.iter().filter(covers).count(), held);
    }
}

fn id(number: u64) -> Id {
    Id::new(number).unwrap()
}

fn buckets(count: u64) -> PermissionSet {
    let one = |number| Permission::new(Action::READ, ResourceType::BUCKETS).id(id(number));
    (10..10 + count).map(one).collect()
}

/// In addition to the 56 bytes of the set: 24 bytes per permission, and a hash table if there are
/// many.
#[test]
fn compiled_sets_are_small() {
    let own = Id::MIN;
    for (count, most, allocations) in [(0, 0, 0), (1, 24, 1), (4, 96, 1), (40, 1264, 3)] {
        let set = buckets(count);
        let kept = allocation_counter::measure(|| {
            std::mem::forget(CompiledSet::of(&set, own, None));
        });
        assert!(kept.bytes_current <= most, "{count}: {kept:?}");
        assert_eq!(kept.count_current, allocations, "{count}: {kept:?}");
    }
    assert_eq!(size_of::<CompiledSet>(), 56);
}

#[test]
fn a_check_allocates_nothing() {
    let mut random = Draw::with_seed(4);
    for _ in 0..100 {
        let (organization, user) = random.owners();
        let set = random.set();
        let compiled = CompiledSet::of(&set, organization, user);
        for _ in 0..REQUESTS {
            let request = random.request(&set);
            let allocated = allocation_counter::measure(|| {
                std::hint::black_box(compiled.covers(&request, organization, user));
            });
            assert_eq!(allocated.count_total, 0, "{request}");
        }
    }
}

/// Permissions beyond the maximum are dropped and allow nothing.
#[test]
fn oversized_sets_allow_nothing_extra() {
    let (set, own) = (buckets(70_000), Id::MIN);
    let compiled = CompiledSet::of(&set, own, None);
    let request = |permission: &Permission| match permission.resource.target {
        Target::Id(id) => Request::new(permission.action, permission.resource.kind).id(id),
        _ => unreachable!(),
    };
    let covers = |permission| compiled.covers(&request(permission), own, None);
    assert!(set[..1 << 16].iter().all(covers));
    assert!(!set[1 << 16..].iter().any(covers));
    assert_eq!(*compiled.decompile(own, None), set[..1 << 16]);
}

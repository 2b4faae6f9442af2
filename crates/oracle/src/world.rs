//! Generated worlds: organizations, users and authorizations, and requests of their bearers.
//!
//! Each status, form of permission and reason to refuse a request occurs in a world of some
//! thousand authorizations. Ids look like those of InfluxDB, and include the limits of 64 bits.

mod permissions;
mod requests;

use crate::decision::{Authorization, Owner, OwnerState, Status};
use crate::permission::Bucket;
use crate::random::{Rng, percent, pick};

/// Organizations, users and authorizations.
#[derive(Debug)]
pub struct World {
    /// The organizations; some are inactive.
    pub organizations: Vec<Organization>,
    /// The users; some are inactive.
    pub users: Vec<User>,
    /// The authorizations of these owners.
    pub authorizations: Vec<Authorization<'static>>,
}

/// An organization and its buckets.
#[derive(Debug)]
pub struct Organization {
    /// Its id and state.
    pub owner: Owner,
    /// Its name, with all kinds of letters.
    pub name: String,
    /// Its registered buckets, in the order of their ids.
    pub buckets: [Bucket<'static>; 5],
}

/// A user.
#[derive(Debug)]
pub struct User {
    /// Its id and state.
    pub owner: Owner,
    /// Its name.
    pub name: String,
}

/// Time of decisions in a world, in seconds since 1970. Every expiry is before 2026 or after 2100,
/// so that the clock of any machine leads to the same decisions.
pub const NOW: i64 = 2_000_000_000;
const YEAR_2018: i64 = 1_514_764_800;
const YEAR_2026: i64 = 1_767_225_600;
const YEAR_2101: i64 = 4_133_980_800;
const YEAR_2200: i64 = 7_258_118_400;
/// 2262-04-11T23:47:16Z, the last second that fits into 64-bit nanoseconds.
const LAST_SECOND: i64 = 9_223_372_036;

// An id of InfluxDB: milliseconds since April 2017, 10 bits of machine, 12 bits of sequence.
const START: u64 = 200_000_000_000;
const AUTHORIZATION: u64 = 1 << 12;
const USER: u64 = 2 << 12;
const ORGANIZATION: u64 = 3 << 12;
const BUCKET: u64 = 4 << 12;
const RESOURCE: u64 = 5 << 12;
const UNKNOWN: u64 = 9 << 12;
/// Milliseconds between two authorizations.
const PACE: u64 = 6_000;

const BUCKET_NAMES: [&str; 5] = ["telegraf", "metrics", "logs", "sensors/eu-1", "spot \"a\""];

impl World {
    /// Generates a world with this number of authorizations.
    pub fn new(rng: &mut Rng, authorizations: u32) -> Self {
        let count = u64::from(authorizations);
        let organizations: Vec<_> = (0..10 + count / 20_000).map(Organization::new).collect();
        let users: Vec<_> = (0..10 + count / 1_000).map(User::new).collect();
        let draw = |number| authorization(rng, number, &organizations, &users);
        let authorizations = (0..count).map(draw).collect();
        Self { organizations, users, authorizations }
    }
}

impl Organization {
    fn new(number: u64) -> Self {
        let name = match number % 8 {
            5 => format!("Größe & Söhne {number}"),
            6 => format!("the \"{number}\" group"),
            _ => format!("org-{number:04}"),
        };
        let own = if number == 0 { 1000 } else { id(number, ORGANIZATION) };
        let mut ids = (0..).map(|at| id(number, BUCKET + at));
        let mut bucket =
            |name| Bucket { id: ids.next().unwrap_or_default(), organization: own, name };
        Self {
            owner: Owner { id: own, state: active_unless(number % 20 == 3) },
            name,
            buckets: BUCKET_NAMES.map(&mut bucket),
        }
    }

    /// Draws the id of a resource that is not part of the world: a dashboard or a task.
    fn resource(&self, rng: &mut Rng) -> u64 {
        let [first, ..] = self.buckets;
        first.id - BUCKET + RESOURCE + rng.u64(..4096)
    }
}

impl User {
    fn new(number: u64) -> Self {
        let state = active_unless(number % 20 == 7);
        Self { owner: Owner { id: id(number, USER), state }, name: format!("zoë-{number:05}") }
    }
}

fn active_unless(is_inactive: bool) -> OwnerState {
    if is_inactive { OwnerState::Inactive } else { OwnerState::Active }
}

fn authorization(
    rng: &mut Rng,
    number: u64,
    organizations: &[Organization],
    users: &[User],
) -> Authorization<'static> {
    let organization = pick(rng, organizations);
    let user = (!percent(rng, 3)).then(|| pick(rng, users).owner);
    let status = match rng.u8(..100) {
        0..86 => Status::Active,
        86..93 => Status::Inactive,
        _ => Status::Revoked,
    };
    Authorization {
        id: authorization_id(number),
        status,
        expires: expiry(rng),
        organization: organization.owner,
        user,
        permissions: permissions::draw(rng, organization, user.map(|user| user.id)),
    }
}

fn expiry(rng: &mut Rng) -> Option<i64> {
    match rng.u8(..100) {
        0..8 => Some(rng.i64(YEAR_2018..YEAR_2026)),
        8..24 => Some(rng.i64(YEAR_2101..YEAR_2200)),
        24 => Some(LAST_SECOND),
        _ => None,
    }
}

/// Returns the id of a record that was created some milliseconds after [`START`].
fn id(millis: u64, sequence: u64) -> u64 {
    ((START + millis) << 22) + sequence
}

fn authorization_id(number: u64) -> u64 {
    let id = id(number * PACE, AUTHORIZATION + number % 4096);
    match number {
        0 => 1000,
        1 => u64::MAX,
        2 => 1 << 63,
        // Negative in a signed column.
        _ if number % 64 == 63 => !id,
        _ => id,
    }
}

/// Draws an id that no record has.
pub fn unknown_id(rng: &mut Rng) -> u64 {
    id(rng.u64(..1 << 36), UNKNOWN + rng.u64(..4096))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::decision::{Denied, Presented, decide};

    #[test]
    fn the_seed_decides_the_world() {
        let world = |seed| format!("{:?}", World::new(&mut Rng::with_seed(seed), 300));
        assert_eq!(world(1), world(1));
        assert_ne!(world(1), world(2));
    }

    #[test]
    fn ids_are_unique() {
        let world = World::new(&mut Rng::with_seed(1), 3_000);
        let authorizations: BTreeSet<_> = world.authorizations.iter().map(|one| one.id).collect();
        assert_eq!(authorizations.len(), 3_000);
        assert!(!authorizations.contains(&0));
        let organizations = world.organizations.iter();
        let buckets = organizations.flat_map(|one| one.buckets).map(|bucket| bucket.id);
        let buckets: BTreeSet<_> = buckets.collect();
        assert_eq!(buckets.len(), 5 * world.organizations.len());
    }

    #[test]
    fn every_decision_occurs_and_half_of_the_requests_are_allowed() {
        let rng = &mut Rng::with_seed(1);
        let world = World::new(rng, 1_000);
        let mut counts = BTreeMap::<Option<Denied>, u32>::new();
        for _ in 0..10_000 {
            let one = pick(rng, &world.authorizations);
            let request = world.request(rng, one);
            let decision = decide(Presented::TokenOf(one), &request, NOW);
            *counts.entry(decision.err()).or_default() += 1;
        }
        // `Malformed` and `Unknown` depend on the text of the token.
        assert_eq!(counts.len(), 6, "{counts:?}");
        assert!(counts.values().all(|count| *count >= 100), "{counts:?}");
        assert!((4_000..=7_500).contains(&counts[&None]), "{counts:?}");
    }
}

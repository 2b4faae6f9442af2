//! The records of a corpus: organizations, users and authorizations.

use fastrand::Rng;
use serde::Serialize;

use super::grants;
use super::permission::Permission;
use super::text::TextKind;
use super::{percent, pick};

#[derive(Debug, Clone)]
pub(super) struct Org {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) active: bool,
    pub(super) buckets: [u64; 5],
}

impl Org {
    /// Returns the id of a resource that is not imported: a dashboard or a task.
    pub(super) fn resource(&self, rng: &mut Rng) -> u64 {
        self.buckets[0] + RESOURCE + rng.u64(..4096)
    }
}

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) active: bool,
}

/// The organizations and users.
#[derive(Debug)]
pub(super) struct Owners {
    pub(super) orgs: Vec<Org>,
    pub(super) users: Vec<User>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Active,
    Inactive,
    Revoked,
}

/// The parts of an authorization that decide requests.
#[derive(Debug, Clone)]
pub(super) struct Authorization<'o> {
    pub(super) id: u64,
    /// The token as its bearer presents it.
    pub(super) text: String,
    pub(super) kind: TextKind,
    pub(super) status: Status,
    /// Seconds since 1970.
    pub(super) expires: Option<i64>,
    pub(super) org: &'o Org,
    pub(super) user: Option<&'o User>,
    pub(super) permissions: Vec<Permission>,
}

/// Time of the oracle. Every expiry is before 2026 or after 2100, so that the clock of the machine
/// that runs the test gives the same decisions.
pub(super) const NOW: i64 = 2_000_000_000;
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
const ORG: u64 = 3 << 12;
const BUCKET: u64 = 4 << 12;
const RESOURCE: u64 = 1 << 12;
const UNKNOWN: u64 = 9 << 12;
/// Milliseconds between two authorizations.
const PACE: u64 = 6_000;

impl Owners {
    pub(super) fn new(authorizations: u32) -> Self {
        let count = u64::from(authorizations);
        Self {
            orgs: (0..10 + count / 20_000).map(org).collect(),
            users: (0..10 + count / 1_000).map(user).collect(),
        }
    }

    /// Returns an id that no record has.
    pub(super) fn unknown_id(rng: &mut Rng) -> u64 {
        ((START + rng.u64(..1 << 36)) << 22) + UNKNOWN + rng.u64(..4096)
    }
}

pub(super) fn authorizations<'o>(
    rng: &mut Rng,
    owners: &'o Owners,
    count: u32,
) -> Vec<Authorization<'o>> {
    let mut all = Vec::new();
    for number in 0..count {
        let id = authorization_id(number);
        let kind = TextKind::draw(rng);
        let org = pick(rng, &owners.orgs);
        let user = (!percent(rng, 3)).then(|| pick(rng, &owners.users));
        let status = match rng.u8(..100) {
            0..86 => Status::Active,
            86..93 => Status::Inactive,
            _ => Status::Revoked,
        };
        all.push(Authorization {
            id,
            text: kind.text(rng, id),
            kind,
            status,
            expires: expiry(rng),
            org,
            user,
            permissions: grants::draw(rng, org, user.map(|user| user.id)),
        });
    }
    all
}

/// Returns the milliseconds since 1970 at which an authorization was created.
pub(super) fn created_millis(number: usize) -> i64 {
    const INFLUX_EPOCH: u64 = 1_491_696_000_000;
    (INFLUX_EPOCH + START + number as u64 * PACE) as i64
}

fn authorization_id(number: u32) -> u64 {
    let id = ((START + u64::from(number) * PACE) << 22) + AUTHORIZATION + u64::from(number % 4096);
    match number {
        0 => 1000,
        1 => u64::MAX,
        2 => 1 << 63,
        // Negative in a signed column.
        _ if number % 64 == 63 => !id,
        _ => id,
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

fn org(number: u64) -> Org {
    let name = match number % 8 {
        5 => format!("Größe & Söhne {number}"),
        6 => format!("the \"{number}\" group"),
        _ => format!("org-{number:04}"),
    };
    let id = |kind, sequence| ((START + number) << 22) + kind + sequence;
    Org {
        id: if number == 0 { 1000 } else { id(ORG, 0) },
        name,
        active: number % 20 != 3,
        buckets: [0, 1, 2, 3, 4].map(|sequence| id(BUCKET, sequence)),
    }
}

fn user(number: u64) -> User {
    User {
        id: ((START + number) << 22) + USER,
        name: format!("zoë-{number:05}"),
        active: number % 20 != 7,
    }
}

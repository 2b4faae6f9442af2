//! Everything that a corpus knows: organizations, users, and each authorization, made again from its number when needed.

use serde::Serialize;

use super::permission::Permission;
use super::rng::{Rng, Stream};
use super::sets::PermissionSet;
use super::text::TextKind;

#[derive(Debug, Clone)]
pub(super) struct Org {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) active: bool,
    pub(super) buckets: [u64; 5],
}

impl Org {
    /// The id of a resource that nobody registers: a dashboard, a task.
    pub(super) fn resource(&self, rng: &mut Rng) -> u64 {
        self.buckets[0] + RESOURCE + rng.below(4096)
    }
}

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) active: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Active,
    Inactive,
    Revoked,
}

/// What decides about one authorization.
#[derive(Debug, Clone)]
pub(super) struct Authorization<'w> {
    pub(super) id: u64,
    /// What its bearer presents.
    pub(super) text: String,
    pub(super) kind: TextKind,
    pub(super) status: Status,
    /// Seconds since 1970.
    pub(super) expires: Option<i64>,
    pub(super) org: &'w Org,
    pub(super) user: Option<&'w User>,
    pub(super) permissions: Vec<Permission>,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) authorizations: u32,
    pub(super) orgs: Vec<Org>,
    pub(super) users: Vec<User>,
}

/// The fewest authorizations of a corpus: enough for the cast below.
pub(super) const FEWEST: u32 = 16;

/// Expiry times lie before 2026 or after 2100; this one is between them, and every clock that runs the tests agrees.
pub(super) const NOW: i64 = 2_000_000_000;
const YEAR_2018: u64 = 1_514_764_800;
const YEAR_2026: u64 = 1_767_225_600;
const YEAR_2101: u64 = 4_133_980_800;
const YEAR_2200: u64 = 7_258_118_400;
/// 2262-04-11T23:47:16Z, the last second that fits into 64-bit nanoseconds.
const LAST_SECOND: i64 = 9_223_372_036;

// InfluxDB's ids: milliseconds since April 2017, then 10 bits of machine, then 12 bits of sequence.
const START: u64 = 200_000_000_000;
const AUTHORIZATION: u64 = 1 << 12;
const USER: u64 = 2 << 12;
const ORG: u64 = 3 << 12;
const BUCKET: u64 = 4 << 12;
const RESOURCE: u64 = 1 << 12;
const UNKNOWN: u64 = 9 << 12;
/// Milliseconds between two authorizations.
const PACE: u64 = 6_000;

impl World {
    pub(super) fn new(seed: u64, authorizations: u32) -> Self {
        Self {
            seed,
            authorizations,
            orgs: (0..10 + u64::from(authorizations) / 20_000)
                .map(org)
                .collect(),
            users: (0..10 + u64::from(authorizations) / 1_000)
                .map(user)
                .collect(),
        }
    }

    /// The authorization with this number, the same at every call.
    pub(super) fn authorization(&self, number: u32) -> Authorization<'_> {
        let rng = &mut Rng::new(self.seed, Stream::Authorization, u64::from(number));
        let mut row = Authorization {
            id: authorization_id(number),
            text: String::new(),
            kind: TextKind::draw(rng),
            status: match rng.below(100) {
                0..86 => Status::Active,
                86..93 => Status::Inactive,
                _ => Status::Revoked,
            },
            expires: expiry(rng),
            org: rng.pick(&self.orgs),
            user: (!rng.percent(3)).then(|| rng.pick(&self.users)),
            permissions: Vec::new(),
        };
        let drawn = PermissionSet::draw(rng);
        let set = self.cast(&mut row, number, rng).unwrap_or(drawn);
        row.text = row.kind.text(rng, row.id);
        row.permissions = set.grants(rng, row.org, row.user.map(|user| user.id));
        row
    }

    /// Gives the first authorizations their parts, so that even the smallest corpus has one of everything.
    fn cast<'w>(
        &'w self,
        row: &mut Authorization<'w>,
        number: u32,
        rng: &mut Rng,
    ) -> Option<PermissionSet> {
        if number >= FEWEST {
            return None;
        }
        let number = number as usize;
        row.status = if number == 9 {
            Status::Inactive
        } else {
            Status::Active
        };
        row.expires = None;
        row.org = self.orgs.iter().find(|org| org.active != (number == 13))?;
        row.user = self.users.iter().find(|user| user.active != (number == 12));
        // The first ids are on the edges of their range, and a native text spells them.
        row.kind = *TextKind::ALL.get(number.saturating_sub(2) % TextKind::ALL.len())?;
        match number {
            10 => row.status = Status::Revoked,
            11 => row.expires = Some(past(rng)),
            _ => {}
        }
        PermissionSet::ALL.get(number).copied()
    }

    /// The id of something that does not exist.
    pub(super) fn unknown_id(&self, rng: &mut Rng) -> u64 {
        ((START + rng.below(1 << 36)) << 22) + UNKNOWN + rng.below(4096)
    }

    pub(super) fn org_with_id(&self, id: u64) -> Option<&Org> {
        self.orgs.iter().find(|org| org.id == id)
    }
}

/// Milliseconds since 1970 at which an authorization was made.
pub(super) fn created_millis(number: u32) -> i64 {
    const INFLUX_EPOCH: u64 = 1_491_696_000_000;
    (INFLUX_EPOCH + START + u64::from(number) * PACE) as i64
}

fn authorization_id(number: u32) -> u64 {
    let id = ((START + u64::from(number) * PACE) << 22) + AUTHORIZATION + u64::from(number % 4096);
    match number {
        0 => 1000,
        1 => u64::MAX,
        2 => 1 << 63,
        // Some have the sign bit set, as a signed column would see it.
        _ if number % 64 == 63 => !id,
        _ => id,
    }
}

fn expiry(rng: &mut Rng) -> Option<i64> {
    match rng.below(100) {
        0..8 => Some(past(rng)),
        8..24 => Some(rng.between(YEAR_2101, YEAR_2200) as i64),
        24 => Some(LAST_SECOND),
        _ => None,
    }
}

fn past(rng: &mut Rng) -> i64 {
    rng.between(YEAR_2018, YEAR_2026 - 1) as i64
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
        name: if number % 50 == 9 {
            format!("zoë.{number}")
        } else {
            format!("user-{number:05}")
        },
        active: number % 20 != 7,
    }
}

//! The records of a corpus, and the file that imports them, in InfluxDB v2's field names.

use chrono::{DateTime, SecondsFormat};
use fastrand::Rng;
use serde_json::{Value, json};

use super::permission::{self, Permission};
use super::text::TextKind;
use super::{hex, percent, pick, without_nulls};

/// An organization or a user.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) active: bool,
    /// The buckets of an organization; a user has none.
    pub(super) buckets: Vec<u64>,
}

/// The organizations and users.
#[derive(Debug)]
pub(super) struct Owners {
    pub(super) orgs: Vec<Owner>,
    pub(super) users: Vec<Owner>,
}

/// The parts of an authorization that decide requests.
#[derive(Debug)]
pub(super) struct Authorization<'o> {
    pub(super) id: u64,
    /// The token as its bearer presents it.
    pub(super) text: String,
    pub(super) kind: TextKind,
    /// `active`, `inactive` or `revoked`.
    pub(super) status: &'static str,
    /// Seconds since 1970.
    pub(super) expires: Option<i64>,
    pub(super) org: &'o Owner,
    pub(super) user: Option<&'o Owner>,
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
const INFLUX_EPOCH: u64 = 1_491_696_000_000;
const START: u64 = 200_000_000_000;
const AUTHORIZATION: u64 = 1 << 12;
const USER: u64 = 2 << 12;
const ORG: u64 = 3 << 12;
const BUCKET: u64 = 4 << 12;
const RESOURCE: u64 = 5 << 12;
const UNKNOWN: u64 = 9 << 12;
/// Milliseconds between two authorizations.
const PACE: u64 = 6_000;

const BUCKET_NAMES: [&str; 5] = ["telegraf", "metrics", "logs", "sensors/eu-1", "spot \"a\""];

impl Owner {
    fn org(number: u64) -> Self {
        let name = match number % 8 {
            5 => format!("Größe & Söhne {number}"),
            6 => format!("the \"{number}\" group"),
            _ => format!("org-{number:04}"),
        };
        Self {
            id: if number == 0 { 1000 } else { id(number, ORG) },
            name,
            active: number % 20 != 3,
            buckets: (0..5).map(|at| id(number, BUCKET + at)).collect(),
        }
    }

    fn user(number: u64) -> Self {
        Self {
            id: id(number, USER),
            name: format!("zoë-{number:05}"),
            active: number % 20 != 7,
            buckets: Vec::new(),
        }
    }

    /// Returns the id of a resource that is not imported: a dashboard or a task.
    pub(super) fn resource(&self, rng: &mut Rng) -> u64 {
        let first = self.buckets.first().copied().unwrap_or_default();
        first - BUCKET + RESOURCE + rng.u64(..4096)
    }

    fn json(&self) -> Value {
        // A missing status means "active"; both forms occur.
        let status = match self.active {
            true => (self.id >> 22 & 1 == 1).then_some("active"),
            false => Some("inactive"),
        };
        without_nulls(json!({"id": hex(self.id), "name": self.name, "status": status}))
    }

    fn buckets_json(&self) -> impl Iterator<Item = Value> {
        let row = |(&id, name)| json!({"id": hex(id), "name": name, "orgID": hex(self.id)});
        self.buckets.iter().zip(BUCKET_NAMES).map(row)
    }
}

impl Owners {
    pub(super) fn new(authorizations: u32) -> Self {
        let count = u64::from(authorizations);
        Self {
            orgs: (0..10 + count / 20_000).map(Owner::org).collect(),
            users: (0..10 + count / 1_000).map(Owner::user).collect(),
        }
    }

    pub(super) fn authorizations(&self, rng: &mut Rng, count: u32) -> Vec<Authorization<'_>> {
        let all = (0..count).map(|number| {
            let id = authorization_id(u64::from(number));
            let kind = TextKind::draw(rng);
            let org = pick(rng, &self.orgs);
            let user = (!percent(rng, 3)).then(|| pick(rng, &self.users));
            let status = match rng.u8(..100) {
                0..86 => "active",
                86..93 => "inactive",
                _ => "revoked",
            };
            let text = kind.text(rng, id);
            let expires = expiry(rng);
            let permissions = permission::draw(rng, org, user.map(|user| user.id));
            Authorization { id, text, kind, status, expires, org, user, permissions }
        });
        all.collect()
    }

    /// Returns an id that no record has.
    pub(super) fn unknown_id(rng: &mut Rng) -> u64 {
        id(rng.u64(..1 << 36), UNKNOWN + rng.u64(..4096))
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

fn expiry(rng: &mut Rng) -> Option<i64> {
    match rng.u8(..100) {
        0..8 => Some(rng.i64(YEAR_2018..YEAR_2026)),
        8..24 => Some(rng.i64(YEAR_2101..YEAR_2200)),
        24 => Some(LAST_SECOND),
        _ => None,
    }
}

impl Authorization<'_> {
    fn json(&self, rng: &mut Rng, number: usize) -> Value {
        let hash = self.kind.stored_hash(&self.text);
        let created = (INFLUX_EPOCH + START + number as u64 * PACE) as i64;
        let updated = created + rng.i64(0..90 * 86_400_000);
        without_nulls(json!({
            "id": hex(self.id),
            "status": self.status,
            "description": format!("CI job {number}"),
            "orgID": hex(self.org.id),
            "userID": self.user.map(|user| hex(user.id)),
            "permissions": self.permissions.iter().map(Permission::json).collect::<Vec<_>>(),
            "token": hash.is_none().then_some(&self.text),
            "hashedToken": hash,
            "createdAt": percent(rng, 90).then(|| date(created)),
            "updatedAt": percent(rng, 80).then(|| date(updated)),
            "expiresAt": self.expires.map(|seconds| date(seconds * 1000)),
        }))
    }
}

fn date(millis: i64) -> Option<String> {
    let time = DateTime::from_timestamp_millis(millis);
    time.map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Writes the import file, one record per line.
pub(super) fn import_file(rng: &mut Rng, owners: &Owners, all: &[Authorization<'_>]) -> String {
    let orgs = lines(owners.orgs.iter().map(Owner::json));
    let users = lines(owners.users.iter().map(Owner::json));
    let buckets = lines(owners.orgs.iter().flat_map(Owner::buckets_json));
    let all = lines(all.iter().enumerate().map(|(number, one)| one.json(rng, number)));
    format!(
        "{{\"orgs\":[{orgs}],\n\"users\":[{users}],\n\"buckets\":[{buckets}],\n\
         \"authorizations\":[{all}]}}\n"
    )
}

fn lines(rows: impl Iterator<Item = Value>) -> String {
    rows.map(|row| format!("\n{row}")).collect::<Vec<_>>().join(",")
}

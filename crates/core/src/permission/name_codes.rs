//! Numbers for the names of common actions and resource types, so that a check compares numbers
//! instead of texts.
//!
//! The numbers of an action and a resource type together form their *code*. Other names work as
//! well and are compared as texts.

use super::{Action, ResourceType};
use crate::name::MAX_NAME;

/// Resource types of InfluxDB OSS in their canonical order, followed by those that only InfluxDB
/// Cloud has.
pub(crate) const INFLUXDB_TYPES: [&str; 26] = [
    "authorizations",
    "buckets",
    "dashboards",
    "orgs",
    "sources",
    "tasks",
    "telegrafs",
    "users",
    "variables",
    "scrapers",
    "secrets",
    "labels",
    "views",
    "documents",
    "notificationRules",
    "notificationEndpoints",
    "checks",
    "dbrp",
    "notebooks",
    "annotations",
    "remotes",
    "replications",
    "instance",
    "flows",
    "functions",
    "subscriptions",
];

/// Well-known resource types. The index in this list is the number of the type.
const TYPES: [&str; INFLUXDB_TYPES.len() + 1] = {
    let mut types = ["databases"; INFLUXDB_TYPES.len() + 1];
    let (of_influxdb, _) = types.split_at_mut(INFLUXDB_TYPES.len());
    of_influxdb.copy_from_slice(&INFLUXDB_TYPES);
    types
};
const ACTIONS: [&str; 2] = ["read", "write"];

/// Number of every other name.
pub(crate) const OTHER: u8 = 0x80;
/// Bit that is set in the number of an action and not in that of a type.
const ACTION: u8 = 0x40;
/// Distance between the codes of two actions.
const STEP: u8 = 0x20;

/// Number of codes.
pub(super) const CODES: u8 = 0x40;

/// Returns the number of a name, given its bytes padded with zeros.
#[expect(
    clippy::indexing_slicing,
    reason = "const code has no iterators; the indices are below the lengths"
)]
pub(crate) const fn number(name: &Padded) -> u8 {
    let mut at = 0;
    while at < TYPES.len() {
        if same(&PADDED_TYPES[at], name) {
            return at as u8;
        }
        at += 1;
    }
    let mut at = 0;
    while at < ACTIONS.len() {
        if same(&PADDED_ACTIONS[at], name) {
            return ACTION + at as u8 * STEP;
        }
        at += 1;
    }
    OTHER
}

/// Returns the code of two well-known names, below [`CODES`]; otherwise at least [`CODES`].
#[inline]
pub(super) const fn code(action: Action, kind: ResourceType) -> u8 {
    (action.0.word() ^ ACTION) | kind.0.word()
}

/// Returns the names with this code.
pub(super) fn pair(code: u8) -> Option<(Action, ResourceType)> {
    let action = ACTIONS.get(usize::from(code / STEP))?;
    let kind = TYPES.get(usize::from(code % STEP))?;
    Some((Action::new(action).ok()?, ResourceType::new(kind).ok()?))
}

type Padded = [u8; MAX_NAME + 1];
const PADDED_TYPES: [Padded; TYPES.len()] = padded(TYPES);
const PADDED_ACTIONS: [Padded; ACTIONS.len()] = padded(ACTIONS);

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: a list that does not fit fails to build"
)]
const fn padded<const N: usize>(texts: [&str; N]) -> [Padded; N] {
    let mut all = [[0; MAX_NAME + 1]; N];
    let mut at = 0;
    while at < N {
        let text = texts[at].as_bytes();
        all[at].split_at_mut(text.len()).0.copy_from_slice(text);
        at += 1;
    }
    all
}

/// Compares word by word; the first word nearly always differs.
const fn same(one: &Padded, other: &Padded) -> bool {
    let (mut one, _) = one.as_chunks::<8>();
    let (mut other, _) = other.as_chunks::<8>();
    while let ([a, rest @ ..], [b, other_rest @ ..]) = (one, other) {
        if u64::from_ne_bytes(*a) != u64::from_ne_bytes(*b) {
            return false;
        }
        (one, other) = (rest, other_rest);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_for_one_pair_of_words() {
        let mut known = 0;
        for code in 0..CODES {
            if let Some((action, kind)) = pair(code) {
                assert_eq!(super::code(action, kind), code);
                known += 1;
            }
        }
        assert_eq!(known, 2 * TYPES.len());
        assert!(super::code(Action::WRITE, ResourceType::DATABASES) < CODES);
    }

    #[test]
    fn no_other_words_have_a_code() {
        // Includes names that are well known in the other position, or share a prefix or suffix
        // with one.
        let texts = ["read", "write", "buckets", "labels", "rea", "reads", "bucket", "bucketss"];
        for action in texts {
            for kind in texts {
                let known = ACTIONS.contains(&action) && TYPES.contains(&kind);
                let (action, kind) = (action.parse().unwrap(), kind.parse().unwrap());
                assert_eq!(code(action, kind) < CODES, known, "{action} {kind}");
            }
        }
    }
}

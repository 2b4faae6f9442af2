//! Generates the corpus of `cargo xtask e2e`: records to import, requests, and expected decisions.
//!
//! The documented rules are implemented here a second time, without the `symbolon` crates, so that
//! a mistake in the product cannot hide in its own test.
//!
//! | file | contents |
//! |---|---|
//! | `import.json` | organizations, users, buckets and authorizations, as InfluxDB v2 names them |
//! | `requests.jsonl` | a request per line: `token`, `action`, `type`, optional `id` and `org` |
//! | `expected.jsonl` | the decision on each request |
//!
//! The same arguments always generate the same bytes.

mod invalid;
mod oracle;
mod permission;
mod records;
mod requests;
mod text;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use fastrand::Rng;
use serde_json::Value;

use self::records::{Owners, import_file};
use crate::Failure;

/// Writes the three files into `dir`, with ten requests for each authorization.
///
/// # Errors
///
/// Fails if a file cannot be written, or if two tokens of this seed are equal.
pub(crate) fn write(dir: &Path, authorizations: u32, seed: u64) -> Result<(), Failure> {
    let rng = &mut Rng::with_seed(seed);
    let owners = Owners::new(authorizations);
    let all = owners.authorizations(rng, authorizations);
    fs::write(dir.join("import.json"), import_file(rng, &owners, &all))?;
    let index: oracle::Index<'_> = all.iter().map(|one| (one.text.as_str(), one)).collect();
    if index.len() < all.len() {
        return Err("two tokens are equal: choose another seed".into());
    }
    let create = |name: &str| File::create(dir.join(name)).map(BufWriter::new);
    let (mut requests, mut expected) = (create("requests.jsonl")?, create("expected.jsonl")?);
    for _ in 0..10 * authorizations {
        let (token, request) = requests::draw(rng, &owners, &all);
        let line = requests::line(rng, &owners, &token, &request);
        writeln!(requests, "{line}")?;
        writeln!(expected, "{}", oracle::decide(&index, &token, &request))?;
    }
    requests.flush()?;
    expected.flush()?;
    Ok(())
}

/// Returns one of `choices`, each with the same probability.
#[expect(clippy::indexing_slicing, reason = "callers pass lists that are never empty")]
fn pick<'a, T>(rng: &mut Rng, choices: &'a [T]) -> &'a T {
    &choices[rng.usize(..choices.len())]
}

/// Returns true with a probability of `share` in 100.
fn percent(rng: &mut Rng, share: u8) -> bool {
    rng.u8(..100) < share
}

/// Writes an id as the program does.
fn hex(id: u64) -> String {
    format!("{id:016x}")
}

/// Removes the members of an object that are null.
fn without_nulls(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    object
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn corpus(seed: u64) -> [String; 3] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 2_000, seed).unwrap();
        ["import.json", "requests.jsonl", "expected.jsonl"]
            .map(|file| fs::read_to_string(dir.path().join(file)).unwrap())
    }

    #[test]
    fn the_seed_decides_every_byte() {
        assert_eq!(corpus(7), corpus(7));
        for (one, other) in corpus(7).iter().zip(corpus(8)) {
            assert_ne!(*one, other);
        }
    }

    #[test]
    fn every_decision_and_every_form_of_grant_occurs_and_half_is_allowed() {
        let [_, _, expected] = corpus(1);
        let mut counts = BTreeMap::<String, u32>::new();
        for line in expected.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let permission = line["permission"].as_str().unwrap_or_default();
            let name = match line["reason"].as_str() {
                Some(reason) => reason.to_owned(),
                None => {
                    *counts.entry("allow".to_owned()).or_default() += 1;
                    let has_org = permission.contains("orgs/");
                    format!("org={has_org} slashes={}", permission.matches('/').count())
                }
            };
            *counts.entry(name).or_default() += 1;
        }
        // `allow`, seven reasons and four forms: both, one or none of organization and id.
        assert_eq!(counts.len(), 8 + 5, "{counts:?}");
        assert!(counts.values().all(|count| *count >= 100), "{counts:?}");
        assert!((8_000..=12_000).contains(&counts["allow"]), "{counts:?}");
    }
}

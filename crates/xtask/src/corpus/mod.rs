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

mod grants;
mod import;
mod invalid;
mod native;
mod oracle;
mod permission;
mod records;
mod requests;
mod text;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use fastrand::Rng;

use self::oracle::Oracle;
use self::records::{Owners, authorizations};
use crate::Failure;

/// Size and seed of a corpus.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Corpus {
    pub(crate) authorizations: u32,
    pub(crate) requests: u32,
    pub(crate) seed: u64,
}

impl Corpus {
    /// Writes the three files into `dir`.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be written, or if two tokens of this seed are equal.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), Failure> {
        let rng = &mut Rng::with_seed(self.seed);
        let owners = Owners::new(self.authorizations);
        let all = authorizations(rng, &owners, self.authorizations);
        let create = |name: &str| File::create(dir.join(name)).map(BufWriter::new);

        let mut file = create("import.json")?;
        import::write(rng, &owners, &all, &mut file)?;
        file.flush()?;

        let oracle = Oracle::new(&all)?;
        let (mut requests, mut expected) = (create("requests.jsonl")?, create("expected.jsonl")?);
        for _ in 0..self.requests {
            let (token, request) = requests::draw(rng, &owners, &all);
            let decision = oracle.decide(&token, &request);
            let line = requests::Line::new(rng, &owners, token, &request);
            serde_json::to_writer(&mut requests, &line)?;
            serde_json::to_writer(&mut expected, &decision)?;
            writeln!(requests)?;
            writeln!(expected)?;
        }
        requests.flush()?;
        expected.flush()?;
        Ok(())
    }
}

/// Returns one of `choices`, each with the same probability.
#[expect(
    clippy::indexing_slicing,
    reason = "callers pass lists that are never empty"
)]
fn pick<'a, T>(rng: &mut Rng, choices: &'a [T]) -> &'a T {
    &choices[rng.usize(..choices.len())]
}

/// Returns true with a probability of `share` in 100.
fn percent(rng: &mut Rng, share: u8) -> bool {
    rng.u8(..100) < share
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};
    use std::fs;

    use serde_json::Value;

    use super::*;

    fn corpus(seed: u64) -> [String; 3] {
        let dir = tempfile::tempdir().unwrap();
        let (authorizations, requests) = (2_000, 20_000);
        let corpus = Corpus {
            authorizations,
            requests,
            seed,
        };
        corpus.write(dir.path()).unwrap();
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

    #[test]
    fn imported_records_satisfy_the_rules_of_an_import() {
        let [import, ..] = corpus(3);
        let import: Value = serde_json::from_str(&import).unwrap();
        let list = |name: &str| import[name].as_array().unwrap();
        let id = |value: &Value| {
            value
                .as_str()
                .map(|id| u64::from_str_radix(id, 16).unwrap())
        };
        let ids = |name: &str| -> HashSet<u64> {
            list(name).iter().filter_map(|row| id(&row["id"])).collect()
        };
        for name in ["orgs", "users", "buckets", "authorizations"] {
            assert_eq!(ids(name).len(), list(name).len(), "{name}: distinct ids");
            // Ids below 1000 are reserved.
            assert!(ids(name).iter().all(|id| *id >= 1000), "{name}");
        }
        for name in ["orgs", "users"] {
            let mut rows = list(name).iter();
            assert!(rows.any(|row| row["status"] == "inactive"), "{name}");
        }
        let (orgs, users) = (ids("orgs"), ids("users"));
        for row in list("authorizations") {
            assert_ne!(row["token"].is_string(), row["hashedToken"].is_string());
            let org = id(&row["orgID"]).unwrap();
            assert!(orgs.contains(&org), "{row}");
            assert!(
                id(&row["userID"]).is_none_or(|user| users.contains(&user)),
                "{row}"
            );
            for permission in row["permissions"].as_array().unwrap() {
                let granted = id(&permission["resource"]["orgID"]);
                assert!(granted.is_none_or(|granted| granted == org), "{row}");
            }
            for name in ["createdAt", "updatedAt", "expiresAt"] {
                let date = row[name].as_str().unwrap_or("2026-01-01T00:00:00Z");
                assert!(date.len() >= 20 && date.starts_with('2'), "{row}");
            }
            // The clock of the machine that runs the test does not decide.
            if let Some(date) = row["expiresAt"].as_str() {
                assert!(!("2026".."2101").contains(&date), "{row}");
            }
        }
    }
}

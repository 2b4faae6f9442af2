//! Generates the corpus of `cargo xtask e2e`: records to import, requests, and expected decisions.
//!
//! World, requests and decisions are those of `symbolon-oracle`. The forms of tokens and records
//! are implemented here a second time, without the other `symbolon` crates.
//!
//! | file | contents |
//! |---|---|
//! | `import.json` | organizations, users, buckets and authorizations, as InfluxDB v2 names them |
//! | `requests.jsonl` | a request per line: `token`, `action`, `type`, optional `id` and `org` |
//! | `expected.jsonl` | the decision on each request |
//!
//! The same arguments always generate the same bytes.

mod invalid;
mod json;
mod text;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use symbolon_oracle::random::{Rng, pick};
use symbolon_oracle::world::NOW;
use symbolon_oracle::{Authorization, Presented, World, decide};

use self::invalid::{malformed, unknown};
use self::text::{TextKind, is_malformed};
use crate::Failure;

/// An authorization and its token.
#[derive(Debug)]
struct Issued<'w> {
    authorization: &'w Authorization<'static>,
    /// The token as its bearer presents it.
    text: String,
    kind: TextKind,
}

/// Authorizations by the texts of their tokens.
type Index<'c> = HashMap<&'c str, &'c Authorization<'static>>;

/// Writes the three files into `dir`, with ten requests for each authorization.
///
/// # Errors
///
/// Fails if a file cannot be written, or if two tokens of this seed are equal.
pub(crate) fn write(dir: &Path, authorizations: u32, seed: u64) -> Result<(), Failure> {
    let rng = &mut Rng::with_seed(seed);
    let world = World::new(rng, authorizations);
    let issued: Vec<_> = world.authorizations.iter().map(|one| issue(rng, one)).collect();
    fs::write(dir.join("import.json"), json::import_file(rng, &world, &issued))?;
    let index: Index<'_> =
        issued.iter().map(|one| (one.text.as_str(), one.authorization)).collect();
    if index.len() < issued.len() {
        return Err("two tokens are equal: choose another seed".into());
    }
    let create = |name: &str| File::create(dir.join(name)).map(BufWriter::new);
    let (mut requests, mut expected) = (create("requests.jsonl")?, create("expected.jsonl")?);
    for _ in 0..10 * authorizations {
        let existing = pick(rng, &issued);
        let token = presented(rng, existing);
        let request = world.request(rng, existing.authorization);
        writeln!(requests, "{}", json::request(rng, &world, &token, &request))?;
        let found = index.get(token.as_str()).copied();
        let presented = match found {
            _ if is_malformed(&token) => Presented::Malformed,
            None => Presented::Unknown,
            Some(authorization) => Presented::TokenOf(authorization),
        };
        let decision = decide(presented, &request, NOW);
        writeln!(expected, "{}", json::decision(found.map(|one| one.id), decision))?;
    }
    requests.flush()?;
    expected.flush()?;
    Ok(())
}

fn issue<'w>(rng: &mut Rng, authorization: &'w Authorization<'static>) -> Issued<'w> {
    let kind = TextKind::draw(rng);
    Issued { authorization, text: kind.text(rng, authorization.id), kind }
}

/// Draws the text that a bearer presents: three in four tokens exist.
fn presented(rng: &mut Rng, existing: &Issued<'_>) -> String {
    match rng.u8(..100) {
        0..12 => malformed(rng, existing),
        12..24 => unknown(rng, existing),
        _ => existing.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

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

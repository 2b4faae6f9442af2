//! The corpus as a whole.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::category::Category;
use super::world::FEWEST;
use super::{CorpusArgs, write};

const FILES: [&str; 4] = [
    "import.json",
    "requests.jsonl",
    "expected.jsonl",
    "summary.json",
];

fn corpus(dir: &Path, authorizations: u32, requests: u64, seed: u64) -> Value {
    write(&CorpusArgs {
        authorizations,
        requests,
        seed,
        dir: dir.to_owned(),
    })
    .unwrap();
    serde_json::from_slice(&fs::read(dir.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let [one, two, other] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    corpus(one.path(), 500, 2_000, 7);
    corpus(two.path(), 500, 2_000, 7);
    corpus(other.path(), 500, 2_000, 8);
    for file in FILES {
        let [one, two, other] =
            [&one, &two, &other].map(|dir| fs::read(dir.path().join(file)).unwrap());
        assert_eq!(one, two, "{file}");
        assert_ne!(one, other, "{file}");
    }
}

#[test]
fn every_category_and_text_is_present_and_about_half_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let summary = corpus(dir.path(), 2_000, 20_000, 1);
    for counts in ["byCategory", "byKnownText"] {
        for (name, count) in summary[counts].as_object().unwrap() {
            assert!(count.as_u64().unwrap() > 20, "{name}: {count}");
        }
    }
    let reasons = summary["byReason"].as_object().unwrap();
    assert_eq!(reasons.len(), 8, "{reasons:?}");
    let allowed = reasons["allow"].as_u64().unwrap();
    assert!((8_000..=12_000).contains(&allowed), "{allowed}");
}

#[test]
fn the_smallest_corpus_has_every_category_whatever_the_seed() {
    for seed in 0..50 {
        let dir = tempfile::tempdir().unwrap();
        let summary = corpus(dir.path(), FEWEST, 1_000, seed);
        let categories = summary["byCategory"].as_object().unwrap();
        assert_eq!(categories.len(), Category::TABLE.len());
        assert!(
            categories.values().all(|count| count != 0),
            "seed {seed}: {categories:?}"
        );
    }
}

#[test]
fn shares_are_thousandths() {
    assert_eq!(
        Category::TABLE
            .iter()
            .map(|(_, _, share)| share)
            .sum::<u64>(),
        1_000
    );
    assert!(Category::TABLE.iter().all(|(_, _, share)| *share >= 5));
}

#[test]
fn imported_records_keep_the_rules_of_an_import() {
    let dir = tempfile::tempdir().unwrap();
    corpus(dir.path(), 3_000, 1, 3);
    let import: Value =
        serde_json::from_slice(&fs::read(dir.path().join("import.json")).unwrap()).unwrap();
    let list = |name: &str| import[name].as_array().unwrap();
    let id = |row: &Value, key: &str| {
        row[key]
            .as_str()
            .map(|id| u64::from_str_radix(id, 16).unwrap())
    };
    let ids = |name: &str| -> HashSet<u64> {
        list(name).iter().filter_map(|row| id(row, "id")).collect()
    };

    for name in ["orgs", "users", "buckets", "authorizations"] {
        assert_eq!(
            ids(name).len(),
            list(name).len(),
            "{name}: ids are distinct"
        );
        assert!(
            ids(name).iter().all(|id| *id >= 1000),
            "{name}: ids under 1000 are reserved"
        );
    }
    for name in ["orgs", "users"] {
        assert!(
            list(name).iter().any(|row| row["status"] == "inactive"),
            "{name}"
        );
    }
    let (orgs, users) = (ids("orgs"), ids("users"));
    for row in list("authorizations") {
        assert!(
            row["token"].is_string() != row["hashedToken"].is_string(),
            "{row}"
        );
        let org = id(row, "orgID").unwrap();
        assert!(
            orgs.contains(&org) && id(row, "userID").is_none_or(|user| users.contains(&user)),
            "{row}"
        );
        for permission in row["permissions"].as_array().unwrap() {
            let resource = &permission["resource"];
            assert_ne!(resource["type"], "instance");
            assert!(
                id(resource, "orgID").is_none_or(|granted| granted == org),
                "{row}"
            );
        }
        for date in ["createdAt", "updatedAt", "expiresAt"] {
            let date = row[date].as_str();
            assert!(
                date.is_none_or(|date| chrono::DateTime::parse_from_rfc3339(date).is_ok()),
                "{row}"
            );
            assert!(
                date.is_none_or(|date| !("2026".."2101").contains(&date)),
                "{row}"
            );
        }
    }
}

//! The records of the server before the first request: enough of each kind to be found.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// Number of records of each kind. Requests delete some of them.
const EACH: u64 = 60;
/// Kinds of records and their first ids.
const KINDS: [(&str, u64); 4] =
    [("orgs", 0xe_0000), ("users", 0xf_0000), ("buckets", 0xb_0000), ("authorizations", 0xa_0000)];

/// Writes an import file, and a dictionary of the ids of each kind, one in quotes per line.
pub(super) fn write(folder: &Path) -> Result<(), Failure> {
    let mut file = Map::new();
    for (kind, _) in KINDS {
        let ids: String = (0..EACH).map(|number| format!("\"{}\"\n", id(kind, number))).collect();
        fs::write(folder.join(format!("{kind}.txt")), ids)?;
        file.insert(kind.to_owned(), (0..EACH).map(|number| record(kind, number)).collect());
    }
    fs::write(folder.join("import.json"), Value::from(file).to_string())?;
    Ok(())
}

fn record(kind: &str, number: u64) -> Value {
    let (id, org, user) = (id(kind, number), id("orgs", number), id("users", number));
    match kind {
        "buckets" => json!({"id": id, "orgID": org, "name": format!("bucket {number}")}),
        "authorizations" => json!({
            "id": id, "orgID": org, "userID": user, "token": format!("{number:0>40}"),
            "permissions": [format!("read:orgs/{org}/buckets")],
        }),
        _ => json!({"id": id, "name": format!("{kind} {number}")}),
    }
}

fn id(kind: &str, number: u64) -> String {
    let first = KINDS.iter().find(|(name, _)| *name == kind).map_or(0, |(_, first)| *first);
    format!("{:016x}", first + number)
}

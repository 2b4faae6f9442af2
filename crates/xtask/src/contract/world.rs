//! The records of the server before the first request: enough of each kind to be found.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::Failure;

/// Number of records of each kind. Requests delete some of them.
const EACH: u64 = 60;

/// A kind of record and its first id.
const ORGANIZATIONS: (&str, u64) = ("orgs", 0xe_0000);
const USERS: (&str, u64) = ("users", 0xf_0000);
const BUCKETS: (&str, u64) = ("buckets", 0xb_0000);
const AUTHORIZATIONS: (&str, u64) = ("authorizations", 0xa_0000);

/// Writes an import file, and a dictionary of the ids of each kind, one in quotes per line.
///
/// # Errors
///
/// Fails if a file cannot be written.
pub(crate) fn write(folder: &Path) -> Result<(), Failure> {
    for (kind, first) in [ORGANIZATIONS, USERS, BUCKETS, AUTHORIZATIONS] {
        let line = |number| format!("\"{}\"\n", hex(first + number));
        let ids: String = (0..EACH).map(line).collect();
        fs::write(folder.join(format!("{kind}.txt")), ids)?;
    }
    let id = |kind: (&str, u64), number: u64| hex(kind.1 + number);
    let list = |kind: (&str, u64), more: &dyn Fn(u64) -> serde_json::Value| -> Vec<_> {
        let row = |number| {
            let mut row = more(number);
            if let Some(row) = row.as_object_mut() {
                row.insert("id".to_owned(), json!(id(kind, number)));
            }
            row
        };
        (0..EACH).map(row).collect()
    };
    let file = json!({
        "orgs": list(ORGANIZATIONS, &|number| json!({"name": format!("organization {number}")})),
        "users": list(USERS, &|number| json!({"name": format!("user {number}")})),
        "buckets": list(BUCKETS, &|number| {
            json!({"orgID": id(ORGANIZATIONS, number), "name": format!("bucket {number}")})
        }),
        "authorizations": list(AUTHORIZATIONS, &|number| {
            let org = id(ORGANIZATIONS, number);
            json!({
                "orgID": org, "userID": id(USERS, number), "token": format!("{number:0>40}"),
                "permissions": [format!("read:orgs/{org}/buckets")],
            })
        }),
    });
    fs::write(folder.join("import.json"), file.to_string())?;
    Ok(())
}

fn hex(id: u64) -> String {
    format!("{id:016x}")
}

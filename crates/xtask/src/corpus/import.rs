//! The import file: one record per line, in InfluxDB v2's field names.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat};
use fastrand::Rng;
use serde::Serialize;
use serde_json::{Value, json};

use super::permission::Permission;
use super::records::{Authorization, Owners, created_millis};

pub(super) fn write(
    rng: &mut Rng,
    owners: &Owners,
    authorizations: &[Authorization<'_>],
    out: &mut impl Write,
) -> io::Result<()> {
    let orgs = owners.orgs.iter();
    let orgs = orgs.map(|org| owner(org.id, &org.name, org.active));
    let users = owners.users.iter();
    let users = users.map(|user| owner(user.id, &user.name, user.active));
    let buckets = owners.orgs.iter().flat_map(|org| {
        let names = [
            "telegraf",
            "metrics",
            "logs",
            "sensors/eu-1",
            "spot \"prices\"",
        ];
        let row = |(id, name)| json!({"id": hex(id), "name": name, "orgID": hex(org.id)});
        org.buckets.into_iter().zip(names).map(row)
    });
    let rows = authorizations.iter().enumerate();
    let rows = rows.map(|(number, one)| authorization(rng, number, one));
    write_rows(out, "{\"orgs\":[", orgs)?;
    write_rows(out, "],\n\"users\":[", users)?;
    write_rows(out, "],\n\"buckets\":[", buckets)?;
    write_rows(out, "],\n\"authorizations\":[", rows)?;
    out.write_all(b"]}\n")
}

fn write_rows<T: Serialize>(
    out: &mut impl Write,
    head: &str,
    rows: impl Iterator<Item = T>,
) -> io::Result<()> {
    out.write_all(head.as_bytes())?;
    let mut separator = "\n";
    for row in rows {
        out.write_all(separator.as_bytes())?;
        serde_json::to_writer(&mut *out, &row)?;
        separator = ",\n";
    }
    Ok(())
}

fn owner(id: u64, name: &str, active: bool) -> Value {
    let mut row = json!({"id": hex(id), "name": name});
    // A missing status means "active"; both forms occur.
    if !active || id >> 22 & 1 == 0 {
        let status = if active { "active" } else { "inactive" };
        set(&mut row, "status", status.to_owned());
    }
    row
}

fn authorization(rng: &mut Rng, number: usize, one: &Authorization<'_>) -> Value {
    let mut row = json!({
        "id": hex(one.id),
        "status": one.status,
        "description": format!("CI job {number}"),
        "orgID": hex(one.org.id),
        "permissions": one.permissions.iter().map(grant).collect::<Vec<_>>(),
    });
    match one.kind.stored_hash(&one.text) {
        Some(hash) => set(&mut row, "hashedToken", hash),
        None => set(&mut row, "token", one.text.clone()),
    }
    if let Some(user) = one.user {
        set(&mut row, "userID", hex(user.id));
    }
    let created = created_millis(number);
    let updated = created + rng.i64(0..90 * 86_400_000);
    for (name, millis) in [
        ("createdAt", Some(created).filter(|_| rng.u8(..10) > 0)),
        ("updatedAt", Some(updated).filter(|_| rng.u8(..10) > 1)),
        ("expiresAt", one.expires.map(|seconds| seconds * 1000)),
    ] {
        let time = millis.and_then(DateTime::from_timestamp_millis);
        if let Some(time) = time {
            set(
                &mut row,
                name,
                time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            );
        }
    }
    row
}

fn grant(permission: &Permission) -> Value {
    let mut resource = json!({"type": permission.kind});
    for (name, id) in [("id", permission.id), ("orgID", permission.org)] {
        if let Some(id) = id {
            set(&mut resource, name, hex(id));
        }
    }
    json!({"action": permission.action, "resource": resource})
}

fn set(row: &mut Value, name: &str, text: String) {
    if let Some(row) = row.as_object_mut() {
        row.insert(name.to_owned(), text.into());
    }
}

fn hex(id: u64) -> String {
    format!("{id:016x}")
}

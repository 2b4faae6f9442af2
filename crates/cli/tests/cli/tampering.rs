//! Tampering with the database without its key gains no access, and `fsck` reports it.

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::common::{DB, Home, err, out, token};

const AUTHORIZATION: i64 = 1;

/// Returns the stored form of an id.
fn column(id: u64) -> i64 {
    (id ^ 1 << 63).cast_signed()
}

fn intruder(home: &Home, sql: &str, values: impl rusqlite::Params) {
    let connection = Connection::open(home.path(DB)).unwrap();
    assert_eq!(connection.execute(sql, values).unwrap(), 1, "{sql}");
}

fn bytes_of(home: &Home, id: u64) -> Vec<u8> {
    let connection = Connection::open(home.path(DB)).unwrap();
    let sql = "SELECT bytes FROM record WHERE kind = ?1 AND id = ?2";
    connection.query_row(sql, params![AUTHORIZATION, column(id)], |row| row.get(0)).unwrap()
}

/// Asserts that the token is refused and that `fsck` names the record.
fn assert_found(home: &Home, token: &str, reason: &str, id: &str) {
    assert_eq!(home.reads(token), reason);
    let found = home.run(&["fsck", "--json"]).code(1);
    assert!(err(&found).starts_with("Error: the store is not sound: "), "{}", err(&found));
    let report: Value = serde_json::from_str(&out(&found)).unwrap();
    let problems = report["problems"].as_array().unwrap();
    assert!(problems.iter().any(|one| one["id"] == id), "{report}");
    assert_eq!(report["sound"], false);
    let shown = home.run(&["fsck"]).code(1);
    assert!(out(&shown).contains(id), "{}", out(&shown));
    assert!(!out(&shown).contains("No problems found"));
}

#[test]
fn a_planted_hash_is_rejected() {
    let home = Home::with_sample();
    // The form that InfluxDB accepts: the SHA-256 of a token that the attacker has.
    let foreign_hash = symbolon::ForeignHash::sha256(token(50).as_bytes());
    assert!(matches!(foreign_hash, symbolon::ForeignHash::Sha256(_)));
    let symbolon::ForeignHash::Sha256(digest) = foreign_hash else {
        return;
    };
    let unique = [&[1], digest.as_slice()].concat();
    let sql = "INSERT INTO record \
               SELECT kind, ?1, revision, ?2, organization, user, status, face, bytes \
               FROM record WHERE kind = 1 AND id = ?3";
    intruder(&home, sql, params![column(0xaff), unique, column(0xa06)]);
    assert_found(&home, &token(50), "unknown", "0000000000000aff");
    assert_eq!(home.reads(&token(6)), "allow");
}

#[test]
fn a_widened_permission_is_rejected() {
    let home = Home::with_sample();
    let mut bytes = bytes_of(&home, 0xa05);
    let at = bytes.windows(4).position(|word| word == b"read").unwrap();
    bytes[at..at + 4].copy_from_slice(b"wri_");
    let sql = "UPDATE record SET bytes = ?1 WHERE kind = 1 AND id = ?2";
    intruder(&home, sql, params![bytes, column(0xa05)]);
    assert_found(&home, &token(5), "unknown", "0000000000000a05");
}

#[test]
fn a_flipped_status_is_rejected() {
    let home = Home::with_sample();
    let sql = "UPDATE record SET status = (SELECT status FROM record WHERE kind = 1 AND id = ?1) \
               WHERE kind = 1 AND id = ?2";
    intruder(&home, sql, params![column(0xa01), column(0xa02)]);
    assert_found(&home, &token(2), "unknown", "0000000000000a02");
}

#[test]
fn a_changed_column_is_rejected() {
    for assignment in [
        "organization = organization + 1",
        "user = 5",
        "user = NULL",
        "face = 2",
        "status = 2",
        "uniq = randomblob(33)",
    ] {
        let home = Home::with_sample();
        let sql = format!("UPDATE record SET {assignment} WHERE kind = 1 AND id = ?1");
        intruder(&home, &sql, [column(0xa01)]);
        assert_found(&home, &token(1), "unknown", "0000000000000a01");
        assert_eq!(home.reads(&token(6)), "allow", "nothing else is in its way");
    }
    let home = Home::with_sample();
    let sql = "UPDATE record SET organization = ?1 WHERE kind = 1 AND id = ?2";
    intruder(&home, sql, params![column(0xb01), column(0xa05)]);
    assert_found(&home, &token(5), "unknown", "0000000000000a05");
}

#[test]
fn a_record_moved_to_another_id_is_rejected() {
    let home = Home::with_sample();
    let sql = "UPDATE record SET id = ?1 WHERE kind = 1 AND id = ?2";
    intruder(&home, sql, params![column(0xaee), column(0xa01)]);
    assert_found(&home, &token(1), "unknown", "0000000000000aee");
}

#[test]
fn bytes_copied_between_records_are_rejected() {
    let home = Home::with_sample();
    let sql = "UPDATE record SET bytes = ?1 WHERE kind = 1 AND id = ?2";
    intruder(&home, sql, params![bytes_of(&home, 0xa01), column(0xa02)]);
    assert_found(&home, &token(2), "unknown", "0000000000000a02");
}

#[test]
fn missing_or_exchanged_owners_are_rejected() {
    let home = Home::with_sample();
    intruder(&home, "DELETE FROM record WHERE kind = 2 AND id = ?1", [column(0xc01)]);
    let found = home.run(&["fsck"]).code(1);
    assert!(out(&found).contains("its owner, user 0000000000000c01, is not in the store"));
    assert_eq!(home.reads(&token(1)), "owner_inactive");
    let home = Home::with_sample();
    intruder(&home, "UPDATE record SET status = 2 WHERE kind = 3 AND id = ?1", [column(0xb01)]);
    assert_found(&home, &token(1), "owner_inactive", "0000000000000b01");
}

#[test]
fn tampered_settings_are_rejected() {
    let home = Home::with_sample();
    intruder(
        &home,
        "UPDATE record SET bytes = zeroblob(64) WHERE kind = 5 AND id = ?1",
        [column(1)],
    );
    let found = home.run(&["fsck", "--json"]).code(1);
    let text = out(&found) + &err(&found);
    assert!(text.contains("settings") || text.contains("key"), "{text}");
    let refused = home
        .command(&["check", "--action=read", "--type=tasks"])
        .write_stdin(token(1))
        .assert()
        .code(2);
    assert!(err(&refused).starts_with("Error: "), "{}", err(&refused));
    let home = Home::with_sample();
    intruder(&home, "DELETE FROM record WHERE kind = 5 AND id = ?1", [column(1)]);
    // It does not count as a new store.
    home.run(&["setup", "--org=o", "--user=u"]).code(1);
    home.import(&crate::common::sample(), &[]).code(1);
    assert!(err(&home.run(&["fsck"]).code(1)).contains("Error: "));
}

#[test]
fn check_warns_about_tampered_records() {
    let home = Home::with_sample();
    intruder(&home, "UPDATE record SET face = 2 WHERE kind = 1 AND id = ?1", [column(0xa05)]);
    let arguments = ["check", "--action=read", "--type=buckets", "--org=my-org"];
    let done = home.command(&arguments).write_stdin(token(1)).assert().code(0);
    let error = err(&done);
    assert_eq!(
        error
            .matches("Warning: authorization 0000000000000a05: the record was tampered with")
            .count(),
        1,
        "{error}"
    );
}

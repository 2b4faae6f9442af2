//! Files with settings of version 1: the store, key, journal and backup open, and set-up stays
//! closed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;

use crate::common::{DB, Home, err, out};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/settings-v1");
const SETUP: [&str; 3] = ["setup", "--org=another", "--user=another"];

/// Copies a store with its key and journal, with private file modes.
fn home_with(name: &str) -> Home {
    let home = Home::new();
    let from = Path::new(FIXTURE).join(name);
    let keys = home.path(DB).with_extension("db.keys");
    copy(&from.join("tokens.db"), &home.path(DB));
    copy(&from.join("tokens.db.keys/key"), &keys.join("key"));
    let chain = "key.journal/chain-0001.jsonl";
    copy(&from.join("tokens.db.keys").join(chain), &keys.join(chain));
    home
}

fn copy(from: &Path, to: &Path) {
    let folder = to.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(to, fs::read(from).unwrap()).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o600)).unwrap();
}

fn token(name: &str) -> String {
    let text = fs::read_to_string(Path::new(FIXTURE).join(name)).unwrap();
    text.trim().to_owned()
}

#[track_caller]
fn assert_decides(home: &Home) {
    let may = ["--action=read", "--type=buckets", "--org=my-org"];
    assert_eq!(home.check(&token("operator.token"), &may)["allow"], true);
    assert_eq!(home.check(&token("kept.token"), &may)["allow"], true);
    let revoked = home.check(&token("revoked.token"), &may);
    assert_eq!(revoked["reason"], "revoked");
}

#[test]
fn a_used_store_opens_and_cannot_be_set_up_again() {
    let home = home_with("used");
    assert_decides(&home);
    home.run(&["fsck"]).success();
    home.run(&["audit", "verify"]).success();
    let refused = home.run(&SETUP).code(1);
    assert!(err(&refused).contains("set-up has been done already"));
    // The first change writes the settings in the new version.
    home.operate(&["org", "create", "--name=new"]).success();
    assert_decides(&home);
    home.run(&["fsck"]).success();
}

#[test]
fn a_restored_backup_keeps_revoked_tokens_revoked() {
    let home = home_with("used");
    let backup = Path::new(FIXTURE).join("before-revoke.backup");
    let restored = home.operate(&["restore", backup.to_str().unwrap(), "--replace"]);
    restored.success();
    assert_decides(&home);
}

#[test]
fn the_journal_records_a_set_up_whose_record_was_removed() {
    for everything in [false, true] {
        let home = home_with("used");
        let connection = Connection::open(home.path(DB)).unwrap();
        let sql = if everything {
            "DELETE FROM record WHERE kind <> 5 OR id <> ?1"
        } else {
            "DELETE FROM record WHERE kind = 5 AND id <> ?1"
        };
        connection.execute(sql, [(1 ^ 1_u64 << 63).cast_signed()]).unwrap();
        drop(connection);
        let refused = home.run(&SETUP).code(1);
        let error = err(&refused);
        assert!(error.contains("set-up has been done already"), "{error}");
    }
}

#[test]
fn a_store_that_was_only_created_can_be_set_up() {
    let home = home_with("unused");
    home.run(&["fsck"]).success();
    let done = home.run(&SETUP).success();
    assert!(out(&done).contains("sym_"), "{}", out(&done));
    home.run(&["fsck"]).success();
    home.run(&SETUP).code(1);
}

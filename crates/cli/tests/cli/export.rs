//! `symbolon export`, and the import of its output.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;
use symbolon::StoreKey;
use symbolon_files::{KeyFile, create_private, private_dir};

use crate::common::{HASH_OF_6, Home, ORG, STORES, decides, err, out, token};

/// Creates a store with records of every kind: the sample, and a set-up.
fn home(store: &'static str) -> Home {
    let home = Home::with_sample_on(store);
    home.run(&["setup", "--adopt", "--org=my-org", "--user=me", "--write-token=op"]).success();
    home
}

fn give_key(from: &Home, to: &Home) {
    private_dir(to.key().parent().unwrap()).unwrap();
    create_private(&to.key(), &fs::read(from.key()).unwrap()).unwrap();
}

#[test]
fn export_and_import_round_trip_both_store_kinds() {
    for (from, to) in [(STORES[0], STORES[1]), (STORES[1], STORES[0])] {
        let home = home(from);
        let done = home.run(&["export", "all.json", "--with-hashes"]).success();
        assert!(out(&done).starts_with("Exported 11 items in "), "{}", out(&done));
        let json = fs::read_to_string(home.path("all.json")).unwrap();
        assert!(json.contains(HASH_OF_6) && json.contains("$symbolon-blake3$"));
        assert!(!json.contains(&token(1)));
        let other = Home::on(to);
        give_key(&home, &other);
        let done = other.import(&json, &[]).success();
        assert!(out(&done).contains("Imported 11 items"), "{}", out(&done));
        // Before any check, which may replace an imported hash with a keyed one.
        let again = other.run(&["export", "--with-hashes"]).success();
        assert!(out(&again) == json, "{}\n{json}", out(&again));
        decides(&home);
        decides(&other);
        let operator = fs::read_to_string(home.path("op")).unwrap();
        other.check(&operator, &["--action=write", "--type=tasks"]);
        let refused = other.run(&["setup", "--org=x", "--user=y"]).code(1);
        assert!(err(&refused).contains("set-up has been done already"));
        other.run(&["fsck"]).success();
        let again = out(&other.import(&json, &[]).success());
        assert!(again.contains("11 items already present"), "{again}");
    }
}

#[test]
fn an_export_without_hashes_contains_no_secret() {
    let home = home(STORES[0]);
    let done = home.run(&["export"]).success().stderr("");
    let json = out(&done);
    assert!(!json.contains('$') && !json.contains("token\"") && !json.contains("Hash"));
    let value: Value = serde_json::from_str(&json).unwrap();
    let rows = value["authorizations"].as_array().unwrap();
    let ids = || rows.iter().map(|row| row["id"].as_str().unwrap());
    assert!(rows.len() == 7 && ids().is_sorted());
    assert_eq!((&rows[3]["status"], &rows[0]["orgID"]), (&"revoked".into(), &ORG.into()));
    let refused = Home::new().import(&json, &[]).code(1);
    assert!(err(&refused).contains("it has no token: give `token`"));
    // The rows are imported once they have tokens.
    let mut value = value;
    let rows = value["authorizations"].as_array_mut().unwrap();
    rows.truncate(6);
    for (number, row) in (1..).zip(rows) {
        row["token"] = token(number).into();
    }
    let other = Home::new();
    other.import(&value.to_string(), &[]).success();
    assert_eq!(other.reads(&token(4)), "revoked");
    assert_eq!(other.reads(&token(1)), "allow");
}

#[test]
fn the_file_is_private_and_no_file_is_overwritten() {
    let home = home(STORES[0]);
    for more in [&[][..], &["--with-hashes"]] {
        let name = format!("file{}", more.len());
        home.run(&[&["export", name.as_str()], more].concat()).success();
        let mode = fs::metadata(home.path(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        let refused = home.run(&[&["export", name.as_str()], more].concat()).code(1);
        assert!(err(&refused).contains("exists already"));
    }
    let refused = Home::new().run(&["export"]).code(1);
    assert!(err(&refused).contains("there is no store"));
}

/// Uses `script` to run the command on a terminal.
#[test]
fn secrets_are_not_shown_on_a_terminal() {
    let home = home(STORES[0]);
    let on_terminal = |arguments: &str| {
        let program = assert_cmd::cargo::cargo_bin!("symbolon").display().to_string();
        let mut script = Command::new("script");
        let line = format!("'{program}' {arguments}");
        script.current_dir(home.path("")).args(["-qec", &line, "/dev/null"]);
        let done = script.output().expect("util-linux has `script`");
        (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    for arguments in ["export --with-hashes", "backup -"] {
        let (done, output) = on_terminal(arguments);
        assert!(!done && output.contains("to a terminal"), "{output}");
        assert!(!output.contains("$symbolon") && !output.contains("symbolon-backup-1"));
    }
    let (done, output) = on_terminal("export");
    assert!(done && output.contains("\"orgs\":["), "{output}");
}

#[test]
fn hashes_need_their_key() {
    let home = home(STORES[0]);
    home.run(&["export", "all.json", "--with-hashes"]).success();
    let json = fs::read_to_string(home.path("all.json")).unwrap();
    let id = |key: &StoreKey| key.ids().next().unwrap().to_string();
    let needed = id(&KeyFile::load(&home.key()).unwrap());
    let other = Home::new();
    let refused = other.import(&json, &[]).code(1);
    assert!(err(&refused).contains("there is no key file"), "{}", err(&refused));
    assert!(other.files().is_empty());
    let held = KeyFile::create(&other.key()).unwrap();
    let refused = other.import(&json, &[]).code(1);
    let error = err(&refused);
    let reason =
        format!("token was hashed under key {needed}, and the key file holds {}", id(&held));
    assert!(error.contains(&reason), "{error}");
    assert_eq!(other.files().len(), 1, "only the key");
    // Nor can they be imported into an existing store.
    other.import(&crate::common::sample(), &[]).success();
    let refused = other.import(&json, &[]).code(1);
    assert!(err(&refused).contains(&reason) || err(&refused).contains("exists already"));
}

//! Accepted and rejected folders, and the files created in them.
#![expect(clippy::unwrap_used, reason = "helpers of tests panic, as tests do")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use symbolon::record::{Columns, Kind, Record, RecordKey};
use symbolon::store::{Revision, Write};
use symbolon::{Id, TokenStore};
use symbolon_sled::{SledError, SledStore};

fn commit(store: &SledStore, number: u64) {
    let record = Record {
        key: RecordKey::new(Kind::USER, Id::new(number).unwrap()),
        unique: None,
        columns: Columns::default(),
        bytes: Box::default(),
    };
    let expected = Revision::ABSENT;
    store.commit(&[Write::Put { record, expected }]).unwrap();
}

fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut modes = vec![(".".to_owned(), mode(folder))];
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        modes.push((name, mode(&entry.path())));
    }
    modes
}

#[test]
fn files_are_private_regardless_of_the_umask() {
    if let Ok(folder) = std::env::var("SYMBOLON_SLED_FOLDER") {
        // Twice, since sled writes a snapshot when it opens what is there.
        for number in 1..3 {
            let store = SledStore::open(&folder).unwrap();
            commit(&store, number);
            check_modes(Path::new(&folder));
            drop(store);
            check_modes(Path::new(&folder));
        }
        return;
    }
    let home = tempfile::tempdir().unwrap();
    for umask in ["000", "022", "077"] {
        let folder = home.path().join(umask);
        let test = std::env::current_exe().unwrap();
        let script =
            format!("umask {umask}; exec \"$0\" --exact files_are_private_regardless_of_the_umask");
        let mut child = Command::new("sh");
        let child = child.arg("-c").arg(script).arg(test);
        let output = child.env("SYMBOLON_SLED_FOLDER", &folder).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        check_modes(&folder);
        assert!(modes(&folder).iter().any(|(name, _)| name.starts_with("snap.")));
    }
}

fn check_modes(folder: &Path) {
    for (name, mode) in modes(folder) {
        let wanted = if name == "." || name == "blobs" { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{name}: {mode:o}");
    }
}

#[test]
fn a_second_opening_is_refused() {
    if let Ok(folder) = std::env::var("SYMBOLON_SLED_SECOND") {
        print!("{}", SledStore::open(folder).unwrap_err());
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let store = SledStore::open(home.path()).unwrap();
    assert!(matches!(SledStore::open(home.path()), Err(SledError::InUse)));
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--exact", "a_second_opening_is_refused", "--nocapture"]);
    let output = child.env("SYMBOLON_SLED_SECOND", home.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("the store is in use by another process"), "{text}");
    commit(&store, 1);
}

#[test]
fn a_closed_store_can_be_opened_at_once() {
    let home = tempfile::tempdir().unwrap();
    for number in 1..30 {
        let store = SledStore::open(home.path()).unwrap();
        commit(&store, number);
    }
}

#[test]
fn only_an_empty_folder_becomes_a_store() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deep/er");
    assert!(matches!(SledStore::open_existing(&path), Err(SledError::Missing(_))));
    assert!(!home.path().join("deep").exists());
    fs::create_dir_all(&path).unwrap();
    assert!(matches!(SledStore::open_existing(&path), Err(SledError::Missing(_))));
    fs::write(path.join("notes"), "mine").unwrap();
    assert!(matches!(SledStore::open(&path), Err(SledError::Foreign(_))));
    assert!(matches!(SledStore::open_existing(&path), Err(SledError::Foreign(_))));
    assert_eq!(modes(&path).len(), 2);
    fs::remove_file(path.join("notes")).unwrap();
    drop(SledStore::open(&path).unwrap());
    drop(SledStore::open_existing(&path).unwrap());
    assert!(matches!(SledStore::open(path.join("db")), Err(SledError::Folder(_))));
}

#[test]
fn a_foreign_sled_database_is_not_adopted() {
    let home = tempfile::tempdir().unwrap();
    drop(SledStore::open(home.path()).unwrap());
    fs::remove_file(home.path().join("symbolon")).unwrap();
    assert!(matches!(SledStore::open(home.path()), Err(SledError::Foreign(_))));
}

#[test]
fn an_unfinished_store_is_completed() {
    let home = tempfile::tempdir().unwrap();
    drop(SledStore::open(home.path()).unwrap());
    let witness = home.path().join("symbolon");
    let text = fs::read_to_string(&witness).unwrap();
    let line = text.lines().find(|line| line.starts_with("epoch")).unwrap();
    let unfinished = text.replace(line, "epoch 0000000000000000");
    let path = home.path().join("early");
    // Interrupted before sled created its first file, and before the epoch was written.
    for store in [path.as_path(), home.path()] {
        fs::create_dir_all(store).unwrap();
        fs::write(store.join("symbolon"), &unfinished).unwrap();
        fs::set_permissions(store.join("symbolon"), Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(SledStore::open_existing(store), Err(SledError::Missing(_))));
        commit(&SledStore::open(store).unwrap(), 1);
        drop(SledStore::open_existing(store).unwrap());
    }
}

#[test]
fn a_store_of_a_later_version_is_refused() {
    let home = tempfile::tempdir().unwrap();
    drop(SledStore::open(home.path()).unwrap());
    let witness = home.path().join("symbolon");
    fs::write(&witness, "symbolon sled store 2\nwhatever\n").unwrap();
    assert!(matches!(SledStore::open(home.path()), Err(SledError::Later(_))));
}

#[test]
fn folders_writable_by_others_are_rejected() {
    let home = tempfile::tempdir().unwrap();
    drop(SledStore::open(home.path()).unwrap());
    fs::set_permissions(home.path().join("db"), Permissions::from_mode(0o644)).unwrap();
    let error = SledStore::open(home.path()).unwrap_err();
    assert!(matches!(error, SledError::Folder(_)), "{error:?}");
    fs::set_permissions(home.path().join("db"), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(SledStore::open(home.path()), Err(SledError::Folder(_))));
}

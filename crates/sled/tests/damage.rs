//! A store that lost something is refused, and never opened as if it were whole.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests panic, as tests do")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use symbolon::record::{Columns, Kind, Record, RecordKey};
use symbolon::store::{Cursor, Revision, Write};
use symbolon::{Id, TokenStore};
use symbolon_sled::{SledError, SledStore};
use tempfile::TempDir;

type Revisions = BTreeMap<RecordKey, Revision>;

fn key(number: u64) -> RecordKey {
    RecordKey::new(Kind::AUTHORIZATION, Id::new(number).unwrap())
}

fn put(number: u64, expected: Revision) -> Write {
    let record = Record {
        key: key(number),
        unique: Some(number.to_be_bytes().into()),
        columns: Columns::default(),
        bytes: vec![7; 1000].into(),
    };
    Write::Put { record, expected }
}

/// Creates a store of 2000 records, some rewritten often and others once, so that its log has live
/// pages early and late.
fn fill(folder: &Path) -> Revisions {
    let store = SledStore::open(folder).unwrap();
    let numbers: Vec<u64> = (1..=2000).collect();
    for chunk in numbers.chunks(200) {
        let writes: Vec<Write> =
            chunk.iter().map(|number| put(*number, Revision::ABSENT)).collect();
        store.commit(&writes).unwrap();
    }
    for round in 0..60 {
        let often = (1..=50).chain([1000 + round * 13]);
        let writes: Vec<Write> =
            often.map(|number| put(number, revision(&store, number))).collect();
        store.commit(&writes).unwrap();
    }
    revisions(&store)
}

fn revision(store: &SledStore, number: u64) -> Revision {
    store.get(&key(number)).unwrap().unwrap().revision
}

fn revisions(store: &SledStore) -> Revisions {
    let page = store.scan(&Cursor::start(), usize::MAX).unwrap();
    let items = page.items.into_iter();
    items.map(|item| (item.record.key, item.revision)).collect()
}

fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
        }
    }
    to
}

#[track_caller]
fn assert_damaged(folder: &Path) -> String {
    match SledStore::open(folder) {
        Err(error @ SledError::Damaged { .. }) => {
            let text = error.to_string();
            assert!(text.ends_with("restore it from a backup"), "{text}");
            text
        }
        other => panic!("{other:?}"),
    }
}

/// With and without a snapshot of sled, which it makes at each opening but the first.
fn stores() -> Vec<(TempDir, Revisions)> {
    [false, true]
        .map(|reopen| {
            let folder = tempfile::tempdir().unwrap();
            let revisions = fill(folder.path());
            if reopen {
                drop(SledStore::open(folder.path()).unwrap());
            }
            (folder, revisions)
        })
        .into()
}

#[test]
fn a_flipped_bit_is_found_or_did_no_harm() {
    let mut refused = 0;
    for (store, revisions_before) in stores() {
        let bytes = fs::read(store.path().join("db")).unwrap();
        for at in (0..bytes.len()).step_by(bytes.len() / FLIPS) {
            let copy = copy(store.path());
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x10;
            fs::write(copy.path().join("db"), bytes).unwrap();
            match SledStore::open(copy.path()) {
                Ok(opened) => assert_eq!(revisions(&opened), revisions_before, "at {at}"),
                Err(SledError::Damaged { .. }) => refused += 1,
                Err(other) => panic!("{other:?} at {at}"),
            }
        }
    }
    assert!(refused > 0);
}

const FLIPS: usize = 24;

#[test]
fn a_truncated_log_is_refused() {
    for (store, revisions_before) in stores() {
        let length = fs::metadata(store.path().join("db")).unwrap().len();
        let mut refused = 0;
        for kept in [0, 1, 1000, length / 4, length / 2, length - (3 << 20), length - 5000] {
            let copy = copy(store.path());
            let file = fs::OpenOptions::new().write(true).open(copy.path().join("db"));
            file.unwrap().set_len(kept).unwrap();
            match SledStore::open(copy.path()) {
                // The end of the last segment may be empty.
                Ok(opened) => assert_eq!(revisions(&opened), revisions_before, "{kept}"),
                Err(SledError::Damaged { .. }) => refused += 1,
                Err(other) => panic!("{other:?} at {kept}"),
            }
        }
        assert!(refused >= 6, "{refused}");
    }
}

#[test]
fn missing_and_garbage_files_are_rejected() {
    for (store, _) in stores() {
        for name in ["db", "symbolon"] {
            let length = fs::metadata(store.path().join(name)).unwrap().len();
            let rubbish = (0..length).map(|at| ((at * 2_654_435_761) >> 7) as u8).collect();
            for contents in [Vec::new(), rubbish] {
                let copy = copy(store.path());
                fs::write(copy.path().join(name), contents).unwrap();
                assert_damaged(copy.path());
            }
        }
        let copy = copy(store.path());
        fs::remove_file(copy.path().join("db")).unwrap();
        assert_damaged(copy.path());
        assert!(!copy.path().join("db").exists(), "the file is not created again");
    }
}

#[test]
fn a_lost_configuration_is_recreated() {
    for (store, revisions_before) in stores() {
        for contents in [None, Some(Vec::new())] {
            let copy = copy(store.path());
            let conf = copy.path().join("conf");
            match contents {
                None => fs::remove_file(conf).unwrap(),
                Some(contents) => fs::write(conf, contents).unwrap(),
            }
            let opened = SledStore::open(copy.path()).unwrap();
            assert_eq!(revisions(&opened), revisions_before);
        }
        let copy = copy(store.path());
        fs::write(copy.path().join("conf"), [0xff; 60]).unwrap();
        assert!(SledStore::open(copy.path()).is_err());
    }
}

#[test]
fn a_rubbish_snapshot_is_refused() {
    let (store, _) = stores().remove(1);
    let snapshot = fs::read_dir(store.path()).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        path.to_str().unwrap().contains("snap.").then_some(path)
    });
    let snapshot = snapshot.unwrap();
    for contents in [Vec::new(), vec![0x55; 5000]] {
        fs::write(&snapshot, contents).unwrap();
        assert_damaged(store.path());
    }
}

#[test]
fn an_older_log_with_a_newer_witness_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    store.commit(&[put(1, Revision::ABSENT)]).unwrap();
    drop(store);
    let old = copy(folder.path());
    let store = SledStore::open(folder.path()).unwrap();
    store.commit(&[put(2, Revision::ABSENT)]).unwrap();
    drop(store);
    fs::copy(folder.path().join("symbolon"), old.path().join("symbolon")).unwrap();
    let text = assert_damaged(old.path());
    assert!(text.contains("it ends with commit 1, but 2 was confirmed"), "{text}");
}

#[test]
fn files_of_two_stores_are_refused() {
    let [one, two] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    for folder in [&one, &two] {
        drop(SledStore::open(folder.path()).unwrap());
    }
    fs::copy(one.path().join("symbolon"), two.path().join("symbolon")).unwrap();
    assert_damaged(two.path());
}

/// If a process is killed during a renewal, the store opens with the old or the new epoch, and
/// still detects damage.
#[test]
fn an_interrupted_renewal_is_atomic() {
    let epoch = |store: &SledStore| store.scan(&Cursor::start(), 1).unwrap().end.unwrap().epoch;
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    store.commit(&[put(1, Revision::ABSENT)]).unwrap();
    let before = epoch(&store);
    drop(store);
    let old = copy(folder.path());
    let store = SledStore::open(folder.path()).unwrap();
    let renewed = store.renew().unwrap();
    drop(store);
    let witness = fs::read_to_string(old.path().join("symbolon")).unwrap();
    let any = witness.replace(&format!("{:016x}", before.0), "0000000000000000");
    for (log, wanted) in [(&old, before), (&folder, renewed)] {
        let cut = copy(log.path());
        fs::write(cut.path().join("symbolon"), &any).unwrap();
        let store = SledStore::open_existing(cut.path()).unwrap();
        assert_eq!(epoch(&store), wanted);
        assert!(store.get(&key(1)).unwrap().is_some());
        drop(store);
        let other = if wanted == before { &folder } else { &old };
        fs::copy(other.path().join("symbolon"), cut.path().join("symbolon")).unwrap();
        assert_damaged(cut.path());
    }
}

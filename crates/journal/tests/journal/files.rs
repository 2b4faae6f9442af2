//! Modes, folders and files that others changed.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use symbolon::journal::{Durability, Journal, JournalError};
use symbolon_files::FileError;
use symbolon_journal::{FileJournal, chains};

use crate::common::{Home, all, at, intent, keys, open};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_journal_folder_is_next_to_the_key() {
    let beside = |key: &str| FileJournal::beside(key.as_ref());
    assert_eq!(beside("a/b.keys/key"), std::path::Path::new("a/b.keys/key.journal"));
    assert_eq!(beside("key"), std::path::Path::new("key.journal"));
}

#[test]
fn folder_and_files_are_private() {
    let home = Home::with_lines(1);
    assert_eq!(mode(&home.path()), 0o700);
    assert_eq!(mode(&home.chain(1)), 0o600);
    fs::set_permissions(home.chain(1), Permissions::from_mode(0o644)).unwrap();
    let refused = FileJournal::open(&home.path(), keys());
    let error = refused.unwrap_err();
    assert!(matches!(error, FileError::Exposed { .. }), "{error}");
    fs::set_permissions(home.chain(1), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o770)).unwrap();
    assert!(FileJournal::open(&home.path(), keys()).is_err());
}

#[test]
fn an_uncreatable_folder_fails_only_the_append() {
    let home = Home::new();
    let file = home.folder.path().join("file");
    fs::write(&file, "").unwrap();
    let journal = FileJournal::open(&file.join("key.journal"), keys());
    // A file cannot contain a folder; opening or writing reports it.
    if let Ok(journal) = journal {
        let refused = journal.append(at(0), &[intent()], Durability::Synced);
        assert!(matches!(refused, Err(JournalError::Failed(_))), "{refused:?}");
    }
    let journal = open("/proc/self/key.journal".as_ref());
    assert_eq!(journal.recent().unwrap(), []);
    let refused = journal.append(at(0), &[intent()], Durability::Synced);
    assert!(matches!(refused, Err(JournalError::Failed(_))), "{refused:?}");
}

#[test]
fn read_only_files_can_be_read() {
    let home = Home::with_lines(3);
    fs::set_permissions(home.chain(1), Permissions::from_mode(0o400)).unwrap();
    let journal = home.open();
    assert_eq!(all(&journal).len(), 3);
    // root writes to it all the same.
    let own = OpenOptions::new().write(true).open(home.chain(1)).is_ok();
    assert_eq!(journal.recent().unwrap()[0].own, own);
    let number = journal.append(at(0), &[intent()], Durability::Synced);
    assert_eq!(number.unwrap(), if own { 4 } else { 1 });
}

#[test]
fn concurrent_modification_is_detected() {
    let home = Home::with_lines(3);
    let journal = home.open();
    let append = || journal.append(at(0), &[intent()], Durability::Synced);
    assert_eq!(append().unwrap(), 4);
    let sound = fs::read(home.chain(1)).unwrap();
    let file = OpenOptions::new().append(true).open(home.chain(1));
    file.unwrap().write_all(b"more").unwrap();
    let error = append().unwrap_err().to_string();
    assert!(error.contains("another process changed it"), "{error}");
    let file = OpenOptions::new().write(true).open(home.chain(1)).unwrap();
    file.set_len(sound.len() as u64 - 1).unwrap();
    assert!(append().is_err());
    file.set_len(0).unwrap();
    assert!(append().is_err());
    // Once it is as it was, it goes on.
    fs::write(home.chain(1), &sound).unwrap();
    assert_eq!(append().unwrap(), 5);
    // A reader would not find data written to an unlinked file.
    let moved = home.folder.path().join("moved");
    fs::rename(home.path(), &moved).unwrap();
    assert!(matches!(append(), Err(JournalError::Failed(_))));
    fs::create_dir(home.path()).unwrap();
    fs::copy(moved.join("chain-0001.jsonl"), home.chain(1)).unwrap();
    let error = append().unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("was replaced while in use"), "{source}");
    assert_eq!(fs::read(home.chain(1)).unwrap(), fs::read(moved.join("chain-0001.jsonl")).unwrap());
}

#[test]
fn other_files_in_the_folder_are_left_alone() {
    let home = Home::with_lines(3);
    for name in [
        "chain-1.jsonl",
        "chain-0002.jsonl.old",
        ".chain-0002.jsonl.0123456789abcdef.new",
        "chain-0000.jsonl",
        "chain-+002.jsonl",
        "notes",
    ] {
        fs::write(home.path().join(name), "nonsense\n").unwrap();
    }
    let found: Vec<_> = chains(&home.path()).unwrap();
    assert_eq!(found.len(), 1);
    assert!(home.verify().is_sound());
    assert_eq!(all(&home.open()).len(), 3);
}

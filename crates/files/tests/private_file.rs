//! Files written in parts, and renames.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use symbolon_files::{FileError, PrivateFile, create_private, is_unfinished, rename_new};

fn names(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn an_unfinished_file_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let mut file = PrivateFile::create(&path).unwrap();
    file.write_all(b"half").unwrap();
    let [first] = names(dir.path()).try_into().unwrap();
    assert!(is_unfinished(first.file_name().unwrap()));
    drop(file);
    assert!(names(dir.path()).is_empty());
}

#[test]
fn leftovers_are_removed_but_files_in_progress_stay() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let left = dir.path().join(".file.0123456789abcdef.new");
    let others = [
        ".other.0123456789abcdef.new",
        ".file.0123456789abcde.new",
        ".file.new",
        "file.0123456789abcdef.new",
    ];
    fs::write(&left, "half").unwrap();
    for other in others {
        fs::write(dir.path().join(other), "mine").unwrap();
    }
    let mut first = PrivateFile::create(&path).unwrap();
    assert!(!left.exists());
    let mut second = PrivateFile::create(&path).unwrap();
    assert_eq!(names(dir.path()).len(), others.len() + 2);
    first.write_all(b"first").unwrap();
    second.write_all(b"second").unwrap();
    first.finish().unwrap();
    assert!(matches!(second.finish(), Err(FileError::Exists(_))));
    assert_eq!(fs::read(&path).unwrap(), b"first");
    assert_eq!(names(dir.path()).len(), others.len() + 1);
    assert!(matches!(PrivateFile::create(&path), Err(FileError::Exists(_))));
}

#[test]
fn a_rename_replaces_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| dir.path().join(name));
    create_private(&a, b"a").unwrap();
    rename_new(&a, &b).unwrap();
    assert_eq!(fs::read(&b).unwrap(), b"a");
    create_private(&a, b"new").unwrap();
    assert!(matches!(rename_new(&a, &b), Err(FileError::Exists(_))));
    fs::create_dir(&c).unwrap();
    fs::create_dir(dir.path().join("d")).unwrap();
    assert!(matches!(rename_new(&c, &dir.path().join("d")), Err(FileError::Exists(_))));
    assert!(matches!(
        rename_new(&dir.path().join("nothing"), &dir.path().join("e")),
        Err(FileError::Io { .. })
    ));
    assert_eq!((fs::read(&a).unwrap(), fs::read(&b).unwrap()), (b"new".into(), b"a".into()));
}

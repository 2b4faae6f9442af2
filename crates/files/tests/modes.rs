//! Modes of new files and folders, and rejection of unsafe modes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use symbolon_files::{FileError, KeyFile, check_secret, create_private, open_private, private_dir};

const FOLDER: &str = "SYMBOLON_TEST_FOLDER";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Run by `modes_do_not_depend_on_the_umask` in its own process, since all threads share the umask.
#[test]
fn make_everything() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    private_dir(&folder.join("a/b")).unwrap();
    create_private(&folder.join("a/b/file"), b"contents").unwrap();
    open_private(&folder.join("a/b/opened")).unwrap();
    KeyFile::create(&KeyFile::beside(&folder.join("a/store"))).unwrap();
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    for umask in ["000", "022", "777"] {
        let dir = tempfile::tempdir().unwrap();
        let run = format!("umask {umask}; exec \"$0\" --exact make_everything");
        let mut child = Command::new("sh");
        child.arg("-c").arg(run).arg(std::env::current_exe().unwrap());
        let output = child.env(FOLDER, dir.path()).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
        for folder in ["a", "a/b", "a/store.keys"] {
            assert_eq!(mode(&dir.path().join(folder)), 0o700, "{folder} under {umask}");
        }
        for file in ["a/b/file", "a/b/opened", "a/store.keys/key"] {
            assert_eq!(mode(&dir.path().join(file)), 0o600, "{file} under {umask}");
        }
        let names = fs::read_dir(dir.path().join("a/b")).unwrap();
        assert_eq!(names.count(), 2, "a temporary file is left");
    }
}

#[test]
fn an_existing_folder_is_checked_but_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    for good in [0o700, 0o755, 0o1755] {
        set_mode(&folder, good);
        private_dir(&folder).unwrap();
        assert_eq!(mode(&folder), good);
    }
    for bad in [0o777, 0o770, 0o702] {
        set_mode(&folder, bad);
        let error = private_dir(&folder).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, FileError::WritableFolder { mode, .. } if mode == bad));
        assert!(text.contains("make it writable only by its owner"), "{text}");
        assert_eq!(mode(&folder), bad);
        // Only the folder itself is checked.
        private_dir(&folder.join("inner")).unwrap();
        fs::remove_dir(folder.join("inner")).unwrap();
    }
    set_mode(&folder, 0o1777);
    assert!(matches!(private_dir(&folder), Err(FileError::SharedFolder(_))));
}

#[test]
fn files_and_folders_are_distinguished() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    create_private(&file, b"").unwrap();
    assert!(matches!(private_dir(&file), Err(FileError::NotAFolder(_))));
    assert!(matches!(private_dir(&file.join("inner")), Err(FileError::Io { .. })));
    assert!(matches!(check_secret(dir.path()), Err(FileError::NotAFile(_))));
    assert!(matches!(KeyFile::load(dir.path()), Err(FileError::NotAFile(_))));
    symlink(dir.path().join("nowhere"), dir.path().join("link")).unwrap();
    assert!(private_dir(&dir.path().join("link")).is_err());
}

#[test]
fn creation_is_exclusive_and_never_replaces() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let made: usize = std::thread::scope(|scope| {
        let create = |content: u8| {
            let path = &path;
            scope.spawn(move || match create_private(path, &[content; 100_000]) {
                Ok(()) => 1,
                Err(FileError::Exists(_)) => 0,
                Err(error) => panic!("{error}"),
            })
        };
        let threads: Vec<_> = (0..8).map(create).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(made, 1);
    let contents = fs::read(&path).unwrap();
    assert_eq!(contents, [contents[0]; 100_000]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn secrets_readable_by_others_are_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, "contents").unwrap();
    for bad in [0o644, 0o640, 0o602, 0o660] {
        set_mode(&path, bad);
        let text = check_secret(&path).unwrap_err().to_string();
        assert!(text.contains("make it accessible only to its owner"), "{text}");
        assert!(matches!(open_private(&path), Err(FileError::Exposed { .. })));
    }
    for good in [0o600, 0o400] {
        set_mode(&path, good);
        check_secret(&path).unwrap();
    }
    set_mode(&path, 0o600);
    open_private(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"contents");
}

#[test]
fn leftovers_of_killed_processes_are_recognised_by_name() {
    let unfinished = |name: &str| symbolon_files::is_unfinished(name.as_ref());
    assert!(unfinished(".symbolon.2da5c6af7f2de7d9.new"));
    for other in
        ["symbolon", ".new", "a.2da5c6af7f2de7d9.new", ".a.2da5.new", ".a.2da5c6af7f2de7d9"]
    {
        assert!(!unfinished(other), "{other}");
    }
}

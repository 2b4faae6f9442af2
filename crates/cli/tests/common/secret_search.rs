//! Searches for secrets that must not be stored.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns `true` if the bytes contain the middle of a secret.
pub(crate) fn holds(bytes: &[u8], secret: &str) -> bool {
    // Invalid UTF-8 is replaced; a secret contains none.
    String::from_utf8_lossy(bytes).contains(middle(secret))
}

/// Returns every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

/// Asserts that no file contains the middle of one of the secrets.
pub(crate) fn assert_absent(files: &[PathBuf], secrets: &[String]) {
    for file in files {
        let bytes = fs::read(file).unwrap();
        for secret in secrets {
            assert!(!holds(&bytes, secret), "{}", file.display());
        }
    }
}

/// Returns the part of a secret to search for. Even half of a secret must not be found.
pub(crate) fn middle(secret: &str) -> &str {
    match secret.len() {
        // A token: the part after its id.
        60.. => &secret[10..50],
        short => &secret[short / 4..short * 3 / 4],
    }
}

//! Searching for what must not be there.

use std::fs;
use std::path::{Path, PathBuf};

/// Whether the bytes hold even the middle of a secret.
pub(crate) fn holds(bytes: &[u8], secret: &str) -> bool {
    // What is not text is replaced, and no part of a secret.
    String::from_utf8_lossy(bytes).contains(middle(secret))
}

/// Every file below a folder.
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

/// No file holds even the middle of one of the secrets.
pub(crate) fn assert_absent(files: &[PathBuf], secrets: &[String]) {
    for file in files {
        let bytes = fs::read(file).unwrap();
        for secret in secrets {
            assert!(!holds(&bytes, secret), "{}", file.display());
        }
    }
}

/// The part of a secret that is searched for: a half of it is too much.
pub(crate) fn middle(secret: &str) -> &str {
    match secret.len() {
        // A token; its id stands before.
        60.. => &secret[10..50],
        short => &secret[short / 4..short * 3 / 4],
    }
}

//! Commands that are printed to be pasted into a shell.

use std::path::{Path, PathBuf};

use crate::global::Global;
use crate::shell_quote::quote;
use crate::store_url::StoreUrl;

/// Returns the path as it is from any folder.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns the options that name the store of `global`, its key and its journal.
pub(crate) fn options(global: &Global) -> String {
    let scheme = match &global.store {
        StoreUrl::Sqlite(_) => "sqlite",
        StoreUrl::Sled(_) => "sled",
    };
    let mut store = PathBuf::from(format!("{scheme}:")).into_os_string();
    store.push(absolute(global.store.path()));
    let mut text = format!(" \\\n    --store {}", quote(Path::new(&store)));
    for (name, path) in [("key-file", &global.key_file), ("journal", &global.journal)] {
        if let Some(path) = path {
            text.push_str(&format!(" \\\n    --{name} {}", quote(&absolute(path))));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_a_shell() {
        for (path, expected) in [
            ("/var/lib/tokens.db", "/var/lib/tokens.db"),
            ("sqlite:/a/b", "sqlite:/a/b"),
            ("a b", "'a b'"),
            ("$(touch x)", "'$(touch x)'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quote(Path::new(path)), expected);
        }
    }
}

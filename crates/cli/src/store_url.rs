//! Store URLs: `sqlite:PATH` or `sled:PATH`.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Kind and path of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    Sqlite(PathBuf),
    Sled(PathBuf),
}

impl StoreUrl {
    pub(crate) fn parse(text: OsString) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the store URL is empty; write `sqlite:PATH` or `sled:PATH`".into());
        }
        let after = |scheme: &str| {
            let path = text.as_bytes().strip_prefix(scheme.as_bytes())?;
            Some(PathBuf::from(OsStr::from_bytes(path)))
        };
        let url = match (after("sqlite:"), after("sled:")) {
            (Some(path), _) => Self::Sqlite(path),
            (_, Some(path)) => Self::Sled(path),
            (None, None) => {
                let kind = if Path::new(&text).is_dir() { "sled" } else { "sqlite" };
                let text = text.to_string_lossy();
                return Err(format!(
                    "`{text}` does not name the kind of store; write `{kind}:{text}`"
                ));
            }
        };
        if url.path().as_os_str().is_empty() {
            return Err(format!("`{}` has no path", text.to_string_lossy()));
        }
        Ok(url)
    }

    /// Returns the path of the database file (SQLite) or folder (sled).
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Sqlite(path) | Self::Sled(path) => path,
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self {
            Self::Sqlite(_) => "sqlite",
            Self::Sled(_) => "sled",
        };
        write!(f, "{scheme}:{}", self.path().display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<StoreUrl, String> {
        StoreUrl::parse(text.into())
    }

    #[test]
    fn store_urls_name_sqlite_or_sled() {
        assert_eq!(parse("sqlite:a:b.db"), Ok(StoreUrl::Sqlite("a:b.db".into())));
        assert_eq!(parse("sled:/x y").unwrap().to_string(), "sled:/x y");
        let error = parse("foo.db").unwrap_err();
        assert!(error.ends_with("write `sqlite:foo.db`"), "{error}");
        assert!(parse("/").unwrap_err().ends_with("write `sled:/`"));
        assert!(parse("etcd:x").is_err());
        assert!(parse("").unwrap_err().contains("`sqlite:PATH`"));
        assert_eq!(parse("sled:"), Err("`sled:` has no path".into()));
    }
}

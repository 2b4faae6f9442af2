//! Text forms of stored hashes: those of InfluxDB and our own.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;

use super::{BASE64, ForeignHash, TokenDigest};
use crate::key::KeyId;

/// A keyed hash with the id of its key. The text form is `$symbolon-blake3$`, the key id, `$`, and
/// the hash in URL-safe base64, followed by `$id` if the token is native.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredDigest {
    pub(crate) key: KeyId,
    pub(crate) hash: TokenDigest,
    pub(crate) native: bool,
}

/// The error for a text that is not a keyed hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a keyed hash is `$symbolon-blake3$`, the id of its key, `$` and base64url")]
pub(crate) struct InvalidStoredDigest;

pub(crate) const KEYED_MARK: &str = "$symbolon-blake3$";
/// Suffix of the hash of a native token.
const NATIVE_MARK: &str = "$id";

impl fmt::Display for StoredDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = BASE64.encode(self.hash.0);
        let native = if self.native { NATIVE_MARK } else { "" };
        write!(f, "{KEYED_MARK}{}${hash}{native}", self.key)
    }
}

impl FromStr for StoredDigest {
    type Err = InvalidStoredDigest;

    fn from_str(text: &str) -> Result<Self, InvalidStoredDigest> {
        let read = || {
            let text = text.strip_prefix(KEYED_MARK)?;
            let native = text.strip_suffix(NATIVE_MARK);
            let (key, hash) = native.unwrap_or(text).split_once('$')?;
            let hash = BASE64.decode(hash).ok()?.try_into().ok()?;
            Some(Self { key: key.parse().ok()?, hash: TokenDigest(hash), native: native.is_some() })
        };
        read().ok_or(InvalidStoredDigest)
    }
}

impl ForeignHash {
    /// Formats the hash as InfluxDB does.
    pub(crate) fn to_text(self) -> String {
        let variant = match self {
            Self::Sha256(_) => "influxdb2-sha256",
            Self::Sha512(_) => "influxdb2-sha512",
        };
        format!("${variant}${}", BASE64.encode(self.digest()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_hash_texts_round_trip() {
        for foreign_hash in [ForeignHash::sha256(b"test"), ForeignHash::sha512(b"test")] {
            assert!(foreign_hash.to_text().parse() == Ok(foreign_hash));
        }
        assert_eq!(
            ForeignHash::sha256(b"test").to_text(),
            "$influxdb2-sha256$n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg="
        );
        let one = StoredDigest {
            key: "4f5d96ff".parse().unwrap(),
            hash: TokenDigest([0xfb; 32]),
            native: false,
        };
        let text = "$symbolon-blake3$4f5d96ff$-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s=";
        assert_eq!(one.to_string(), text);
        assert_eq!(text.parse(), Ok(one));
        let native = StoredDigest { native: true, ..one };
        assert_eq!(native.to_string(), format!("{text}$id"));
        assert_eq!(native.to_string().parse(), Ok(native));
        for wrong in [
            "",
            "$symbolon-blake3$4f5d96ff",
            "$symbolon-blake3$4f5d96ff$AAAA",
            "$symbolon-blake3$4F5D96FF$-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s=",
            "$influxdb2-sha256$n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg=",
        ] {
            assert_eq!(wrong.parse::<StoredDigest>(), Err(InvalidStoredDigest));
        }
    }
}

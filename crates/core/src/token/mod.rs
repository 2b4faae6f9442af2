//! Token text: its format, and the hash that is all a store ever sees of it.

mod base62;
mod hash;
mod shape;
mod stored_digest;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::id::Id;
use crate::key::KeyId;

pub use hash::TokenDigest;
pub use shape::{MalformedToken, TokenShape};

pub(crate) use hash::{BLOCK, HashKey, Piece};
pub(crate) use shape::{Native, UncheckedToken};
pub(crate) use stored_digest::{KEYED_MARK, StoredDigest};

/// The URL-safe alphabet of RFC 4648, section 5, padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const ID_DIGITS: usize = 11;
const SECRET_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;
/// Bytes after the prefix.
const BODY: usize = ID_DIGITS + SECRET_DIGITS + CHECKSUM_DIGITS;

/// The text of a token, which exists once: it is returned by the call that creates it, and nothing keeps it.
///
/// It is neither cloned nor serialized, its `Debug` shows nothing, and it is wiped when dropped.
pub struct Token(Zeroizing<String>);

impl Token {
    /// Draws a new token for `id`: prefix, 11 digits of the id, 43 digits of 256 random bits and 6 digits of a
    /// CRC-32 (IEEE 802.3) over what stands before, all base62 (`0-9A-Za-z`).
    ///
    /// # Errors
    ///
    /// [`Error::Random`] if the operating system gives no random bytes.
    pub fn generate(prefix: Prefix, id: Id) -> Result<Self, Error> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut_slice()).map_err(|_| Error::Random)?;
        Ok(Self::assemble(prefix, id, &secret))
    }

    fn assemble(prefix: Prefix, id: Id, secret: &[u8; 32]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(prefix.as_str().len() + BODY));
        text.push_str(prefix.as_str());
        base62::push_u64(&mut text, id.number(), ID_DIGITS);
        base62::push_u256(&mut text, secret, SECRET_DIGITS);
        let checksum = shape::checksum_of(text.as_bytes());
        base62::push_u64(&mut text, checksum.into(), CHECKSUM_DIGITS);
        Self(text)
    }

    /// A token of any accepted form from its text.
    ///
    /// # Errors
    ///
    /// [`MalformedToken`] if no store could hold such a token.
    pub fn parse(prefix: Prefix, text: &str) -> Result<Self, MalformedToken> {
        TokenShape::of(prefix, text.as_bytes())?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The text itself. Whoever holds it holds the token's rights.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// What a token starts with: 1 to 3 ASCII letters or digits and `_`, chosen when the store is made.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// Zeros after the text.
    bytes: [u8; 4],
    len: u8,
}

/// A text that is no prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token prefix has 1 to 3 ASCII letters or digits and then `_`")]
pub struct InvalidPrefix;

impl Prefix {
    /// `sym_`, the prefix unless the embedder chooses another.
    pub const SYMBOLON: Self = Self {
        bytes: *b"sym_",
        len: 4,
    };

    /// The text.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// What follows the prefix in a text of the native form.
    #[inline]
    fn strip<'t>(&self, text: &'t [u8]) -> Option<&'t [u8; BODY]> {
        if text.len() != usize::from(self.len) + BODY {
            return None;
        }
        let unused = u32::BITS - u32::from(self.len) * u8::BITS;
        let start = u32::from_le_bytes(*text.first_chunk()?) << unused >> unused;
        let body = text.last_chunk();
        body.filter(|_| start == u32::from_le_bytes(self.bytes))
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self::SYMBOLON
    }
}

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let word = text.strip_suffix('_').ok_or(InvalidPrefix)?;
        if !matches!(word.len(), 1..=3) || !word.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(InvalidPrefix);
        }
        let mut bytes = [0; 4];
        for (to, from) in bytes.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        let len = u8::try_from(text.len()).map_err(|_| InvalidPrefix)?;
        Ok(Self { bytes, len })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A hash of another origin by which an imported token is found.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForeignHash {
    /// InfluxDB's `$influxdb2-sha256$…`: SHA-256 of the text.
    Sha256([u8; 32]),
    /// InfluxDB's `$influxdb2-sha512$…`: SHA-512 of the text.
    Sha512([u8; 64]),
}

/// A text that is no stored hash of InfluxDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored hash is written as `$influxdb2-sha256$` or `$influxdb2-sha512$` and base64url")]
pub struct InvalidForeignHash;

impl ForeignHash {
    /// The SHA-256 of a token's text.
    pub fn sha256(text: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::Sha256(sha2::Sha256::digest(text).into())
    }

    /// The SHA-512 of a token's text.
    pub fn sha512(text: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::Sha512(sha2::Sha512::digest(text).into())
    }

    /// Whether it is the hash of this text.
    pub(crate) fn is_of(&self, text: &[u8]) -> bool {
        *self
            == match self {
                Self::Sha256(_) => Self::sha256(text),
                Self::Sha512(_) => Self::sha512(text),
            }
    }

    pub(crate) fn digest(&self) -> &[u8] {
        match self {
            Self::Sha256(digest) => digest,
            Self::Sha512(digest) => digest,
        }
    }
}

impl FromStr for ForeignHash {
    type Err = InvalidForeignHash;

    fn from_str(text: &str) -> Result<Self, InvalidForeignHash> {
        let mut parts = text.splitn(3, '$').skip(1);
        let (Some(variant), Some(digest)) = (parts.next(), parts.next()) else {
            return Err(InvalidForeignHash);
        };
        if !text.starts_with('$') {
            return Err(InvalidForeignHash);
        }
        let digest = BASE64.decode(digest).map_err(|_| InvalidForeignHash)?;
        match variant {
            "influxdb2-sha256" => digest.try_into().map(Self::Sha256),
            "influxdb2-sha512" => digest.try_into().map(Self::Sha512),
            _ => return Err(InvalidForeignHash),
        }
        .map_err(|_| InvalidForeignHash)
    }
}

impl fmt::Debug for ForeignHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256(_) => "Sha256(redacted)",
            Self::Sha512(_) => "Sha512(redacted)",
        })
    }
}

/// By what a stored authorization knows its token. One of the two is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The keyed hash, and the key that it was made under.
    Keyed(KeyId, TokenDigest),
    /// The same of a token of our own form, which carries the id of its authorization.
    Native(KeyId, TokenDigest),
    /// A hash of another origin, until its token is seen for the first time.
    Foreign(ForeignHash),
    /// Both: the locator stays for life, the keyed hash is what checks use.
    ForeignAndKeyed(ForeignHash, KeyId, TokenDigest),
}

impl Credential {
    /// The keyed hash, if there is one yet.
    pub fn keyed(&self) -> Option<(KeyId, TokenDigest)> {
        match *self {
            Self::Keyed(key, hash)
            | Self::Native(key, hash)
            | Self::ForeignAndKeyed(_, key, hash) => Some((key, hash)),
            Self::Foreign(_) => None,
        }
    }

    /// The locator, if the token was imported as a hash.
    pub fn foreign_hash(&self) -> Option<ForeignHash> {
        match *self {
            Self::Foreign(foreign_hash) | Self::ForeignAndKeyed(foreign_hash, ..) => {
                Some(foreign_hash)
            }
            Self::Keyed(..) | Self::Native(..) => None,
        }
    }

    /// The unique key of the record: it never changes, so that no two records hold one token.
    pub(crate) fn unique_key(&self) -> Vec<u8> {
        let (tag, digest) = match self {
            Self::Keyed(_, hash) | Self::Native(_, hash) => (UNIQUE_KEYED, hash.0.as_slice()),
            Self::Foreign(foreign_hash) | Self::ForeignAndKeyed(foreign_hash, ..) => {
                match foreign_hash {
                    ForeignHash::Sha256(digest) => (UNIQUE_SHA256, digest.as_slice()),
                    ForeignHash::Sha512(digest) => (UNIQUE_SHA512, digest.as_slice()),
                }
            }
        };
        let mut key = Vec::with_capacity(1 + digest.len());
        key.push(tag);
        key.extend_from_slice(digest);
        key
    }
}

pub(crate) const UNIQUE_KEYED: u8 = 0;
pub(crate) const UNIQUE_SHA256: u8 = 1;
pub(crate) const UNIQUE_SHA512: u8 = 2;

#[cfg(test)]
mod tests;

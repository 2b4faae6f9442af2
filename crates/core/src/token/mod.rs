//! The text of a token and its keyed hash.

mod base62;
mod hash;
mod shape;
mod stored_digest;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::id::Id;
use crate::key::KeyId;
use crate::random::{self, RandomError};

pub use hash::TokenDigest;
pub use shape::{MalformedToken, TokenShape};

pub(crate) use hash::{BLOCK, HashKey, Piece};
pub(crate) use shape::{Native, UncheckedToken};
pub(crate) use stored_digest::{KEYED_MARK, StoredDigest};

/// The URL-safe alphabet of RFC 4648, section 5, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const ID_DIGITS: usize = 11;
const SECRET_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;
/// Number of bytes after the prefix.
const BODY: usize = ID_DIGITS + SECRET_DIGITS + CHECKSUM_DIGITS;

/// The text of a token. The call that creates the token returns it once; it is stored nowhere.
///
/// It cannot be cloned or serialized, its `Debug` output is redacted, and it is wiped when dropped.
pub struct Token(Zeroizing<String>);

impl Token {
    /// Generates a token for `id`: the prefix, 11 digits of the id, 43 digits of 256 random bits,
    /// and 6 digits of a CRC-32 (IEEE 802.3) of everything before it. All digits are base62
    /// (`0-9A-Za-z`).
    ///
    /// # Errors
    ///
    /// [`RandomError`] if the operating system provides no random bytes.
    pub fn generate(prefix: Prefix, id: Id) -> Result<Self, RandomError> {
        let mut secret = Zeroizing::new([0; 32]);
        random::fill(secret.as_mut_slice())?;
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

    /// Parses a token of any accepted form.
    ///
    /// # Errors
    ///
    /// [`MalformedToken`] if the text cannot be a token of any store.
    pub fn parse(prefix: Prefix, text: &str) -> Result<Self, MalformedToken> {
        TokenShape::of(prefix, text.as_bytes())?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Returns the text of the token, which grants all of its permissions.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// The prefix of native tokens: 1 to 3 ASCII letters or digits followed by `_`. Chosen when the
/// store is created.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// The text, padded with zeros.
    bytes: [u8; 4],
    len: u8,
}

/// The error for a text that is not a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token prefix is 1 to 3 ASCII letters or digits followed by `_`")]
pub struct InvalidPrefix;

impl Prefix {
    /// `sym_`, the default prefix.
    pub const SYMBOLON: Self = Self { bytes: *b"sym_", len: 4 };

    /// Returns the text of the prefix.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Returns the bytes after the prefix if `text` has the form of a native token.
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

/// The hash of a token as stored by another program, under which the token was imported.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForeignHash {
    /// InfluxDB's `$influxdb2-sha256$…`: SHA-256 of the text.
    Sha256([u8; 32]),
    /// InfluxDB's `$influxdb2-sha512$…`: SHA-512 of the text.
    Sha512([u8; 64]),
}

/// The error for a text that is not a stored hash of InfluxDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored hash is `$influxdb2-sha256$` or `$influxdb2-sha512$` followed by base64url")]
pub struct InvalidForeignHash;

impl ForeignHash {
    /// Computes the SHA-256 of a token.
    pub fn sha256(text: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::Sha256(sha2::Sha256::digest(text).into())
    }

    /// Computes the SHA-512 of a token.
    pub fn sha512(text: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::Sha512(sha2::Sha512::digest(text).into())
    }

    /// Returns `true` if this is the hash of `text`.
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

/// The hashes by which a stored authorization recognises its token. There is at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The keyed hash, and the key it was computed under.
    Keyed(KeyId, TokenDigest),
    /// The keyed hash of a native token, which contains the id of its authorization.
    Native(KeyId, TokenDigest),
    /// The hash stored by another program, until the token is used for the first time.
    Foreign(ForeignHash),
    /// Both hashes. The foreign hash remains the unique key; checks use the keyed hash.
    ForeignAndKeyed(ForeignHash, KeyId, TokenDigest),
}

impl Credential {
    /// Returns the keyed hash, if there is one.
    pub fn keyed(&self) -> Option<(KeyId, TokenDigest)> {
        match *self {
            Self::Keyed(key, hash)
            | Self::Native(key, hash)
            | Self::ForeignAndKeyed(_, key, hash) => Some((key, hash)),
            Self::Foreign(_) => None,
        }
    }

    /// Returns the foreign hash, if the token was imported by its hash.
    pub fn foreign_hash(&self) -> Option<ForeignHash> {
        match *self {
            Self::Foreign(foreign_hash) | Self::ForeignAndKeyed(foreign_hash, ..) => {
                Some(foreign_hash)
            }
            Self::Keyed(..) | Self::Native(..) => None,
        }
    }

    /// Returns the unique key of the record. It never changes, so that no two records have the same
    /// token.
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

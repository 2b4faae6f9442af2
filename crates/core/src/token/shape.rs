//! Parses the text of a token in two steps: first what a check needs to continue, then the full
//! validation.

use std::sync::LazyLock;

use super::{BODY, CHECKSUM_DIGITS, ID_DIGITS, Prefix, SECRET_DIGITS, base62};
use crate::id::Id;

/// Length in bytes of a token that is not native.
const OTHER_LENGTH: std::ops::RangeInclusive<usize> = 32..=255;

/// The error for a malformed token: wrong checksum, not canonical, too short, too long, or not
/// printable ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a token: it is damaged, or not 32 to 255 printable ASCII characters; copy the whole token"
)]
pub struct MalformedToken;

/// The form of a token, derived from its text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenShape {
    /// A native token of this store, with the public id it contains.
    Native(Id),
    /// 32 to 255 printable ASCII characters: possibly an imported token.
    Other,
}

impl TokenShape {
    /// Parses `text` without allocating.
    ///
    /// # Errors
    ///
    /// [`MalformedToken`] for a native token with a wrong checksum or non-canonical digits, and for
    /// a text that is not a token.
    pub fn of(prefix: Prefix, text: &[u8]) -> Result<Self, MalformedToken> {
        match UncheckedToken::of(prefix, text)? {
            UncheckedToken::Native(native) => native.id().map(Self::Native).ok_or(MalformedToken),
            UncheckedToken::Other => Ok(Self::Other),
        }
    }
}

/// A parsed token whose checksum was not verified yet, so that a check can prefetch data meanwhile.
#[derive(Clone, Copy)]
pub(crate) enum UncheckedToken<'t> {
    Native(Native<'t>),
    /// The same as [`TokenShape::Other`]; nothing remains to be verified.
    Other,
}

/// A text with the prefix and length of a native token. Until [`Native::is_sound`] returns `true`,
/// the id may be any number.
#[derive(Clone, Copy)]
pub(crate) struct Native<'t> {
    pub(crate) id_number: u64,
    text: &'t [u8],
    id: &'t [u8; ID_DIGITS],
    body: &'t [u8; BODY],
}

impl<'t> UncheckedToken<'t> {
    /// Parses `text` up to the id.
    #[inline(always)]
    pub(crate) fn of(prefix: Prefix, text: &'t [u8]) -> Result<Self, MalformedToken> {
        let parts = prefix.strip(text).and_then(|body| Some((body, body.first_chunk()?)));
        match parts {
            Some((body, id)) => {
                Ok(Self::Native(Native { id_number: base62::number(id), text, id, body }))
            }
            None if OTHER_LENGTH.contains(&text.len()) && base62::are_graphic(text) => {
                Ok(Self::Other)
            }
            None => Err(MalformedToken),
        }
    }
}

impl Native<'_> {
    /// Returns the id, if the token is valid.
    #[inline]
    pub(crate) fn id(&self) -> Option<Id> {
        Id::new(self.id_number).filter(|_| self.is_sound())
    }

    /// Returns `true` if the id is not 0, the checksum is correct and every digit is canonical.
    pub(crate) fn is_sound(&self) -> bool {
        self.has_checksum() && self.is_canonical()
    }

    /// Returns `true` if the id is not 0 and every digit is canonical.
    pub(crate) fn is_canonical(&self) -> bool {
        let secret = self.body.split_first_chunk::<ID_DIGITS>();
        let secret = secret.and_then(|(_, rest)| rest.first_chunk::<SECRET_DIGITS>());
        self.id_number != 0
            && base62::are_digits(self.body)
            && base62::is_u64(self.id)
            && secret.is_some_and(base62::is_u256)
    }

    /// Returns `true` if the checksum is correct. A check does not need it for a token that is
    /// found by its hash, because the token was valid when it was stored.
    #[inline(always)]
    pub(crate) fn has_checksum(&self) -> bool {
        let parts = self.text.split_last_chunk::<CHECKSUM_DIGITS>();
        parts.is_some_and(|(summed, checksum)| {
            base62::number(checksum) == u64::from(checksum_of(summed))
        })
    }
}

/// Computes the CRC-32 of a text. The CPU features are detected only once, because detecting them
/// is a tenth of the work.
#[inline(always)]
pub(super) fn checksum_of(text: &[u8]) -> u32 {
    static NEW: LazyLock<crc32fast::Hasher> = LazyLock::new(crc32fast::Hasher::new);
    let mut hasher = NEW.clone();
    hasher.update(text);
    hasher.finalize()
}

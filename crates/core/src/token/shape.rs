//! What a token's text says of itself, in two steps: what a check needs to go on, and whether it is true.

use std::sync::LazyLock;

use super::{BODY, CHECKSUM_DIGITS, ID_DIGITS, Prefix, SECRET_DIGITS, base62};
use crate::id::Id;

/// The shortest and the longest text that is taken as a token of another origin.
const OTHER_LENGTH: std::ops::RangeInclusive<usize> = 32..=255;

/// A text that is no token: wrong checksum, not canonical, too short, too long, or not printable ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a token: it is damaged, or not 32 to 255 printable ASCII characters; copy it again, whole"
)]
pub struct MalformedToken;

/// What can be told of a token from its text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenShape {
    /// A token of this store's own format, with the public id that it carries.
    Native(Id),
    /// 32 to 255 printable ASCII characters: a token that was imported, if any.
    Other,
}

impl TokenShape {
    /// Reads the shape of `text`; nothing is allocated.
    ///
    /// # Errors
    ///
    /// [`MalformedToken`] for a native text with a wrong checksum or digits that are not canonical, and for what
    /// is no token at all.
    pub fn of(prefix: Prefix, text: &[u8]) -> Result<Self, MalformedToken> {
        match UncheckedToken::of(prefix, text)? {
            UncheckedToken::Native(native) => native.id().map(Self::Native).ok_or(MalformedToken),
            UncheckedToken::Other => Ok(Self::Other),
        }
    }
}

/// The [`TokenShape`] of a text before its checksum is compared, so that a check can fetch what it needs meanwhile.
#[derive(Clone, Copy)]
pub(crate) enum UncheckedToken<'t> {
    Native(Native<'t>),
    /// As [`TokenShape::Other`]; nothing is left to compare.
    Other,
}

/// A text with the prefix and length of a native one. Nothing else is known of it until [`Native::is_sound`] has said so;
/// until then the number of its id is whatever its bytes come to.
#[derive(Clone, Copy)]
pub(crate) struct Native<'t> {
    pub(crate) id_number: u64,
    text: &'t [u8],
    id: &'t [u8; ID_DIGITS],
    body: &'t [u8; BODY],
}

impl<'t> UncheckedToken<'t> {
    /// Reads `text` as far as its id.
    #[inline(always)]
    pub(crate) fn of(prefix: Prefix, text: &'t [u8]) -> Result<Self, MalformedToken> {
        let parts = prefix
            .strip(text)
            .and_then(|body| Some((body, body.first_chunk()?)));
        match parts {
            Some((body, id)) => Ok(Self::Native(Native {
                id_number: base62::number(id),
                text,
                id,
                body,
            })),
            None if OTHER_LENGTH.contains(&text.len()) && base62::are_graphic(text) => {
                Ok(Self::Other)
            }
            None => Err(MalformedToken),
        }
    }
}

impl Native<'_> {
    /// Its id, if it is sound.
    #[inline]
    pub(crate) fn id(&self) -> Option<Id> {
        Id::new(self.id_number).filter(|_| self.is_sound())
    }

    /// Whether the id is one, the checksum is right and every digit canonical.
    pub(crate) fn is_sound(&self) -> bool {
        self.has_checksum() && self.is_canonical()
    }

    /// Whether the id is one and every digit canonical.
    pub(crate) fn is_canonical(&self) -> bool {
        let secret = self.body.split_first_chunk::<ID_DIGITS>();
        let secret = secret.and_then(|(_, rest)| rest.first_chunk::<SECRET_DIGITS>());
        self.id_number != 0
            && base62::are_digits(self.body)
            && base62::is_u64(self.id)
            && secret.is_some_and(base62::is_u256)
    }

    /// Whether the checksum is right. A text that is found by its hash was sound when it was stored, so that a check
    /// need not ask; of one that is not found, [`Native::is_sound`] tells.
    #[inline(always)]
    pub(crate) fn has_checksum(&self) -> bool {
        let parts = self.text.split_last_chunk::<CHECKSUM_DIGITS>();
        parts.is_some_and(|(summed, checksum)| {
            base62::number(checksum) == u64::from(checksum_of(summed))
        })
    }
}

/// The CRC-32 of a text. What the machine can do is found out once, for that is a tenth of the work.
#[inline(always)]
pub(super) fn checksum_of(text: &[u8]) -> u32 {
    static NEW: LazyLock<crc32fast::Hasher> = LazyLock::new(crc32fast::Hasher::new);
    let mut hasher = NEW.clone();
    hasher.update(text);
    hasher.finalize()
}

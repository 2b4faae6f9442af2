//! What a token's text says of itself, in two steps: what a check needs to go on, and whether it is true.

use super::{BODY, CHECKSUM_DIGITS, ID_DIGITS, Prefix, base62};
use crate::id::Id;

/// The shortest and the longest text that is taken as a token of another origin.
const OTHER_LENGTH: std::ops::RangeInclusive<usize> = 32..=255;

/// A text that is no token: wrong checksum, not canonical, too short, too long, or not printable ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a token: it is damaged, or not 32 to 255 printable ASCII characters; copy it again, whole"
)]
pub struct Malformed;

/// What can be told of a token from its text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A token of this store's own format, with the public id that it carries.
    Native(Id),
    /// 32 to 255 printable ASCII characters: a token that was imported, if any.
    Other,
}

impl Shape {
    /// Reads the shape of `text`; nothing is allocated.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for a native text with a wrong checksum or digits that are not canonical, and for what
    /// is no token at all.
    pub fn of(prefix: Prefix, text: &[u8]) -> Result<Self, Malformed> {
        match Draft::of(prefix, text)? {
            Draft::Native(native) => native.id().map(Self::Native).ok_or(Malformed),
            Draft::Other => Ok(Self::Other),
        }
    }
}

/// The [`Shape`] of a text before its checksum is compared, so that a check can fetch what it needs meanwhile.
#[derive(Clone, Copy)]
pub(crate) enum Draft<'t> {
    Native(Native<'t>),
    /// As [`Shape::Other`]; nothing is left to compare.
    Other,
}

/// A text with the prefix and length of a native one. Nothing else is known of it until [`Native::is_sound`] has said so;
/// until then the number of its id is whatever its bytes come to.
#[derive(Clone, Copy)]
pub(crate) struct Native<'t> {
    pub(crate) id_number: u64,
    text: &'t [u8],
    body: &'t [u8; BODY],
}

impl<'t> Draft<'t> {
    /// Reads `text` as far as its id.
    pub(crate) fn of(prefix: Prefix, text: &'t [u8]) -> Result<Self, Malformed> {
        let own = text
            .strip_prefix(prefix.as_str().as_bytes())
            .and_then(|body| <&[u8; BODY]>::try_from(body).ok());
        match own {
            Some(body) => {
                let (id, _) = body.split_at(ID_DIGITS);
                let id_number = base62::read_u64(id).unwrap_or_default();
                Ok(Self::Native(Native {
                    id_number,
                    text,
                    body,
                }))
            }
            None if OTHER_LENGTH.contains(&text.len()) && text.iter().all(u8::is_ascii_graphic) => {
                Ok(Self::Other)
            }
            None => Err(Malformed),
        }
    }
}

impl Native<'_> {
    /// Its id, if it is sound.
    pub(crate) fn id(&self) -> Option<Id> {
        Id::new(self.id_number).filter(|_| self.is_sound())
    }

    /// Whether the id is one, the checksum is right and every digit canonical.
    pub(crate) fn is_sound(&self) -> bool {
        if self.id_number == 0 {
            return false;
        }
        let (rest, checksum) = self.body.split_at(BODY - CHECKSUM_DIGITS);
        let (_, secret) = rest.split_at(ID_DIGITS);
        let summed = self.text.get(..self.text.len() - CHECKSUM_DIGITS);
        summed.is_some_and(|summed| {
            base62::read_u64(checksum) == Some(crc32fast::hash(summed).into())
                && base62::is_u256(secret)
        })
    }
}

//! Names of actions and resource types, held inline so that copying them allocates nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::permission::name_codes;

/// Maximum length in bytes of the name of a user, organization, bucket or named resource.
pub const MAX_LABEL: usize = 255;
/// Maximum length of a name in bytes.
pub const MAX_NAME: usize = 31;

/// 1 to 31 ASCII letters, digits, `_`, `-` or `.`, held inline and padded with zeros.
///
/// The last byte is the number of the name, see [`Name::word`]. It is derived from the other bytes,
/// so names compare and sort like their texts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(align(8))]
pub(crate) struct Name([u8; MAX_NAME + 1]);

/// The error for a text that is not a name of an action or resource type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 31 ASCII letters, digits, `_`, `-` or `.`")]
pub struct InvalidName;

impl Name {
    #[expect(
        clippy::indexing_slicing,
        reason = "const code has no iterators; both indices are below the checked length"
    )]
    pub(crate) const fn new(text: &str) -> Result<Self, InvalidName> {
        let text = text.as_bytes();
        if text.is_empty() || text.len() > MAX_NAME {
            return Err(InvalidName);
        }
        let mut bytes = [0; MAX_NAME + 1];
        let mut at = 0;
        while at < text.len() {
            let byte = text[at];
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')) {
                return Err(InvalidName);
            }
            bytes[at] = byte;
            at += 1;
        }
        bytes[MAX_NAME] = name_codes::number(&bytes);
        Ok(Self(bytes))
    }

    /// Creates a name from a literal; fails to compile if it is invalid.
    #[expect(clippy::panic, reason = "evaluated at compile time: a wrong literal fails to build")]
    pub(crate) const fn literal(text: &str) -> Self {
        match Self::new(text) {
            Ok(name) => name,
            Err(InvalidName) => panic!("invalid name"),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        let [text @ .., _] = &self.0;
        let text = text.split(|byte| *byte == 0).next();
        text.and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }

    /// Returns the number of a well-known name, as in [`name_codes`], or
    /// [`name_codes::OTHER`] for other names.
    #[inline]
    pub(crate) const fn word(&self) -> u8 {
        let [.., word] = self.0;
        word
    }

    /// Returns all bytes. Only equal names have equal bytes.
    #[inline]
    pub(crate) const fn bytes(&self) -> &[u8; MAX_NAME + 1] {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

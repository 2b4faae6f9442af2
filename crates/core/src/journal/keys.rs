//! Keys under which the lines of a journal are sealed: without the key, no line can be forged.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::key::{KeyId, StoreKey};

/// Keys of a journal, derived from the secrets of a [`StoreKey`].
#[derive(Debug)]
pub struct JournalKeys {
    /// The current key is the last.
    keys: Vec<JournalKey>,
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct JournalKey {
    #[zeroize(skip)]
    id: KeyId,
    key: [u8; 32],
}

impl fmt::Debug for JournalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)
    }
}

/// A MAC of 16 bytes; as text, 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Mac(pub [u8; 16]);

impl JournalKeys {
    /// Derives the keys from the secrets of `key`.
    pub fn new(key: &StoreKey) -> Self {
        let keys = key.newest_first().rev().map(|secret| JournalKey {
            id: secret.id,
            key: blake3::derive_key("symbolon 2026-11-22 journal", &*secret.hash.bytes()),
        });
        Self { keys: keys.collect() }
    }

    /// Returns the current key and its MAC of `line`, whose predecessor has the MAC `previous`.
    pub fn seal(&self, previous: Mac, line: &[u8]) -> (KeyId, Mac) {
        let mac = self.keys.last().map(|key| (key.id, key.mac(previous, line)));
        mac.unwrap_or((KeyId(0), Mac::default()))
    }

    /// Returns true if `mac` is the MAC of `line` under the key with this id; `previous` is the MAC
    /// of the line before. None if there is no such key.
    pub fn verify(&self, key: KeyId, previous: Mac, line: &[u8], mac: Mac) -> Option<bool> {
        Some(self.mac(key, previous, line)? == mac)
    }

    /// Returns the MAC of `line` under the key with this id; `previous` is the MAC of the line
    /// before. None if there is no such key.
    pub fn mac(&self, key: KeyId, previous: Mac, line: &[u8]) -> Option<Mac> {
        let key = self.keys.iter().find(|one| one.id == key)?;
        Some(key.mac(previous, line))
    }
}

impl JournalKey {
    fn mac(&self, previous: Mac, line: &[u8]) -> Mac {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&previous.0);
        hasher.update(line);
        let mut mac = Mac::default();
        hasher.finalize_xof().fill(&mut mac.0);
        mac
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Error for a text that is not a MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a MAC has 32 lower-case hexadecimal digits")]
pub struct InvalidMac;

impl FromStr for Mac {
    type Err = InvalidMac;

    fn from_str(text: &str) -> Result<Self, InvalidMac> {
        let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let number = u128::from_str_radix(text, 16).map_err(|_| InvalidMac)?;
        let fits = text.len() == 32 && text.bytes().all(plain);
        fits.then_some(Self(number.to_be_bytes())).ok_or(InvalidMac)
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_line_and_predecessor_give_the_same_mac() {
        let keys = JournalKeys::new(&StoreKey::from_bytes([1; 32]));
        let (id, mac) = keys.seal(Mac([3; 16]), b"line");
        let authentic =
            |previous: u8, line: &[u8]| keys.verify(id, Mac([previous; 16]), line, mac).unwrap();
        assert!(authentic(3, b"line"));
        assert!(!authentic(4, b"line"));
        assert!(!authentic(3, b"lines"));
        let others = JournalKeys::new(&StoreKey::from_bytes([2; 32]));
        assert_eq!(others.verify(id, Mac([3; 16]), b"line", mac), None);
        assert_ne!(others.seal(Mac([3; 16]), b"line").1, mac);
    }

    #[test]
    fn macs_have_one_text_form() {
        let mac = Mac([0xab; 16]);
        assert_eq!(mac.to_string().parse(), Ok(mac));
        for wrong in ["", "AB", &"AB".repeat(16), &"+b".repeat(16), &"ab".repeat(17)] {
            assert_eq!(wrong.parse::<Mac>(), Err(InvalidMac));
        }
    }
}

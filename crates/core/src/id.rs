//! Ids: 64 bits, ordered by creation time, never 0.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::time::Timestamp;

/// The id of an authorization, user, organization or bucket.
///
/// The text form is 16 hexadecimal digits, as in InfluxDB: upper case is accepted, lower case is
/// written. An id can also be written as a UUID of version 8 (RFC 9562), see [`Id::to_uuid`].
///
/// ```
/// use symbolon::Id;
///
/// let id: Id = "0804f74142bbf000".parse()?;
/// assert_eq!(id.to_string(), "0804f74142bbf000");
/// assert_eq!(Id::from_uuid(id.to_uuid()), Some(id));
/// # Ok::<(), symbolon::InvalidId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(NonZeroU64);

/// The error for a text that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The length is not 16 bytes.
    #[error("id must have a length of 16 bytes")]
    Length,
    /// A character is not a hexadecimal digit, or the id is 0.
    #[error("invalid ID")]
    Digits,
}

/// The 58 low bits of the UUID form. They are fixed, so that other UUIDs are detected.
const UUID_TAIL: u64 = 0x0073_796d_626f_6c6f;
const UUID_TAIL_BITS: u32 = 58;

impl Id {
    /// Smallest id.
    pub const MIN: Self = Self(NonZeroU64::MIN);
    /// Greatest id.
    pub const MAX: Self = Self(NonZeroU64::MAX);

    /// Creates an id from a number; `None` for 0.
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Returns the number, which is never 0.
    pub const fn number(self) -> u64 {
        self.0.get()
    }

    /// Returns the UUID form: version 8, the id in the first 64 free bits, and fixed bits after it.
    pub fn to_uuid(self) -> Uuid {
        let number = self.number();
        // 0x8000 is the version, 0b10 the variant.
        let high = (number >> 16) << 16 | 0x8000 | ((number >> 4) & 0x0fff);
        let low = 0b10 << 62 | (number & 0xf) << UUID_TAIL_BITS | UUID_TAIL;
        Uuid::from_u64_pair(high, low)
    }

    /// Parses the UUID form of an id; `None` for every other UUID.
    pub fn from_uuid(uuid: Uuid) -> Option<Self> {
        let (high, low) = uuid.as_u64_pair();
        let number = (high >> 16) << 16 | (high & 0x0fff) << 4 | (low >> UUID_TAIL_BITS) & 0xf;
        Self::new(number).filter(|id| id.to_uuid() == uuid)
    }
}

impl FromStr for Id {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.len() != 16 {
            return Err(InvalidId::Length);
        }
        // `from_str_radix` accepts a sign.
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidId::Digits);
        }
        let number = u64::from_str_radix(text, 16).map_err(|_| InvalidId::Digits)?;
        Self::new(number).ok_or(InvalidId::Digits)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.number())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// 2017-04-09 in Unix milliseconds, the start of the time in InfluxDB's ids.
const ID_EPOCH_MS: u64 = 1_491_696_000_000;
const RANDOM_BITS: u32 = 22;

/// Generates increasing ids: 42 bits of milliseconds since 2017-04-09 and 22 random bits, or the
/// previous id plus 1 if that is greater.
///
/// Two processes may generate the same id. The store refuses the second one, and the engine
/// retries.
#[derive(Debug, Default)]
pub(crate) struct IdGenerator {
    last: AtomicU64,
}

impl IdGenerator {
    pub(crate) fn next(&self, now: Timestamp, random: u64) -> Id {
        let ms = (now.nanos() / 1_000_000).saturating_sub(ID_EPOCH_MS);
        let drawn =
            ms.min(u64::MAX >> RANDOM_BITS) << RANDOM_BITS | random & ((1 << RANDOM_BITS) - 1);
        let step = |last: u64| Some(drawn.max(last.saturating_add(1)));
        let last =
            self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap_or_default();
        Id::new(drawn.max(last.saturating_add(1))).unwrap_or(Id::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_and_uuid_are_bijections(number in 1..=u64::MAX) {
            let id = Id::new(number).unwrap();
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
            let uuid = id.to_uuid();
            prop_assert_eq!(uuid.get_version_num(), 8);
            prop_assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
            prop_assert_eq!(Id::from_uuid(uuid), Some(id));
        }

        #[test]
        fn accepted_uuids_round_trip(bits: u128) {
            let uuid = Uuid::from_u128(bits);
            if let Some(id) = Id::from_uuid(uuid) {
                prop_assert_eq!(id.to_uuid(), uuid);
            }
        }

        #[test]
        fn any_flipped_bit_of_the_fixed_part_is_refused(number in 1..=u64::MAX, bit in 0..58_u32) {
            let uuid = Id::new(number).unwrap().to_uuid();
            prop_assert_eq!(Id::from_uuid(Uuid::from_u128(uuid.as_u128() ^ (1 << bit))), None);
        }

        #[test]
        fn generated_ids_grow(
            draws in proptest::collection::vec((0..10_u64, any::<u64>()), 1..200)
        ) {
            let generator = IdGenerator::default();
            let mut last = 0;
            for (ms, random) in draws {
                let nanos = 1_800_000_000_000_000_000 + ms * 1_000_000;
                let now = Timestamp::from_nanos(nanos).unwrap();
                let id = generator.next(now, random).number();
                prop_assert!(id > last);
                last = id;
            }
        }
    }

    #[test]
    fn invalid_ids_are_rejected() {
        assert_eq!("0804f74142bbf00".parse::<Id>(), Err(InvalidId::Length));
        assert_eq!("+804f74142bbf000".parse::<Id>(), Err(InvalidId::Digits));
        assert_eq!("0000000000000000".parse::<Id>(), Err(InvalidId::Digits));
        assert_eq!("ääääääää".parse::<Id>(), Err(InvalidId::Digits));
        assert_eq!(Id::from_uuid(Uuid::nil()), None);
    }
}

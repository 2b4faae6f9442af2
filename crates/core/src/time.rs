//! Timestamps.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, at most 2262-04-11T23:47:16.854775807Z.
///
/// The text form is RFC 3339 in UTC, with as many fraction digits as needed. Any offset is
/// accepted.
///
/// ```
/// use symbolon::Timestamp;
///
/// let time: Timestamp = "2026-11-22T10:00:00.120000+01:00".parse()?;
/// assert_eq!(time.to_string(), "2026-11-22T09:00:00.12Z");
/// assert!("1969-12-31T23:59:59Z".parse::<Timestamp>().is_err());
/// # Ok::<(), symbolon::InvalidTime>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(u64);

/// The error for a text or number that is not a [`Timestamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTime {
    /// The text is not in RFC 3339 format.
    #[error("a time must have the form `2026-11-22T10:00:00Z` (RFC 3339)")]
    Form,
    /// The time is before 1970 or after 2262.
    #[error("a time must be between 1970-01-01T00:00:00Z and 2262-04-11T23:47:16Z")]
    Range,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 2262-04-11T23:47:16.854775807Z.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// Creates a timestamp from nanoseconds since 1970; `None` if it is later than
    /// [`Timestamp::MAX`].
    pub const fn from_nanos(nanos: u64) -> Option<Self> {
        if nanos <= Self::MAX.0 { Some(Self(nanos)) } else { None }
    }

    /// Returns the nanoseconds since 1970.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Returns the time `duration` later, at most [`Timestamp::MAX`].
    pub fn saturating_add(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos).min(Self::MAX.0))
    }

    /// Returns the time `duration` earlier, at least [`Timestamp::MIN`].
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(nanos))
    }

    fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0.cast_signed())
    }
}

impl TryFrom<DateTime<Utc>> for Timestamp {
    type Error = InvalidTime;

    fn try_from(time: DateTime<Utc>) -> Result<Self, InvalidTime> {
        let nanos = time.timestamp_nanos_opt().ok_or(InvalidTime::Range)?;
        u64::try_from(nanos).map(Self).map_err(|_| InvalidTime::Range)
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(time: Timestamp) -> Self {
        time.to_chrono()
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTime::Form)?;
        time.to_utc().try_into()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_chrono().to_rfc3339_opts(SecondsFormat::Nanos, true);
        match text.trim_end_matches('Z').split_once('.') {
            Some((seconds, fraction)) => match fraction.trim_end_matches('0') {
                "" => write!(f, "{seconds}Z"),
                fraction => write!(f, "{seconds}.{fraction}Z"),
            },
            None => f.write_str(&text),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Minutes since 1970, the precision in which the last use of a token is stored.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct Minute(pub u32);

impl From<Timestamp> for Minute {
    fn from(time: Timestamp) -> Self {
        Self(u32::try_from(time.0 / MINUTE).unwrap_or(u32::MAX))
    }
}

impl From<Minute> for Timestamp {
    /// Returns the start of the minute, at most [`Timestamp::MAX`].
    fn from(Minute(minute): Minute) -> Self {
        Self(u64::from(minute).saturating_mul(MINUTE).min(Self::MAX.0))
    }
}

/// Length of a minute in nanoseconds.
const MINUTE: u64 = 60_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_is_a_bijection(nanos in 0..=Timestamp::MAX.0) {
            let time = Timestamp(nanos);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }

    #[test]
    fn a_minute_converts_to_its_first_nanosecond() {
        let time: Timestamp = "2026-11-22T10:00:59.9Z".parse().unwrap();
        let start = Timestamp::from(Minute::from(time));
        assert_eq!(start.to_string(), "2026-11-22T10:00:00Z");
        assert_eq!(Timestamp::from(Minute(u32::MAX)), Timestamp::MAX);
    }

    #[test]
    fn times_out_of_range_are_rejected() {
        assert_eq!("2262-04-12T00:00:00Z".parse::<Timestamp>(), Err(InvalidTime::Range));
        assert_eq!("1969-12-31T23:59:59.9Z".parse::<Timestamp>(), Err(InvalidTime::Range));
        assert_eq!("2026-11-22".parse::<Timestamp>(), Err(InvalidTime::Form));
        assert_eq!(Timestamp::from_nanos(u64::MAX), None);
    }
}

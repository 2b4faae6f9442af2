//! The kinds of token that a store accepts, and InfluxDB's stored hashes of them.
//!
//! A native token is `sym_`, then 11 base62 digits of the id, 43 of a 256-bit secret, and 6 of the
//! CRC-32 of these 58 bytes. The digits are in ASCII order and of fixed width, so that texts
//! compare as their numbers do.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sha2::{Digest as _, Sha256, Sha512};
use symbolon_oracle::random::{Rng, pick};

#[derive(Debug, Clone, Copy)]
pub(super) enum TextKind {
    /// 64 random bytes in URL-safe base64 with padding: 88 characters.
    InfluxV2,
    /// `apiv3_` and 64 random bytes in URL-safe base64 without padding: 92 characters.
    InfluxV3,
    /// Symbolon's own form, which contains the id.
    Native,
    /// 32 to 255 printable ASCII characters.
    Custom,
    /// An InfluxDB v2 token that is imported by its SHA-256.
    HashedSha256,
    /// An InfluxDB v2 token that is imported by its SHA-512.
    HashedSha512,
}

impl TextKind {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        match rng.u8(..100) {
            0..30 => Self::Native,
            30..60 => Self::InfluxV2,
            60..80 => Self::InfluxV3,
            80..90 => Self::Custom,
            90..95 => Self::HashedSha256,
            _ => Self::HashedSha512,
        }
    }

    /// Returns a new token of this kind for the authorization `id`.
    pub(super) fn text(self, rng: &mut Rng, id: u64) -> String {
        let mut bytes = [0; 64];
        rng.fill(&mut bytes);
        let base64 = URL_SAFE.encode(bytes);
        match self {
            Self::InfluxV2 | Self::HashedSha256 | Self::HashedSha512 => base64,
            Self::InfluxV3 => format!("apiv3_{}", base64.trim_end_matches('=')),
            Self::Native => compose(&id_digits(id), &random_secret(rng)),
            Self::Custom => custom(rng),
        }
    }

    /// Returns the hash that is imported instead of `text`, or `None` if the token is imported.
    pub(super) fn stored_hash(self, text: &str) -> Option<String> {
        match self {
            Self::HashedSha256 => Some(sha256_hash(text)),
            Self::HashedSha512 => Some(sha512_hash(text)),
            _ => None,
        }
    }
}

/// Returns InfluxDB's stored form of a token under SHA-256.
pub(super) fn sha256_hash(text: &str) -> String {
    format!("$influxdb2-sha256${}", URL_SAFE.encode(Sha256::digest(text)))
}

/// Returns InfluxDB's stored form of a token under SHA-512.
pub(super) fn sha512_hash(text: &str) -> String {
    format!("$influxdb2-sha512${}", URL_SAFE.encode(Sha512::digest(text)))
}

/// Returns a token of the embedder's own form, often at a limit of length or almost native.
fn custom(rng: &mut Rng) -> String {
    let any = rng.usize(32..=255);
    let (prefix, length) = match rng.u8(..20) {
        0 => ("", 32),
        1 => ("", 255),
        2 => ("", LENGTH),
        3 => (PREFIX, LENGTH - 1),
        4 => (PREFIX, LENGTH + 1),
        5 => ("SYM_", LENGTH),
        _ => ("", any),
    };
    format!("{prefix}{}", printable(rng, length - prefix.len()))
}

/// Returns `length` characters from `!` to `~`.
pub(super) fn printable(rng: &mut Rng, length: usize) -> String {
    (0..length).map(|_| rng.char('!'..='~')).collect()
}

pub(super) const PREFIX: &str = "sym_";
/// Length of a native token in bytes.
const LENGTH: usize = 64;
const ID_DIGITS: usize = 11;
const SECRET_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;

/// The digits of 2^64 - 1, of 2^64, of 2^256 - 1 and of 2^256.
pub(super) const LAST_ID: &str = "LygHa16AHYF";
pub(super) const FIRST_ID_TOO_BIG: &str = "LygHa16AHYG";
pub(super) const LAST_SECRET: &str = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";
pub(super) const FIRST_SECRET_TOO_BIG: &str = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp2";
pub(super) const ZERO_ID: &str = "00000000000";

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes `number` in `width` base62 digits, most significant first, and drops higher digits.
pub(super) fn base62(mut number: u128, width: usize) -> String {
    let mut text = String::new();
    for _ in 0..width {
        let digit = DIGITS.get((number % 62) as usize).copied().map_or('0', char::from);
        text.insert(0, digit);
        number /= 62;
    }
    text
}

pub(super) fn id_digits(id: u64) -> String {
    base62(u128::from(id), ID_DIGITS)
}

/// Returns the digits of a random number below 2^256.
pub(super) fn random_secret(rng: &mut Rng) -> String {
    loop {
        let digits: String = (0..SECRET_DIGITS).map(|_| random_digit(rng)).collect();
        if digits.as_str() <= LAST_SECRET {
            return digits;
        }
    }
}

pub(super) fn random_digit(rng: &mut Rng) -> char {
    char::from(*pick(rng, DIGITS))
}

/// Returns the token with the right checksum for `id` and `secret`, valid or not.
pub(super) fn compose(id: &str, secret: &str) -> String {
    let head = format!("{PREFIX}{id}{secret}");
    let sum = checksum(&head);
    head + &sum
}

/// Returns the base62 digits of the CRC-32 (IEEE) of `head`.
pub(super) fn checksum(head: &str) -> String {
    base62(u128::from(crc32fast::hash(head.as_bytes())), CHECKSUM_DIGITS)
}

/// Returns whether a text is not of any form that a store accepts.
pub(super) fn is_malformed(text: &str) -> bool {
    if text.len() == LENGTH && text.starts_with(PREFIX) {
        return !is_native(text);
    }
    !(32..=255).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Returns whether `text` satisfies every rule of the native form.
fn is_native(text: &str) -> bool {
    let digits = text.strip_prefix(PREFIX).unwrap_or_default();
    let Some((id, secret, sum)) = parts(text) else {
        return false;
    };
    digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && id <= LAST_ID
        && id != ZERO_ID
        && secret <= LAST_SECRET
        && checksum(&format!("{PREFIX}{id}{secret}")) == sum
}

/// Returns the digits of id, secret and checksum, or `None` if `text` cannot be split there.
pub(super) fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let digits = text.strip_prefix(PREFIX)?;
    let (id, rest) = digits.split_at_checked(ID_DIGITS)?;
    let (secret, sum) = rest.split_at_checked(SECRET_DIGITS)?;
    Some((id, secret, sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Computed with Python's integers and `zlib.crc32`; the secret is the bytes 0, 1, … 31.
    const KNOWN: &str = "sym_0rnH53Gg6sr003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf24IhLr";
    const KNOWN_SECRET: &str = "003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf";

    #[test]
    fn native_tokens_match_python() {
        assert_eq!(compose("0rnH53Gg6sr", KNOWN_SECRET), KNOWN);
        assert_eq!(id_digits(0x0a1b_2c3d_4e5f_6071), "0rnH53Gg6sr");
        assert_eq!(id_digits(u64::MAX), LAST_ID);
        assert_eq!(base62(1 << 64, 11), FIRST_ID_TOO_BIG);
        assert!(!is_malformed(KNOWN));
        assert!(!is_malformed(&compose(LAST_ID, LAST_SECRET)));
    }

    #[test]
    fn a_matching_checksum_does_not_make_an_invalid_token_valid() {
        for (id, secret) in [
            (ZERO_ID, KNOWN_SECRET),
            (FIRST_ID_TOO_BIG, KNOWN_SECRET),
            ("zzzzzzzzzzz", KNOWN_SECRET),
            ("0rnH53Gg6sr", FIRST_SECRET_TOO_BIG),
            ("0rnH53Gg6s-", KNOWN_SECRET),
            ("0rnH53Gg6é", KNOWN_SECRET),
        ] {
            let text = compose(id, secret);
            assert!(is_malformed(&text), "{text}");
        }
        let (head, _) = KNOWN.split_at(58);
        for sum in ["24IhLs", "24IhL-", "24Ihé"] {
            assert!(is_malformed(&format!("{head}{sum}")), "{sum}");
        }
    }
}

//! Native tokens: `sym_`, then 11 base62 digits of the id, 43 of a 256-bit secret, and 6 of the
//! CRC-32 of these 58 bytes.
//!
//! The digits are in ASCII order and of fixed width, so that texts compare as their numbers do.

use fastrand::Rng;

use super::pick;

pub(super) const PREFIX: &str = "sym_";
/// Length of a native token in bytes.
pub(super) const LENGTH: usize = 64;
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
    let mut digits = Vec::with_capacity(width);
    for _ in 0..width {
        digits.extend(
            DIGITS
                .get((number % 62) as usize)
                .map(|&digit| char::from(digit)),
        );
        number /= 62;
    }
    digits.into_iter().rev().collect()
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
    let sum = checksum(head.as_bytes());
    head + &sum
}

/// Returns the base62 digits of the CRC-32 (IEEE) of `head`.
pub(super) fn checksum(head: &[u8]) -> String {
    base62(u128::from(crc32fast::hash(head)), CHECKSUM_DIGITS)
}

/// Returns whether `text` can only be a native token or malformed.
pub(super) fn is_native_shaped(text: &str) -> bool {
    text.len() == LENGTH && text.starts_with(PREFIX)
}

/// Returns whether a native-shaped `text` satisfies every rule of the native form.
pub(super) fn is_well_formed(text: &str) -> bool {
    let (Some(digits), Some((id, secret, sum))) = (text.get(PREFIX.len()..), parts(text)) else {
        return false;
    };
    let head = text.len() - CHECKSUM_DIGITS;
    digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && id <= LAST_ID
        && id != ZERO_ID
        && secret <= LAST_SECRET
        && text
            .get(..head)
            .is_some_and(|head| checksum(head.as_bytes()) == sum)
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
    fn base62_digits_match_python() {
        assert_eq!(id_digits(u64::MAX), LAST_ID);
        assert_eq!(base62(1 << 64, 11), FIRST_ID_TOO_BIG);
        assert_eq!(id_digits(1000), "000000000G8");
        assert_eq!(id_digits(0x0a1b_2c3d_4e5f_6071), "0rnH53Gg6sr");
        assert_eq!(base62(u128::from(u32::MAX), 6), "4gfFC3");
    }

    #[test]
    fn native_tokens_match_python() {
        let zeros = "0".repeat(43);
        let last = "sym_LygHa16AHYFyhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13k8c0N";
        let low = "sym_000000000G80000000000000000000000000000000000000000000099TUz";
        assert_eq!(compose("0rnH53Gg6sr", KNOWN_SECRET), KNOWN);
        assert_eq!(compose(LAST_ID, LAST_SECRET), last);
        assert_eq!(compose(&id_digits(1000), &zeros), low);
        assert!(
            [KNOWN, last, low]
                .into_iter()
                .all(|text| is_native_shaped(text) && is_well_formed(text))
        );
        assert_eq!(parts(KNOWN), Some(("0rnH53Gg6sr", KNOWN_SECRET, "24IhLr")));
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
            assert!(is_native_shaped(&text), "{text}");
            assert!(!is_well_formed(&text), "{text}");
        }
        let (head, _) = KNOWN.split_at(58);
        for sum in ["24IhLs", "24IhL-", "24Ihé"] {
            assert!(!is_well_formed(&format!("{head}{sum}")), "{sum}");
        }
    }
}

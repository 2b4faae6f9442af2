//! Base62 of a fixed width, most significant digit first, in the alphabet `0-9A-Za-z`.
//!
//! The alphabet is in ASCII order, so that texts of one width compare as their numbers do.

use zeroize::Zeroize;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 2²⁵⁶ − 1 in 43 digits.
const MAX_U256: &[u8; 43] = b"yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";
/// The value of each byte as a digit; 255 for what is none.
const DIGITS: [u8; 256] = digits();

#[expect(
    clippy::indexing_slicing,
    reason = "const code has no iterators; every index is a byte or below 62"
)]
const fn digits() -> [u8; 256] {
    let mut table = [u8::MAX; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        table[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    table
}

fn digit(value: u64) -> char {
    let at = usize::try_from(value).unwrap_or_default();
    ALPHABET.get(at).copied().map_or('0', char::from)
}

/// Appends `number` in `width` digits.
pub(super) fn push_u64(text: &mut String, number: u64, width: usize) {
    for place in (0..width).rev() {
        let scale = u32::try_from(place)
            .ok()
            .and_then(|place| 62_u64.checked_pow(place));
        text.push(scale.map_or('0', |scale| digit(number / scale % 62)));
    }
}

/// Appends the big-endian number `bytes` in `width` digits.
pub(super) fn push_u256(text: &mut String, bytes: &[u8; 32], width: usize) {
    let mut number = *bytes;
    let mut reversed = [0_u8; MAX_U256.len()];
    for place in reversed.iter_mut().take(width) {
        let mut rest = 0_u32;
        for byte in &mut number {
            let part = rest << 8 | u32::from(*byte);
            *byte = (part / 62) as u8;
            rest = part % 62;
        }
        *place = rest as u8;
    }
    for value in reversed.iter().take(width).rev() {
        text.push(digit(u64::from(*value)));
    }
    number.zeroize();
    reversed.zeroize();
}

/// The number that `text` writes; none if a byte is no digit or the number passes 64 bits.
pub(super) fn read_u64(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |number, byte| {
        let value = DIGITS.get(usize::from(*byte)).copied()?;
        if value == u8::MAX {
            return None;
        }
        number.checked_mul(62)?.checked_add(value.into())
    })
}

/// Whether `text` writes a number of at most 256 bits in 43 digits.
pub(super) fn is_u256(text: &[u8]) -> bool {
    text.len() == MAX_U256.len()
        && text.iter().all(u8::is_ascii_alphanumeric)
        && text <= MAX_U256.as_slice()
}

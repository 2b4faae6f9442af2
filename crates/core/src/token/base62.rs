//! Base62 numbers of fixed width, most significant digit first, with the alphabet `0-9A-Za-z`.
//!
//! The alphabet is in ASCII order, so texts of the same width compare like their numbers. Every
//! check parses its token with these functions. They read a fixed width, do not branch on single
//! bytes, and validate 16 bytes at a time.

use zeroize::Zeroize;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 2⁶⁴ − 1 in 11 digits.
const MAX_U64: &[u8; 11] = b"LygHa16AHYF";
/// 2²⁵⁶ − 1 in 43 digits.
const MAX_U256: &[u8; 43] = b"yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";
/// Number of digits divided off a long number in one step, and the divisor.
const AT_ONCE: usize = 5;
const SCALE: u64 = 62_u64.pow(AT_ONCE as u32);
/// Value of each byte as a digit; 0 for other bytes.
static DIGITS: [u8; 256] = digits();

#[expect(
    clippy::indexing_slicing,
    reason = "const code has no iterators; every index is a byte or below 62"
)]
const fn digits() -> [u8; 256] {
    let mut table = [0; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        table[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    table
}

/// Value of a digit at each of `N` places.
#[expect(clippy::indexing_slicing, reason = "const code has no iterators; every index is below N")]
const fn places<const N: usize>() -> [u64; N] {
    let mut places = [1; N];
    let mut at = N - 1;
    while at > 0 {
        places[at - 1] = places[at] * 62;
        at -= 1;
    }
    places
}

fn digit(value: u64) -> char {
    let at = usize::try_from(value).unwrap_or_default();
    ALPHABET.get(at).copied().map_or('0', char::from)
}

/// Appends `number` as `width` digits.
pub(super) fn push_u64(text: &mut String, number: u64, width: usize) {
    for place in (0..width).rev() {
        let scale = u32::try_from(place).ok().and_then(|place| 62_u64.checked_pow(place));
        text.push(scale.map_or('0', |scale| digit(number / scale % 62)));
    }
}

/// Appends the big-endian number `bytes` as `width` digits.
pub(super) fn push_u256(text: &mut String, bytes: &[u8; 32], width: usize) {
    let (words, _) = bytes.as_chunks();
    let mut number = [0_u32; 8];
    for (to, from) in number.iter_mut().zip(words) {
        *to = u32::from_be_bytes(*from);
    }
    let mut reversed = [0_u8; MAX_U256.len()];
    for places in reversed.chunks_mut(AT_ONCE) {
        let mut rest = 0;
        for word in &mut number {
            let part = rest << 32 | u64::from(*word);
            *word = (part / SCALE) as u32;
            rest = part % SCALE;
        }
        for place in places {
            *place = (rest % 62) as u8;
            rest /= 62;
        }
    }
    for value in reversed.iter().take(width).rev() {
        text.push(digit(u64::from(*value)));
    }
    number.zeroize();
    reversed.zeroize();
}

/// Parses `text` modulo 2⁶⁴; all bytes must be digits. The multiplications are independent of each
/// other.
#[inline]
pub(super) fn number<const N: usize>(text: &[u8; N]) -> u64 {
    let places = const { places::<N>() };
    let values = text.iter().zip(places).map(|(byte, place)| {
        let value = DIGITS.get(usize::from(*byte)).copied().unwrap_or_default();
        u64::from(value).wrapping_mul(place)
    });
    values.fold(0, u64::wrapping_add)
}

/// Returns `true` if every byte is a digit.
#[inline]
pub(super) fn are_digits(text: &[u8; super::BODY]) -> bool {
    all(text, |byte| {
        let letter = (byte | 0x20).wrapping_sub(b'a').saturating_sub(25);
        let digit = byte.wrapping_sub(b'0').saturating_sub(9);
        letter.min(digit)
    })
}

/// Returns `true` if every byte is printable ASCII other than the space. `text` has at least 16
/// bytes.
#[inline]
pub(super) fn are_graphic(text: &[u8]) -> bool {
    all(text, |byte| byte.wrapping_sub(b'!').saturating_sub(b'~' - b'!'))
}

/// Returns `true` if the number has at most 64 bits.
#[inline]
pub(super) fn is_u64(digits: &[u8; 11]) -> bool {
    at_most(digits, MAX_U64)
}

/// Returns `true` if the number has at most 256 bits.
#[inline]
pub(super) fn is_u256(digits: &[u8; 43]) -> bool {
    at_most(digits, MAX_U256)
}

/// Returns `true` if `fault` is 0 for every byte of `text`, which has at least 16 bytes. `fault`
/// uses saturating subtraction instead of comparison, which every platform does for 16 bytes in one
/// instruction.
#[inline]
fn all(text: &[u8], fault: impl Fn(u8) -> u8) -> bool {
    const LANES: usize = 16;
    let mut faults = [0; LANES];
    let mut judge = |window: &[u8; LANES]| {
        for (faults, byte) in faults.iter_mut().zip(window) {
            *faults |= fault(*byte);
        }
    };
    let (windows, _) = text.as_chunks();
    windows.iter().for_each(&mut judge);
    // The last window overlaps the one before it.
    let last = text.last_chunk().map(judge);
    last.is_some() && u128::from_ne_bytes(faults) == 0
}

/// Returns `true` if `text` is at most `max`. The first 8 bytes nearly always decide.
#[inline]
fn at_most<const N: usize>(text: &[u8; N], max: &[u8; N]) -> bool {
    match (text.first_chunk(), max.first_chunk()) {
        (Some(a), Some(b)) if a != b => u64::from_be_bytes(*a) < u64::from_be_bytes(*b),
        _ => text <= max,
    }
}

//! Texts that are refused whatever they ask for, most of them derived from an existing token.
//!
//! A change may leave a text as it was; the oracle decides what each text is.

use symbolon_oracle::random::{Rng, percent, pick};
use symbolon_oracle::world::unknown_id;

use super::Issued;
use super::text::{
    FIRST_ID_TOO_BIG, FIRST_SECRET_TOO_BIG, LAST_ID, LAST_SECRET, PREFIX, TextKind, ZERO_ID,
    base62, checksum, compose, id_digits, parts, printable, random_digit, random_secret,
    sha256_hash, sha512_hash,
};

/// Returns a text that is not a token.
pub(super) fn malformed(rng: &mut Rng, existing: &Issued<'_>) -> String {
    let text = existing.text.as_str();
    let secret = parts(text).map(|(_, secret, _)| secret.to_owned());
    let secret = secret.unwrap_or_else(|| random_secret(rng));
    let id = id_digits(existing.authorization.id);
    match rng.u8(..10) {
        0 => wrong_checksum(rng, &id, &secret),
        1 => invalid_digit(rng, &id, &secret),
        2 => compose(ZERO_ID, &secret),
        // The last is equal to the id modulo 2^64.
        3 => match rng.u8(..3) {
            0 => compose(FIRST_ID_TOO_BIG, &secret),
            1 => compose(&"z".repeat(11), &secret),
            _ => compose(&base62(u128::from(existing.authorization.id) + (1 << 64), 11), &secret),
        },
        4 => match rng.u8(..3) {
            0 => compose(&id, FIRST_SECRET_TOO_BIG),
            1 => compose(&id, &"z".repeat(43)),
            _ => compose(&id, &replace(&secret, 0, 'z')),
        },
        5 => text.chars().take(*pick(rng, &[0, 1, 16, 30, 31])).collect(),
        6 => {
            let length = *pick(rng, &[256, 256, 300, 600]);
            printable(rng, length)
        }
        _ => insert(rng, text),
    }
}

/// Returns a well-formed text that no authorization has.
pub(super) fn unknown(rng: &mut Rng, existing: &Issued<'_>) -> String {
    use TextKind::{Custom, InfluxV2, InfluxV3, Native};
    match rng.u8(..10) {
        0..4 => {
            let id = unknown_id(rng);
            pick(rng, &[InfluxV2, InfluxV3, Native, Custom]).text(rng, id)
        }
        4 => compose(LAST_ID, LAST_SECRET),
        5 => Native.text(rng, existing.authorization.id),
        // A stored hash must not work as a token.
        6 => {
            let stored = existing.kind.stored_hash(&existing.text);
            stored.unwrap_or_else(|| sha256_hash(&existing.text))
        }
        7 => sha512_hash(&existing.text),
        _ => near_miss(rng, &existing.text),
    }
}

fn wrong_checksum(rng: &mut Rng, id: &str, secret: &str) -> String {
    match rng.u8(..3) {
        0 => {
            let at = PREFIX.len() + rng.usize(..60);
            replace(&compose(id, secret), at, random_digit(rng))
        }
        // Correct modulo 2^32.
        1 => {
            let head = format!("{PREFIX}{id}{secret}");
            let sum = u128::from(crc32fast::hash(head.as_bytes()));
            head + &base62(sum + (1 << 32), 6)
        }
        // The checksum of the text without its prefix.
        _ => format!("{PREFIX}{id}{secret}{}", checksum(&format!("{id}{secret}"))),
    }
}

/// Returns a text with a character that is not a digit; the checksum matches unless it is there.
fn invalid_digit(rng: &mut Rng, id: &str, secret: &str) -> String {
    let wrong = char::from(*pick(rng, b"-_=+/~!@[`{:"));
    match rng.u8(..3) {
        0 => compose(&replace(id, rng.usize(..11), wrong), secret),
        1 => compose(id, &replace(secret, rng.usize(..43), wrong)),
        _ => replace(&compose(id, secret), 58 + rng.usize(..6), wrong),
    }
}

/// Adds an invalid character at the start, at the end or inside, or instead of a character.
fn insert(rng: &mut Rng, text: &str) -> String {
    let letters: Vec<char> = " \0\t\n\r\u{1f}\u{7f}é\u{80}\u{a0}０😀".chars().collect();
    let letter = *pick(rng, &letters);
    let at = rng.usize(..text.len());
    match rng.u8(..4) {
        0 => format!("{letter}{text}"),
        1 => format!("{text}{letter}"),
        2 => replace(text, at, letter),
        _ => {
            let (head, tail) = text.split_at_checked(at).unwrap_or((text, ""));
            format!("{head}{letter}{tail}")
        }
    }
}

fn replace(text: &str, at: usize, letter: char) -> String {
    let letters = text.chars().enumerate();
    let replaced = letters.map(|(place, old)| if place == at { letter } else { old });
    replaced.collect()
}

fn near_miss(rng: &mut Rng, text: &str) -> String {
    match rng.u8(..7) {
        0 => text.trim_end_matches('=').to_owned(),
        1 => text.replace('-', "+").replace('_', "/"),
        2 => text.strip_prefix("apiv3_").unwrap_or(text).to_owned(),
        3 => equivalent_base64(rng, text),
        4 => format!("{text}{}", random_digit(rng)),
        5 => text.get(1..).unwrap_or_default().to_owned(),
        _ => text.to_ascii_lowercase(),
    }
}

/// Changes the last digit before the padding in the four bits that lenient decoders ignore.
fn equivalent_base64(rng: &mut Rng, text: &str) -> String {
    let digits = text.strip_suffix("==");
    let Some((head, last)) = digits.and_then(|digits| digits.split_at_checked(85)) else {
        return text.to_owned();
    };
    let digits = match last {
        "A" => "BCDEFGHIJKLMNOP",
        "Q" => "RSTUVWXYZabcdef",
        "g" => "hijklmnopqrstuv",
        _ => "xyz0123456789-_",
    };
    let digit = char::from(*pick(rng, digits.as_bytes()));
    let padding = if percent(rng, 90) { "==" } else { "=" };
    format!("{head}{digit}{padding}")
}

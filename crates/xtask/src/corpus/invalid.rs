//! Texts that are refused whatever they ask for, most of them derived from an existing token.
//!
//! A change may leave a text as it was; the oracle decides what each text is.

use fastrand::Rng;

use super::native;
use super::records::{Authorization, Owners};
use super::text::{TextKind, printable, sha256_hash, sha512_hash};
use super::{percent, pick};

/// Returns a text that is not a token.
pub(super) fn malformed(rng: &mut Rng, existing: &Authorization<'_>) -> String {
    let text = existing.text.as_str();
    let secret = native::parts(text).map(|(_, secret, _)| secret.to_owned());
    let secret = secret.unwrap_or_else(|| native::random_secret(rng));
    let id = native::id_digits(existing.id);
    match rng.u8(..10) {
        0 => wrong_checksum(rng, &id, &secret),
        1 => invalid_digit(rng, &id, &secret),
        2 => native::compose(native::ZERO_ID, &secret),
        3 => native::compose(&oversized_id(rng, existing.id), &secret),
        4 => native::compose(&id, &oversized_secret(rng, &secret)),
        5 => {
            let length = *pick(rng, &[0, 1, 16, 30, 31]);
            text.chars().take(length).collect()
        }
        6 => {
            let length = *pick(rng, &[256, 256, 300, 600]);
            printable(rng, length)
        }
        _ => {
            let letters = [
                ' ', '\0', '\t', '\n', '\r', '\u{1f}', '\u{7f}', 'é', '\u{80}', '\u{a0}', '０',
                '😀',
            ];
            let letter = *pick(rng, &letters);
            insert(rng, text, letter)
        }
    }
}

/// Returns a well-formed text that no authorization has.
pub(super) fn unknown(rng: &mut Rng, existing: &Authorization<'_>) -> String {
    let kinds = [
        TextKind::InfluxV2,
        TextKind::InfluxV3,
        TextKind::Native,
        TextKind::Custom,
    ];
    match rng.u8(..10) {
        0..4 => {
            let id = Owners::unknown_id(rng);
            pick(rng, &kinds).text(rng, id)
        }
        4 => native::compose(native::LAST_ID, native::LAST_SECRET),
        5 => TextKind::Native.text(rng, existing.id),
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
    let right = native::compose(id, secret);
    let (head, _) = right.split_at(right.len() - 6);
    match rng.u8(..3) {
        0 => {
            let at = native::PREFIX.len() + rng.usize(..60);
            replace(&right, at, native::random_digit(rng))
        }
        // Correct modulo 2^32.
        1 => {
            let sum = u128::from(crc32fast::hash(head.as_bytes()));
            format!("{head}{}", native::base62(sum + (1 << 32), 6))
        }
        // The checksum of the text without its prefix.
        _ => format!(
            "{head}{}",
            native::checksum(format!("{id}{secret}").as_bytes())
        ),
    }
}

/// Returns a text with a character that is not a digit; the checksum matches unless it is there.
fn invalid_digit(rng: &mut Rng, id: &str, secret: &str) -> String {
    let wrong = ['-', '_', '=', '+', '/', '~', '!', '@', '[', '`', '{', ':'];
    let wrong = *pick(rng, &wrong);
    match rng.u8(..3) {
        0 => native::compose(&replace(id, rng.usize(..11), wrong), secret),
        1 => native::compose(id, &replace(secret, rng.usize(..43), wrong)),
        _ => {
            let at = 58 + rng.usize(..6);
            replace(&native::compose(id, secret), at, wrong)
        }
    }
}

fn oversized_id(rng: &mut Rng, id: u64) -> String {
    match rng.u8(..3) {
        0 => native::FIRST_ID_TOO_BIG.to_owned(),
        1 => "z".repeat(11),
        // Equal to `id` modulo 2^64.
        _ => native::base62(u128::from(id) + (1 << 64), 11),
    }
}

fn oversized_secret(rng: &mut Rng, secret: &str) -> String {
    match rng.u8(..3) {
        0 => native::FIRST_SECRET_TOO_BIG.to_owned(),
        1 => "z".repeat(43),
        _ => replace(secret, 0, 'z'),
    }
}

/// Returns `text` with `letter` at its start, at its end, inside it or instead of a character.
fn insert(rng: &mut Rng, text: &str, letter: char) -> String {
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
    letters
        .map(|(place, old)| if place == at { letter } else { old })
        .collect()
}

fn near_miss(rng: &mut Rng, text: &str) -> String {
    match rng.u8(..7) {
        0 => text.trim_end_matches('=').to_owned(),
        1 => text.replace('-', "+").replace('_', "/"),
        2 => text.strip_prefix("apiv3_").unwrap_or(text).to_owned(),
        3 => equivalent_base64(rng, text),
        4 => format!("{text}{}", native::random_digit(rng)),
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

//! Texts that are not tokens, most of them a token that exists with one thing wrong.

use super::native;
use super::rng::Rng;
use super::text::printable;
use super::world::Authorization;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Native, and only the checksum does not fit.
    Checksum,
    /// Native, with a right checksum over something that is not a digit.
    Digit,
    IdZero,
    IdTooBig,
    SecretTooBig,
    Short,
    Long,
    Empty,
    Space,
    Nul,
    Control,
    NotAscii,
}

impl Flaw {
    /// A text with this flaw, made from a token that exists.
    pub(super) fn text(self, rng: &mut Rng, known: &Authorization<'_>) -> String {
        let text = known.text.as_str();
        let secret = || native::parts(text).map(|(_, secret, _)| secret.to_owned());
        let mut secret = secret().unwrap_or_else(|| native::random_secret(rng));
        let id = native::id_digits(known.id);
        match self {
            Self::Checksum => wrong_checksum(rng, &id, &secret),
            Self::Digit => not_a_digit(rng, &id, &secret),
            Self::IdZero => native::compose(native::ZERO_ID, &secret),
            Self::IdTooBig => native::compose(&too_big_id(rng, known.id), &secret),
            Self::SecretTooBig => {
                secret = too_big_secret(rng, &secret);
                native::compose(&id, &secret)
            }
            Self::Short => {
                let length = if rng.percent(30) {
                    31
                } else {
                    rng.between(1, 31)
                };
                text.chars().take(length as usize).collect()
            }
            Self::Long => {
                let length = if rng.percent(30) {
                    256
                } else {
                    rng.between(256, 600)
                };
                printable(rng, length)
            }
            Self::Empty => String::new(),
            Self::Space => spoil(rng, text, ' '),
            Self::Nul => spoil(rng, text, '\0'),
            Self::Control => {
                let control = *rng.pick(&['\t', '\n', '\r', '\u{1f}', '\u{7f}']);
                spoil(rng, text, control)
            }
            Self::NotAscii => {
                let letter = *rng.pick(&['é', '\u{80}', '\u{a0}', '０', '😀']);
                spoil(rng, text, letter)
            }
        }
    }
}

fn wrong_checksum(rng: &mut Rng, id: &str, secret: &str) -> String {
    let right = native::compose(id, secret);
    match rng.below(4) {
        // One digit differs, anywhere.
        0 => replace(
            &right,
            native::PREFIX.len() + rng.below(60) as usize,
            native::random_digit(rng),
        ),
        // The right value once 32 bits are kept of it.
        1 => {
            let (head, _) = right.split_at(right.len() - 6);
            let sum = u128::from(crc32fast::hash(head.as_bytes()));
            format!("{head}{}", native::base62(sum + (1 << 32), 6))
        }
        // The checksum of another form: without the prefix.
        2 => format!(
            "sym_{id}{secret}{}",
            native::checksum(format!("{id}{secret}").as_bytes())
        ),
        _ => format!(
            "sym_{id}{secret}{}",
            native::base62(u128::from(rng.next()), 6)
        ),
    }
}

/// The checksum is right unless the fault is in the checksum itself.
fn not_a_digit(rng: &mut Rng, id: &str, secret: &str) -> String {
    let wrong = *rng.pick(&['-', '_', '=', '+', '/', '~', '!', '@', '[', '`', '{', ':']);
    match rng.below(3) {
        0 => native::compose(&replace(id, rng.below(11) as usize, wrong), secret),
        1 => native::compose(id, &replace(secret, rng.below(43) as usize, wrong)),
        _ => replace(
            &native::compose(id, secret),
            58 + rng.below(6) as usize,
            wrong,
        ),
    }
}

/// Some of these are the id itself once 64 bits are kept of it.
fn too_big_id(rng: &mut Rng, id: u64) -> String {
    match rng.below(4) {
        0 => native::FIRST_ID_TOO_BIG.to_owned(),
        1 => "z".repeat(11),
        2 => native::base62(u128::from(rng.next()) + (1 << 64), 11),
        _ => native::base62(u128::from(id) + (1 << 64), 11),
    }
}

fn too_big_secret(rng: &mut Rng, secret: &str) -> String {
    match rng.below(3) {
        0 => native::FIRST_SECRET_TOO_BIG.to_owned(),
        1 => "z".repeat(43),
        _ => replace(secret, 0, 'z'),
    }
}

/// `text` with `letter` before, after, inside it, or in place of one of its characters.
fn spoil(rng: &mut Rng, text: &str, letter: char) -> String {
    let at = rng.below(text.len() as u64) as usize;
    match rng.below(4) {
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

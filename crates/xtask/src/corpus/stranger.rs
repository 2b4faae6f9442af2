//! Well-formed texts that no store holds.

use super::native;
use super::rng::Rng;
use super::text::{TextKind, sha256_hash, sha512_hash};
use super::world::{Authorization, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stranger {
    InfluxV2,
    InfluxV3,
    Native,
    /// The id of a token that exists, with another secret.
    NativeOtherSecret,
    Custom,
    /// The stored hash of a token that exists, presented as if it were the token.
    StoredHash,
    /// A token that exists, but for one detail.
    NearMiss,
}

impl Stranger {
    /// A text of this kind; `known` is a token that exists.
    pub(super) fn text(self, rng: &mut Rng, world: &World, known: &Authorization<'_>) -> String {
        let id = if rng.percent(10) {
            u64::MAX - 1
        } else {
            world.unknown_id(rng)
        };
        match self {
            Self::InfluxV2 => TextKind::InfluxV2.text(rng, id),
            Self::InfluxV3 => TextKind::InfluxV3.text(rng, id),
            Self::Native if rng.percent(10) => {
                native::compose(native::LAST_ID, native::LAST_SECRET)
            }
            Self::Native => TextKind::Native.text(rng, id),
            Self::NativeOtherSecret => TextKind::Native.text(rng, known.id),
            Self::Custom => TextKind::Custom.text(rng, id),
            Self::StoredHash => stored_hash(rng, known),
            Self::NearMiss => near_miss(rng, known),
        }
    }
}

fn stored_hash(rng: &mut Rng, known: &Authorization<'_>) -> String {
    let stored = known.kind.stored_hash(&known.text);
    stored.unwrap_or_else(|| {
        if rng.percent(50) {
            sha256_hash(&known.text)
        } else {
            sha512_hash(&known.text)
        }
    })
}

fn near_miss(rng: &mut Rng, known: &Authorization<'_>) -> String {
    let text = &known.text;
    match rng.below(7) {
        0 => text.trim_end_matches('=').to_owned(),
        1 => text.replace('-', "+").replace('_', "/"),
        2 => text.strip_prefix("apiv3_").unwrap_or(text).to_owned(),
        3 => other_spelling(rng, text),
        4 => format!("{text}{}", native::random_digit(rng)),
        5 => text.get(1..).unwrap_or_default().to_owned(),
        _ => text.to_ascii_lowercase(),
    }
}

/// Other base64 for the same 64 bytes: the last digit before the padding has four bits that decoders ignore.
fn other_spelling(rng: &mut Rng, text: &str) -> String {
    let Some(head) = text
        .strip_suffix("==")
        .and_then(|digits| digits.get(..digits.len() - 1))
    else {
        return text.to_owned();
    };
    let canonical = text
        .get(head.len()..head.len() + 1)
        .and_then(|digit| digit.chars().next());
    let spelling = match canonical {
        Some('A') => "BCDEFGHIJKLMNOP",
        Some('Q') => "RSTUVWXYZabcdef",
        Some('g') => "hijklmnopqrstuv",
        _ => "xyz0123456789-_",
    };
    format!("{head}{}==", char::from(*rng.pick(spelling.as_bytes())))
}

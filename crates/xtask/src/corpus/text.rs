//! The token texts that a store takes, one kind each, and InfluxDB's stored hashes of them.

use serde::Serialize;
use sha2::{Digest, Sha256, Sha512};

use super::native;
use super::rng::Rng;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum TextKind {
    /// 64 random bytes in URL-safe base64 with padding: 88 characters.
    InfluxV2,
    /// `apiv3_` and 64 random bytes in URL-safe base64 without padding: 92 characters.
    InfluxV3,
    /// Symbolon's own text, which carries the id.
    Native,
    /// 32 to 255 printable ASCII characters.
    Custom,
    /// An InfluxDB v2 token that is imported by its SHA-256.
    HashedSha256,
    /// An InfluxDB v2 token that is imported by its SHA-512.
    HashedSha512,
}

impl TextKind {
    pub(super) const ALL: [Self; 6] = [
        Self::Native,
        Self::InfluxV2,
        Self::InfluxV3,
        Self::Custom,
        Self::HashedSha256,
        Self::HashedSha512,
    ];

    pub(super) fn draw(rng: &mut Rng) -> Self {
        match rng.below(100) {
            0..30 => Self::Native,
            30..60 => Self::InfluxV2,
            60..80 => Self::InfluxV3,
            80..90 => Self::Custom,
            90..95 => Self::HashedSha256,
            _ => Self::HashedSha512,
        }
    }

    /// A new token of this kind for the authorization `id`, as its bearer presents it.
    pub(super) fn text(self, rng: &mut Rng, id: u64) -> String {
        match self {
            Self::InfluxV2 | Self::HashedSha256 | Self::HashedSha512 => base64(&rng.bytes::<64>()),
            Self::InfluxV3 => format!("apiv3_{}", base64(&rng.bytes::<64>()).trim_end_matches('=')),
            Self::Native => native::compose(&native::id_digits(id), &native::random_secret(rng)),
            Self::Custom => custom(rng),
        }
    }

    /// What is imported instead of the `text`, if this kind is imported by its hash.
    pub(super) fn stored_hash(self, text: &str) -> Option<String> {
        match self {
            Self::HashedSha256 => Some(sha256_hash(text)),
            Self::HashedSha512 => Some(sha512_hash(text)),
            _ => None,
        }
    }
}

/// InfluxDB's stored form of a token under SHA-256.
pub(super) fn sha256_hash(text: &str) -> String {
    format!("$influxdb2-sha256${}", base64(&Sha256::digest(text)))
}

/// InfluxDB's stored form of a token under SHA-512.
pub(super) fn sha512_hash(text: &str) -> String {
    format!("$influxdb2-sha512${}", base64(&Sha512::digest(text)))
}

/// A text of the embedder's own, often on the edge of the allowed length or nearly a native text.
fn custom(rng: &mut Rng) -> String {
    match rng.below(20) {
        0 => printable(rng, 32),
        1 => printable(rng, 255),
        2 => printable(rng, native::LENGTH as u64),
        3 => format!("{}{}", native::PREFIX, printable(rng, 59)),
        4 => format!("{}{}", native::PREFIX, printable(rng, 61)),
        5 => format!("SYM_{}", printable(rng, 60)),
        _ => {
            let length = rng.between(32, 255);
            printable(rng, length)
        }
    }
}

/// `length` characters from `!` to `~`.
pub(super) fn printable(rng: &mut Rng, length: u64) -> String {
    (0..length)
        .map(|_| char::from(b'!' + rng.below(94) as u8))
        .collect()
}

/// URL-safe base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | u32::from(group.get(at).copied().unwrap_or(0))
        });
        for position in 0..4 {
            let symbol = SYMBOLS.get((bits >> (18 - 6 * position) & 63) as usize);
            let symbol = symbol.filter(|_| position <= group.len());
            text.push(symbol.map_or('=', |&symbol| char::from(symbol)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::rng::Stream;
    use super::*;

    // Worked out with Python's `base64` and `hashlib`; the token is the bytes 192, 193, … 255.
    const KNOWN: &str =
        "wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t_g4eLj5OXm5-jp6uvs7e7v8PHy8_T19vf4-fr7_P3-_w==";

    #[test]
    fn base64_and_stored_hashes_are_as_python_has_them() {
        let bytes: Vec<u8> = (192..=255).collect();
        assert_eq!(base64(&bytes), KNOWN);
        assert_eq!(
            sha256_hash(KNOWN),
            "$influxdb2-sha256$5OA-eL899F2Up2rhWCY1sGigdqdi82llvd19isXs_EQ="
        );
        assert_eq!(
            sha512_hash(KNOWN),
            "$influxdb2-sha512$clQsaQwBFz5Vls8a1d-vpIrLkUgiIcU-TQMd2T9KQrSt6X7GPNwEgHFTUzFPRvARlOSEwZxZheTtkxsDthy55A=="
        );
    }

    #[test]
    fn texts_have_the_lengths_of_their_kinds() {
        let mut custom = std::collections::BTreeSet::new();
        for index in 0..2_000 {
            let rng = &mut Rng::new(1, Stream::Line, index);
            let mut length = |kind: TextKind| kind.text(rng, 5000).len();
            assert_eq!(length(TextKind::InfluxV2), 88);
            assert_eq!(length(TextKind::HashedSha256), 88);
            assert_eq!(length(TextKind::InfluxV3), 92);
            assert_eq!(length(TextKind::Native), native::LENGTH);
            custom.insert(length(TextKind::Custom));
        }
        assert!(
            [32, 63, 64, 65, 255]
                .iter()
                .all(|length| custom.contains(length))
        );
        assert!(custom.iter().all(|length| (32..=255).contains(length)));
    }
}

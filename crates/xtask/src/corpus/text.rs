//! The kinds of token that a store accepts, and InfluxDB's stored hashes of them.

use fastrand::Rng;
use sha2::{Digest, Sha256, Sha512};

use super::native;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        match self {
            Self::InfluxV2 | Self::HashedSha256 | Self::HashedSha512 => random_base64(rng),
            Self::InfluxV3 => format!("apiv3_{}", random_base64(rng).trim_end_matches('=')),
            Self::Native => native::compose(&native::id_digits(id), &native::random_secret(rng)),
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
    format!("$influxdb2-sha256${}", base64(&Sha256::digest(text)))
}

/// Returns InfluxDB's stored form of a token under SHA-512.
pub(super) fn sha512_hash(text: &str) -> String {
    format!("$influxdb2-sha512${}", base64(&Sha512::digest(text)))
}

/// Returns a token of the embedder's own form, often at a limit of length or almost native.
fn custom(rng: &mut Rng) -> String {
    let any = rng.usize(32..=255);
    let (prefix, length) = match rng.u8(..20) {
        0 => ("", 32),
        1 => ("", 255),
        2 => ("", native::LENGTH),
        3 => (native::PREFIX, native::LENGTH - 1),
        4 => (native::PREFIX, native::LENGTH + 1),
        5 => ("SYM_", native::LENGTH),
        _ => ("", any),
    };
    format!("{prefix}{}", printable(rng, length - prefix.len()))
}

/// Returns `length` characters from `!` to `~`.
pub(super) fn printable(rng: &mut Rng, length: usize) -> String {
    (0..length).map(|_| rng.char('!'..='~')).collect()
}

fn random_base64(rng: &mut Rng) -> String {
    let mut bytes = [0; 64];
    rng.fill(&mut bytes);
    base64(&bytes)
}

/// Encodes `bytes` in URL-safe base64 with padding.
fn base64(bytes: &[u8]) -> String {
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
    use super::*;

    // Computed with Python's `base64` and `hashlib`; the token is the bytes 192, 193, … 255.
    const KNOWN: &str =
        "wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t_g4eLj5OXm5-jp6uvs7e7v8PHy8_T19vf4-fr7_P3-_w==";
    const KNOWN_SHA512: &str = "$influxdb2-sha512$\
        clQsaQwBFz5Vls8a1d-vpIrLkUgiIcU-TQMd2T9KQrSt6X7GPNwEgHFTUzFPRvARlOSEwZxZheTtkxsDthy55A==";

    #[test]
    fn base64_and_stored_hashes_match_python() {
        let bytes: Vec<u8> = (192..=255).collect();
        assert_eq!(base64(&bytes), KNOWN);
        assert_eq!(
            sha256_hash(KNOWN),
            "$influxdb2-sha256$5OA-eL899F2Up2rhWCY1sGigdqdi82llvd19isXs_EQ="
        );
        assert_eq!(sha512_hash(KNOWN), KNOWN_SHA512);
    }
}

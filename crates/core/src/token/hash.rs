//! The keyed hash of a token: BLAKE3 in keyed mode. A store contains only this hash, never the
//! token.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::ForeignHash;
use crate::primitives::blake3_block::Blake3Key;

/// Size of a block in bytes. A native token with a prefix of 4 bytes is exactly one block.
pub(crate) const BLOCK: usize = blake3::BLOCK_LEN;

/// The keyed hash of a token: BLAKE3 under the hash key of a [`StoreKey`](crate::StoreKey).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest(pub(crate) [u8; 32]);

impl TokenDigest {
    /// Hashes the whole text under `key`.
    pub(crate) fn keyed(key: &HashKey, text: &[u8]) -> Self {
        key.hash(text)
    }

    /// Returns the 128 bits that the index holds. A guess matches with a probability of 2⁻¹²⁸.
    pub(crate) fn short_digest(&self) -> [u64; 2] {
        let short = u128::from_le_bytes(*self.0.first_chunk().unwrap_or(&[0; 16]));
        [short as u64, (short >> 64) as u64]
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(redacted)")
    }
}

/// A text of at most [`Piece::ROOM`] bytes that is hashed together with others.
#[derive(Debug)]
pub(crate) struct Piece {
    bytes: [u8; Piece::ROOM],
    used: usize,
}

impl Piece {
    /// Maximum length in bytes.
    pub(crate) const ROOM: usize = 8 * BLOCK;

    /// Concatenates `parts`; `None` if they are too long.
    pub(crate) fn of(parts: &[&[u8]]) -> Option<Self> {
        let mut piece = Self { bytes: [0; Self::ROOM], used: 0 };
        for part in parts {
            let end = piece.used + part.len();
            let room = piece.bytes.get_mut(piece.used..end)?;
            room.copy_from_slice(part);
            piece.used = end;
        }
        Some(piece)
    }

    /// Returns the text.
    pub(crate) fn text(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }
}

/// A key for hashing tokens or sealing records. It is erased on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct HashKey(Blake3Key);

impl HashKey {
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        Self(Blake3Key::new(bytes))
    }

    /// Returns the bytes of the key.
    pub(crate) fn bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.bytes()
    }

    /// Hashes a text.
    pub(crate) fn hash(&self, text: &[u8]) -> TokenDigest {
        TokenDigest(self.0.hash(text))
    }

    /// Hashes a text to the 128 bits that the index holds.
    #[inline]
    pub(crate) fn short_digest(&self, text: &[u8]) -> [u64; 2] {
        self.0.hash16(text)
    }

    /// Hashes many blocks to 128 bits each, at about a quarter of the cost per block for 16 blocks
    /// or more. Both slices have the same length.
    pub(crate) fn short_digests(&self, blocks: &[&[u8; BLOCK]], short_digests: &mut [[u64; 2]]) {
        self.0.hash16_blocks(blocks, short_digests);
    }

    /// Hashes each piece and calls `each` with its index and hash, in any order. Pieces of similar
    /// length take half the time of single hashing.
    pub(crate) fn hash_each(&self, pieces: &[Piece], mut each: impl FnMut(usize, TokenDigest)) {
        let texts: Vec<&[u8]> = pieces.iter().map(Piece::text).collect();
        self.0.hash_each(&texts, |at, hash| each(at, TokenDigest(hash)));
    }

    /// Hashes a foreign hash under the key, so that a client cannot choose the bytes that the index
    /// compares.
    pub(crate) fn foreign_short_digest(&self, foreign_hash: &ForeignHash) -> [u64; 2] {
        const NAME: &[u8] = b"locator";
        let mut text = [0; NAME.len() + 64];
        let parts = NAME.iter().chain(foreign_hash.digest());
        let copied = text.iter_mut().zip(parts).map(|(to, from)| *to = *from);
        let used = copied.count();
        self.short_digest(text.get(..used).unwrap_or(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_digest_is_the_first_16_bytes() {
        let hash = TokenDigest(std::array::from_fn(|at| at as u8));
        assert_eq!(hash.short_digest(), [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]);
    }

    #[test]
    fn a_foreign_hash_is_hashed_with_its_domain_label() {
        let key = HashKey::new(&[7; 32]);
        for foreign_hash in [ForeignHash::sha256(b"test"), ForeignHash::sha512(b"test")] {
            let text = [b"locator", foreign_hash.digest()].concat();
            assert_eq!(key.foreign_short_digest(&foreign_hash), key.hash(&text).short_digest());
        }
    }
}

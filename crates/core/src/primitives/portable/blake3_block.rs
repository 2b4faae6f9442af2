//! Keyed BLAKE3 of short texts, by the public API of the `blake3` crate.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A BLAKE3 key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Blake3Key([u8; 32]);

impl Blake3Key {
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        Self(*bytes)
    }

    /// Returns the bytes of the key.
    pub(crate) fn bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0)
    }

    /// Hashes a text of any length.
    pub(crate) fn hash(&self, text: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.0, text).as_bytes()
    }

    /// Hashes a text of any length to the first 16 bytes of its hash.
    pub(crate) fn hash16(&self, text: &[u8]) -> [u64; 2] {
        let hash = u128::from_le_bytes(*self.hash(text).first_chunk().unwrap_or(&[0; 16]));
        [hash as u64, (hash >> 64) as u64]
    }

    /// Hashes many blocks to the first 16 bytes of their hashes. Both slices have the same length.
    pub(crate) fn hash16_blocks(
        &self,
        blocks: &[&[u8; blake3::BLOCK_LEN]],
        hashes: &mut [[u64; 2]],
    ) {
        for (hash, block) in hashes.iter_mut().zip(blocks) {
            *hash = self.hash16(*block);
        }
    }

    /// Hashes each text and calls `each` with its index and hash.
    pub(crate) fn hash_each(&self, texts: &[&[u8]], mut each: impl FnMut(usize, [u8; 32])) {
        for (at, text) in texts.iter().enumerate() {
            each(at, self.hash(text));
        }
    }
}

#[cfg(test)]
pub(super) fn keys(bytes: &[u8; 32]) -> Vec<Blake3Key> {
    vec![Blake3Key::new(bytes)]
}

//! The keyed hash of a token. A store contains only this hash, never the token.
//!
//! The hash is BLAKE3 in keyed mode. A text of one block is hashed with the compression function
//! directly, because the hasher of the `blake3` crate keeps state that one block does not need. The
//! tests compare both.

use std::fmt;

use blake3::IncrementCounter;
use blake3::platform::{Platform, le_bytes_from_words_32, words_from_le_bytes_32};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::ForeignHash;

/// Size of a block in bytes. A native token with a prefix of 4 bytes is exactly one block.
pub(crate) const BLOCK: usize = blake3::BLOCK_LEN;
/// Number of blocks that are hashed at once; the widest registers hold this many states.
const LANES: usize = 16;
/// Size of a BLAKE3 chunk in bytes: the longest text that needs no tree.
const CHUNK: usize = blake3::CHUNK_LEN;

const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;
const KEYED: u8 = 1 << 4;

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
        short_digest(words_from_le_bytes_32(&self.0))
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
        let mut piece = Self {
            bytes: [0; Self::ROOM],
            used: 0,
        };
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

    /// Returns the number of blocks before the last one.
    fn whole_blocks(&self) -> usize {
        self.used.saturating_sub(1) / BLOCK
    }
}

/// A BLAKE3 key, for hashing tokens or sealing records.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct HashKey {
    words: [u32; 8],
    /// The instruction set, detected once: detecting it for each hash would be a noticeable cost.
    #[zeroize(skip)]
    platform: Platform,
}

impl HashKey {
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        Self {
            words: words_from_le_bytes_32(bytes),
            platform: Platform::detect(),
        }
    }

    /// Returns the bytes of the key.
    pub(crate) fn bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(le_bytes_from_words_32(&self.words))
    }

    /// Hashes a text.
    pub(crate) fn hash(&self, text: &[u8]) -> TokenDigest {
        TokenDigest(le_bytes_from_words_32(&self.words_of(text)))
    }

    /// Hashes a text to the 128 bits that the index holds.
    #[inline]
    pub(crate) fn short_digest(&self, text: &[u8]) -> [u64; 2] {
        short_digest(self.words_of(text))
    }

    /// Hashes many blocks to 128 bits each, at about a quarter of the cost per block for 16 blocks
    /// or more. Both slices have the same length.
    pub(crate) fn short_digests(&self, blocks: &[&[u8; BLOCK]], short_digests: &mut [[u64; 2]]) {
        let mut out = [0; 32 * LANES];
        for (blocks, short_digests) in blocks.chunks(LANES).zip(short_digests.chunks_mut(LANES)) {
            self.platform.hash_many(
                blocks,
                &self.words,
                0,
                IncrementCounter::No,
                KEYED,
                CHUNK_START,
                CHUNK_END | ROOT,
                &mut out,
            );
            for (to, from) in short_digests.iter_mut().zip(out.as_chunks().0) {
                *to = TokenDigest(*from).short_digest();
            }
        }
    }

    /// Hashes each piece and calls `each` with its index and hash, in any order. Pieces of similar
    /// length take half the time of single hashing.
    pub(crate) fn hash_each(&self, pieces: &[Piece], mut each: impl FnMut(usize, TokenDigest)) {
        let mut pieces: Vec<_> = pieces.iter().enumerate().collect();
        pieces.sort_unstable_by_key(|(_, piece)| piece.whole_blocks());
        for alike in pieces.chunk_by(|(_, a), (_, b)| a.whole_blocks() == b.whole_blocks()) {
            for lanes in alike.chunks(LANES) {
                let mut states = [self.words; LANES];
                self.begin(lanes, &mut states);
                for ((at, piece), state) in lanes.iter().zip(states) {
                    let whole = piece.whole_blocks();
                    let rest = piece.text().get(whole * BLOCK..).unwrap_or_default();
                    let words = self.end(state, rest, whole == 0);
                    each(*at, TokenDigest(le_bytes_from_words_32(&words)));
                }
            }
        }
    }

    /// Computes the states after all blocks of the pieces except the last one. All pieces have the
    /// same number of blocks.
    fn begin(&self, pieces: &[(usize, &Piece)], states: &mut [[u32; 8]; LANES]) {
        let blocks = pieces.first().map_or(0, |(_, piece)| piece.whole_blocks());
        match blocks {
            1 => self.begin_with::<BLOCK>(pieces, states),
            2 => self.begin_with::<{ 2 * BLOCK }>(pieces, states),
            3 => self.begin_with::<{ 3 * BLOCK }>(pieces, states),
            4 => self.begin_with::<{ 4 * BLOCK }>(pieces, states),
            5 => self.begin_with::<{ 5 * BLOCK }>(pieces, states),
            6 => self.begin_with::<{ 6 * BLOCK }>(pieces, states),
            7 => self.begin_with::<{ 7 * BLOCK }>(pieces, states),
            _ => {}
        }
    }

    /// Compresses the next `N` bytes of each piece.
    fn begin_with<const N: usize>(
        &self,
        pieces: &[(usize, &Piece)],
        states: &mut [[u32; 8]; LANES],
    ) {
        let mut inputs = [&[0; N]; LANES];
        let starts = pieces
            .iter()
            .filter_map(|(_, piece)| piece.bytes.first_chunk());
        let count = inputs
            .iter_mut()
            .zip(starts)
            .map(|(to, from)| *to = from)
            .count();
        let mut out = [0; 32 * LANES];
        self.platform.hash_many(
            inputs.get(..count).unwrap_or(&inputs),
            &self.words,
            0,
            IncrementCounter::No,
            KEYED,
            CHUNK_START,
            0,
            &mut out,
        );
        for (to, from) in states.iter_mut().zip(out.as_chunks().0) {
            *to = words_from_le_bytes_32(from);
        }
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

    /// Hashes a token with a prefix of 4 bytes, which is one block.
    #[inline]
    fn words_of_block(&self, block: &[u8; BLOCK]) -> [u32; 8] {
        let mut state = self.words;
        let flags = KEYED | CHUNK_START | CHUNK_END | ROOT;
        self.platform
            .compress_in_place(&mut state, block, BLOCK as u8, 0, flags);
        state
    }

    #[inline]
    fn words_of(&self, text: &[u8]) -> [u32; 8] {
        match text.try_into() {
            Ok(block) => self.words_of_block(block),
            Err(_) => self.words_of_chunk(text),
        }
    }

    fn words_of_chunk(&self, text: &[u8]) -> [u32; 8] {
        if text.len() > CHUNK {
            let hash = blake3::keyed_hash(&self.bytes(), text);
            return words_from_le_bytes_32(hash.as_bytes());
        }
        // The last block is empty only if it is the only one.
        let whole = text.len().saturating_sub(1) / BLOCK * BLOCK;
        let (blocks, rest) = text.split_at(whole);
        let mut state = self.words;
        let mut flags = KEYED | CHUNK_START;
        for block in blocks.as_chunks().0 {
            self.platform
                .compress_in_place(&mut state, block, BLOCK as u8, 0, flags);
            flags = KEYED;
        }
        self.end(state, rest, whole == 0)
    }

    /// Finishes a text of one chunk, given the state after all blocks except the last. `only` is
    /// true if the last block is also the first.
    #[inline]
    fn end(&self, mut state: [u32; 8], rest: &[u8], only: bool) -> [u32; 8] {
        let mut last = [0; BLOCK];
        if let Some(room) = last.get_mut(..rest.len()) {
            room.copy_from_slice(rest);
        }
        let start = if only { CHUNK_START } else { 0 };
        let flags = KEYED | start | CHUNK_END | ROOT;
        self.platform
            .compress_in_place(&mut state, &last, rest.len() as u8, 0, flags);
        state
    }
}

fn short_digest(words: [u32; 8]) -> [u64; 2] {
    let [a, b, c, d, ..] = words;
    let word = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
    [word(a, b), word(c, d)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns a key for each instruction set of this machine.
    fn keys(bytes: &[u8; 32]) -> Vec<HashKey> {
        let mut platforms = vec![Platform::detect(), Platform::portable()];
        #[cfg(target_arch = "x86_64")]
        platforms.extend(
            [Platform::sse2(), Platform::sse41(), Platform::avx2()]
                .iter()
                .flatten(),
        );
        let with = |platform| HashKey {
            platform,
            ..HashKey::new(bytes)
        };
        platforms.into_iter().map(with).collect()
    }

    fn expected(key: &[u8; 32], text: &[u8]) -> TokenDigest {
        TokenDigest(*blake3::keyed_hash(key, text).as_bytes())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn digests_match_blake3(
            key: [u8; 32], text in proptest::collection::vec(any::<u8>(), 1100)
        ) {
            for one in keys(&key) {
                prop_assert_eq!(*one.bytes(), key);
                for len in 0..=text.len() {
                    let text = &text[..len];
                    let expected = expected(&key, text);
                    prop_assert!(one.hash(text) == expected, "{} bytes", len);
                    let short_digest = one.short_digest(text);
                    prop_assert_eq!(short_digest, expected.short_digest(), "{} bytes", len);
                }
            }
        }

        #[test]
        fn batch_and_single_hashing_agree(key: [u8; 32], texts: Vec<[u8; 32]>) {
            let blocks: Vec<[u8; 64]> = texts
                .iter()
                .map(|text| std::array::from_fn(|at| text[at % 32] ^ at as u8))
                .collect();
            let blocks: Vec<&[u8; 64]> = blocks.iter().collect();
            let short_digest = |block: &[u8]| expected(&key, block).short_digest();
            let expected: Vec<_> = blocks.iter().map(|block| short_digest(*block)).collect();
            for one in keys(&key) {
                let mut short_digests = vec![[0; 2]; blocks.len()];
                one.short_digests(&blocks, &mut short_digests);
                prop_assert_eq!(&short_digests, &expected);
            }
        }
    }

    #[test]
    fn batch_hashing_of_pieces_agrees_with_single_hashing() {
        let bytes: Vec<u8> = (0..2 * Piece::ROOM)
            .map(|at| (at * 7 + at / 256) as u8)
            .collect();
        // Consecutive and mixed lengths, in runs that fill all lanes and runs that do not.
        let lengths: Vec<usize> = (0..=Piece::ROOM)
            .chain((0..400).map(|at| at * 37 % 301))
            .collect();
        let piece = |len: &usize| {
            let (one, two) = bytes[*len / 3..][..*len].split_at(len / 2);
            Piece::of(&[one, two]).unwrap()
        };
        let pieces: Vec<Piece> = lengths.iter().map(piece).collect();
        assert!(Piece::of(&[&[0; Piece::ROOM], &[0]]).is_none());
        for one in keys(&[7; 32]) {
            let mut hashes = vec![None; pieces.len()];
            one.hash_each(&pieces, |at, hash| {
                assert!(hashes[at].replace(hash).is_none(), "each once");
            });
            for (piece, hash) in pieces.iter().zip(hashes) {
                let text = piece.text();
                assert!(
                    hash == Some(expected(&[7; 32], text)),
                    "{} bytes",
                    text.len()
                );
            }
        }
    }

    #[test]
    fn a_short_digest_is_the_first_16_bytes() {
        let hash = TokenDigest(std::array::from_fn(|at| at as u8));
        assert_eq!(
            hash.short_digest(),
            [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]
        );
    }

    #[test]
    fn a_foreign_hash_is_hashed_with_its_domain_label() {
        let key = HashKey::new(&[7; 32]);
        for foreign_hash in [ForeignHash::sha256(b"test"), ForeignHash::sha512(b"test")] {
            let text = [b"locator", foreign_hash.digest()].concat();
            assert_eq!(
                key.foreign_short_digest(&foreign_hash),
                expected(&[7; 32], &text).short_digest()
            );
        }
    }
}

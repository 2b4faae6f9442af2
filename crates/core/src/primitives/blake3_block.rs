//! Keyed BLAKE3 of short texts, by calling the compression function directly.
//!
//! The hasher of the `blake3` crate keeps state that a text of one block does not need. The
//! functions called here are public in `blake3::platform`, but not covered by semantic versioning;
//! without the feature `blake3-platform`, or with `portable`, the public API of the crate is used
//! instead. The tests compare all of them. Flags and the order of blocks are those of the BLAKE3
//! paper, sections 2.2 to 2.5.

use blake3::IncrementCounter;
use blake3::platform::{Platform, le_bytes_from_words_32, words_from_le_bytes_32};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const BLOCK: usize = blake3::BLOCK_LEN;
/// Size of a BLAKE3 chunk in bytes: the longest text that needs no tree.
const CHUNK: usize = blake3::CHUNK_LEN;
/// Number of blocks that are hashed at once; the widest registers hold this many states.
const LANES: usize = 16;
/// Maximum number of whole blocks before the last one of texts that are hashed together.
const MAX_WHOLE: usize = 7;

const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;
const KEYED: u8 = 1 << 4;

/// A BLAKE3 key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Blake3Key {
    words: [u32; 8],
    /// The instruction set, detected once: detecting it for each hash would be a noticeable cost.
    #[zeroize(skip)]
    platform: Platform,
}

impl Blake3Key {
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        Self { words: words_from_le_bytes_32(bytes), platform: Platform::detect() }
    }

    /// Returns the bytes of the key.
    pub(crate) fn bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(le_bytes_from_words_32(&self.words))
    }

    /// Hashes a text of any length.
    pub(crate) fn hash(&self, text: &[u8]) -> [u8; 32] {
        le_bytes_from_words_32(&self.words_of(text))
    }

    /// Hashes a text of any length to the first 16 bytes of its hash.
    #[inline]
    pub(crate) fn hash16(&self, text: &[u8]) -> [u64; 2] {
        first_words(self.words_of(text))
    }

    /// Hashes many blocks to the first 16 bytes of their hashes, at about a quarter of the cost per
    /// block for 16 blocks or more. Both slices have the same length.
    pub(crate) fn hash16_blocks(&self, blocks: &[&[u8; BLOCK]], hashes: &mut [[u64; 2]]) {
        let mut out = [0; 32 * LANES];
        for (blocks, hashes) in blocks.chunks(LANES).zip(hashes.chunks_mut(LANES)) {
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
            for (to, from) in hashes.iter_mut().zip(out.as_chunks().0) {
                *to = first_words(words_from_le_bytes_32(from));
            }
        }
    }

    /// Hashes each text and calls `each` with its index and hash, in any order. Texts of up to 512
    /// bytes and similar length take half the time of single hashing.
    pub(crate) fn hash_each(&self, texts: &[&[u8]], mut each: impl FnMut(usize, [u8; 32])) {
        let mut texts: Vec<_> = texts.iter().copied().enumerate().collect();
        texts.sort_unstable_by_key(|(_, text)| whole_blocks(text));
        for alike in texts.chunk_by(|(_, a), (_, b)| whole_blocks(a) == whole_blocks(b)) {
            for lanes in alike.chunks(LANES) {
                let mut states = [self.words; LANES];
                if !self.begin(lanes, &mut states) {
                    lanes.iter().for_each(|(at, text)| each(*at, self.hash(text)));
                    continue;
                }
                for ((at, text), state) in lanes.iter().zip(states) {
                    let whole = whole_blocks(text);
                    let rest = text.get(whole * BLOCK..).unwrap_or_default();
                    let words = self.end(state, rest, whole == 0);
                    each(*at, le_bytes_from_words_32(&words));
                }
            }
        }
    }

    /// Computes the states after all blocks of the texts except the last one. All texts have the
    /// same number of blocks. Returns false if they have too many.
    fn begin(&self, texts: &[(usize, &[u8])], states: &mut [[u32; 8]; LANES]) -> bool {
        match texts.first().map_or(0, |(_, text)| whole_blocks(text)) {
            0 => {}
            1 => self.begin_with::<BLOCK>(texts, states),
            2 => self.begin_with::<{ 2 * BLOCK }>(texts, states),
            3 => self.begin_with::<{ 3 * BLOCK }>(texts, states),
            4 => self.begin_with::<{ 4 * BLOCK }>(texts, states),
            5 => self.begin_with::<{ 5 * BLOCK }>(texts, states),
            6 => self.begin_with::<{ 6 * BLOCK }>(texts, states),
            MAX_WHOLE => self.begin_with::<{ MAX_WHOLE * BLOCK }>(texts, states),
            _ => return false,
        }
        true
    }

    /// Compresses the first `N` bytes of each text.
    fn begin_with<const N: usize>(&self, texts: &[(usize, &[u8])], states: &mut [[u32; 8]; LANES]) {
        let mut inputs = [&[0; N]; LANES];
        let starts = texts.iter().filter_map(|(_, text)| text.first_chunk());
        let count = inputs.iter_mut().zip(starts).map(|(to, from)| *to = from).count();
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

    /// Hashes a text of one block.
    #[inline]
    fn words_of_block(&self, block: &[u8; BLOCK]) -> [u32; 8] {
        let mut state = self.words;
        let flags = KEYED | CHUNK_START | CHUNK_END | ROOT;
        self.platform.compress_in_place(&mut state, block, BLOCK as u8, 0, flags);
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
        let whole = whole_blocks(text) * BLOCK;
        let (blocks, rest) = text.split_at(whole);
        let mut state = self.words;
        let mut flags = KEYED | CHUNK_START;
        for block in blocks.as_chunks().0 {
            self.platform.compress_in_place(&mut state, block, BLOCK as u8, 0, flags);
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
        self.platform.compress_in_place(&mut state, &last, rest.len() as u8, 0, flags);
        state
    }
}

/// Returns the number of blocks before the last one, which is empty only if it is the only one.
fn whole_blocks(text: &[u8]) -> usize {
    text.len().saturating_sub(1) / BLOCK
}

fn first_words(words: [u32; 8]) -> [u64; 2] {
    let [a, b, c, d, ..] = words;
    let word = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
    [word(a, b), word(c, d)]
}

/// Returns the same key for each instruction set of this machine.
#[cfg(test)]
pub(super) fn keys(bytes: &[u8; 32]) -> Vec<Blake3Key> {
    let mut platforms = vec![Platform::detect(), Platform::portable()];
    #[cfg(target_arch = "x86_64")]
    platforms.extend([Platform::sse2(), Platform::sse41(), Platform::avx2()].iter().flatten());
    let with = |platform| Blake3Key { platform, ..Blake3Key::new(bytes) };
    platforms.into_iter().map(with).collect()
}

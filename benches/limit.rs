//! The limit L that checks are compared with: the fastest BLAKE3 call on one block, and one random
//! cache line of a table as large as the index.
//!
//! **Do not change this file to tune the product.** It shares no code with the product, because a
//! slower L would make every ratio look better.

use std::hint::black_box;

use blake3::platform::Platform;
use memmap2::MmapMut;

/// `CHUNK_START | CHUNK_END | ROOT | KEYED_HASH`: a message of at most 64 bytes, under a key.
const FLAGS: u8 = 1 | 2 | 8 | 16;
const LINE: usize = 64;
/// Bytes that the index needs per token.
const BYTES_PER_TOKEN: usize = 32;
const HUGE_PAGE: usize = 2 << 20;

/// A chain of hashes and a chain of cache lines, in which each step needs the previous result.
#[derive(Debug)]
pub struct Limit {
    platform: Platform,
    key: [u32; 8],
    block: [u8; 64],
    /// Each line starts with the offset of the next one, in one random cycle through all lines.
    table: MmapMut,
    at: usize,
    /// Always 0, which the compiler cannot know.
    zero: usize,
}

impl Limit {
    /// Creates a table for `tokens`, on pages of 2 MB where the system has them.
    ///
    /// # Errors
    ///
    /// Fails if there is not enough memory.
    pub fn new(tokens: u64) -> std::io::Result<Self> {
        let bytes = usize::try_from(tokens).unwrap_or(usize::MAX) * BYTES_PER_TOKEN;
        let lines = bytes.div_ceil(LINE);
        let mut table = MmapMut::map_anon((lines * LINE).next_multiple_of(HUGE_PAGE))?;
        #[cfg(target_os = "linux")]
        // Without huge pages, the line is measured on small ones.
        let _ = table.advise(memmap2::Advice::HugePage);
        for (line, next) in table.chunks_exact_mut(LINE).zip(cycle(lines)) {
            let offset = (next * LINE) as u64;
            if let Some(word) = line.first_chunk_mut() {
                *word = offset.to_le_bytes();
            }
        }
        Ok(Self {
            platform: Platform::detect(),
            key: black_box([0x0707_0707; 8]),
            block: [b'7'; 64],
            table,
            at: 0,
            zero: black_box(0),
        })
    }

    /// Hashes 64 bytes, the first of which are those of the previous hash. Returns 0.
    #[inline]
    pub fn hash(&mut self) -> u64 {
        let mut words = self.key;
        self.platform.compress_in_place(&mut words, &self.block, 64, 0, FLAGS);
        let [first, ..] = words;
        if let Some(bytes) = self.block.first_chunk_mut() {
            *bytes = first.to_le_bytes();
        }
        u64::from(first) & self.zero as u64
    }

    /// Reads one random line, whose place is in the previous line. Returns 0.
    #[inline]
    pub fn line(&mut self) -> u64 {
        self.line_after(0)
    }

    /// Hashes, then reads one random line whose place depends on the hash. Returns 0.
    #[inline]
    pub fn both(&mut self) -> u64 {
        let last = self.hash();
        let loaded = self.line_after(last);
        if let Some(byte) = self.block.last_mut() {
            *byte = b'7' ^ loaded as u8;
        }
        loaded
    }

    #[inline]
    fn line_after(&mut self, zero: u64) -> u64 {
        let at = self.at + zero as usize;
        let line = self.table.get(at..).and_then(<[u8]>::first_chunk);
        let offset = line.map_or(0, |line| u64::from_le_bytes(*line));
        self.at = offset as usize;
        offset & self.zero as u64
    }
}

/// Returns the successor of each line, such that all lines form one cycle (Sattolo).
fn cycle(lines: usize) -> impl Iterator<Item = usize> {
    let mut next: Vec<u32> = (0..lines as u32).collect();
    let mut rng = fastrand::Rng::with_seed(1);
    for last in (1..lines).rev() {
        next.swap(last, rng.usize(..last));
    }
    next.into_iter().map(|line| line as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_are_those_of_a_keyed_hash() {
        let mut limit = Limit::new(1).unwrap();
        let block = limit.block;
        limit.hash();
        let hash = blake3::keyed_hash(&[7; 32], &block);
        assert_eq!(limit.block[..4], hash.as_bytes()[..4]);
    }

    #[test]
    fn lines_form_one_cycle() {
        let mut limit = Limit::new(1000).unwrap();
        let mut seen = std::collections::HashSet::new();
        while seen.insert(limit.at) {
            assert_eq!(limit.line(), 0);
        }
        assert_eq!((seen.len(), limit.at), (500, 0));
    }

    #[test]
    fn both_changes_the_block_and_the_place() {
        let mut limit = Limit::new(1000).unwrap();
        let (at, block) = (limit.at, limit.block);
        assert_eq!(limit.both(), 0);
        assert_ne!((limit.at, limit.block), (at, block));
    }
}

//! The limit L that checks are compared with: the fastest single-block BLAKE3 call, and one random cache line of a table
//! as large as the index.
//!
//! This file is the yardstick. **It is not touched when the product is tuned**, and shares no code with it: what makes L
//! slower would make every ratio look better.

use std::hint::black_box;

use blake3::platform::Platform;
use memmap2::MmapMut;

/// `CHUNK_START | CHUNK_END | ROOT | KEYED_HASH`: one whole message of at most 64 bytes under a key.
const FLAGS: u8 = 1 | 2 | 8 | 16;
const LINE: usize = 64;
/// What the index needs for one token.
const BYTES_PER_TOKEN: usize = 32;
const HUGE_PAGE: usize = 2 << 20;

/// A chain of hashes and a chain of cache lines. Each step needs the result of the one before.
#[derive(Debug)]
pub struct Limit {
    platform: Platform,
    key: [u32; 8],
    block: [u8; 64],
    /// Each line begins with the offset of the next one, in one random cycle through all of them.
    table: MmapMut,
    at: usize,
    /// 0, which the compiler cannot know.
    nothing: usize,
}

impl Limit {
    /// With a table for `tokens`, on 2 MB pages where the system gives them.
    ///
    /// # Errors
    ///
    /// If there is not enough memory.
    pub fn new(tokens: u64) -> std::io::Result<Self> {
        let bytes = usize::try_from(tokens).unwrap_or(usize::MAX) * BYTES_PER_TOKEN;
        let lines = bytes.div_ceil(LINE);
        let mut table = MmapMut::map_anon((lines * LINE).next_multiple_of(HUGE_PAGE))?;
        #[cfg(target_os = "linux")]
        // Refused where the system has none: then the line is what it is on small pages.
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
            nothing: black_box(0),
        })
    }

    /// One hash of 64 bytes, the first of which come from the hash before. Returns 0.
    #[inline]
    pub fn hash(&mut self) -> u64 {
        let mut words = self.key;
        self.platform
            .compress_in_place(&mut words, &self.block, 64, 0, FLAGS);
        let [first, ..] = words;
        if let Some(bytes) = self.block.first_chunk_mut() {
            *bytes = first.to_le_bytes();
        }
        u64::from(first) & self.nothing as u64
    }

    /// One random line, whose place stands in the line before. Returns 0.
    #[inline]
    pub fn line(&mut self) -> u64 {
        self.line_after(0)
    }

    /// One hash, then one random line that is not known before the hash is there. Returns 0.
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
    fn line_after(&mut self, nothing: u64) -> u64 {
        let at = self.at + nothing as usize;
        let line = self.table.get(at..).and_then(<[u8]>::first_chunk);
        let offset = line.map_or(0, |line| u64::from_le_bytes(*line));
        self.at = offset as usize;
        offset & self.nothing as u64
    }
}

/// For each line the one after it, such that they form one cycle (Sattolo).
fn cycle(lines: usize) -> impl Iterator<Item = usize> {
    let mut next: Vec<u32> = (0..lines as u32).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for last in (1..lines).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        next.swap(last, (state % last as u64) as usize);
    }
    next.into_iter().map(|line| line as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_is_a_keyed_hash() {
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
    fn both_waits_for_the_hash_and_goes_on() {
        let mut limit = Limit::new(1000).unwrap();
        let (at, block) = (limit.at, limit.block);
        assert_eq!(limit.both(), 0);
        assert_ne!((limit.at, limit.block), (at, block));
    }
}

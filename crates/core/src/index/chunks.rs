//! An append-only vector whose elements never move, so that readers need no lock.

use std::sync::OnceLock;

/// Elements of the first chunk; each further chunk is twice as large.
const FIRST: usize = 64;
/// Enough for 2³² elements.
const CHUNKS: usize = 27;

#[derive(Debug)]
pub(super) struct Chunks<T> {
    chunks: [OnceLock<Box<[T]>>; CHUNKS],
}

impl<T: Default> Chunks<T> {
    pub(super) fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
        }
    }

    /// The element, if its chunk was made.
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        let (chunk, offset) = place(at);
        self.chunks.get(chunk)?.get()?.get(offset)
    }

    /// The element; its chunk is made if it is the first of it.
    pub(super) fn make(&self, at: u32) -> Option<&T> {
        let (chunk, offset) = place(at);
        let fresh = || (0..FIRST << chunk).map(|_| T::default()).collect();
        self.chunks.get(chunk)?.get_or_init(fresh).get(offset)
    }
}

fn place(at: u32) -> (usize, usize) {
    let scaled = at as usize / FIRST + 1;
    let chunk = scaled.ilog2() as usize;
    (chunk, at as usize - FIRST * ((1 << chunk) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_each_other() {
        let mut last = (0, 0);
        for at in 1..100_000 {
            let (chunk, offset) = place(at);
            let next = if last.1 + 1 == FIRST << last.0 {
                (last.0 + 1, 0)
            } else {
                (last.0, last.1 + 1)
            };
            assert_eq!((chunk, offset), next);
            last = next;
        }
        assert!(place(u32::MAX).0 < CHUNKS);
    }
}

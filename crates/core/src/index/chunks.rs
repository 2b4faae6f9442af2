//! An append-only vector whose elements never move, so that readers need no lock.

use std::sync::OnceLock;

/// Elements of the first chunk, which is always allocated. Each further chunk is twice as large.
const FIRST: usize = if cfg!(shuttle) { 4 } else { 4096 };
/// Enough for 2³² elements.
const CHUNKS: usize = 20;

#[derive(Debug)]
pub(super) struct Chunks<T> {
    first: Box<[T]>,
    further: [OnceLock<Box<[T]>>; CHUNKS],
}

impl<T: Default> Chunks<T> {
    pub(super) fn new() -> Self {
        Self {
            first: (0..FIRST).map(|_| T::default()).collect(),
            further: [const { OnceLock::new() }; CHUNKS],
        }
    }

    /// Returns the element, if its chunk is allocated.
    #[inline(always)]
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        match self.first.get(at as usize) {
            None => self.get_further(at),
            found => found,
        }
    }

    #[cold]
    fn get_further(&self, at: u32) -> Option<&T> {
        let (chunk, offset) = place(at);
        self.further.get(chunk)?.get()?.get(offset)
    }

    /// Returns the element, and allocates its chunk if necessary.
    pub(super) fn make(&self, at: u32) -> Option<&T> {
        if let Some(element) = self.first.get(at as usize) {
            return Some(element);
        }
        let (chunk, offset) = place(at);
        let fresh = || (0..FIRST << (chunk + 1)).map(|_| T::default()).collect();
        self.further.get(chunk)?.get_or_init(fresh).get(offset)
    }
}

/// Returns the index of the further chunk, and the offset in it.
fn place(at: u32) -> (usize, usize) {
    let scaled = at as usize / FIRST + 1;
    let chunk = scaled.ilog2() as usize;
    let before = FIRST * ((1 << chunk) - 1);
    (chunk.saturating_sub(1), (at as usize).saturating_sub(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_contiguous() {
        let mut next = (0, 0);
        for at in FIRST as u32..1_000_000 {
            assert_eq!(place(at), next);
            next.1 += 1;
            if next.1 == FIRST << (next.0 + 1) {
                next = (next.0 + 1, 0);
            }
        }
        assert!(place(u32::MAX).0 < CHUNKS);
    }

    #[test]
    fn elements_exist_once_allocated() {
        let chunks = Chunks::<OnceLock<u32>>::new();
        assert!(chunks.get(5000).is_none());
        for at in [0, 4095, 4096, 5000, 12_287, 12_288, 100_000] {
            chunks.make(at).unwrap().set(at).unwrap();
        }
        for at in [0, 4095, 4096, 5000, 12_287, 12_288, 100_000] {
            assert_eq!(chunks.get(at).unwrap().get(), Some(&at));
        }
        assert!(chunks.get(u32::MAX).is_none());
    }
}

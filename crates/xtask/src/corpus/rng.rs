//! A small generator of repeatable numbers (splitmix64).
//!
//! Everything in a corpus is drawn from `(seed, stream, index)`, so that row or line number `index` can be made again at any
//! time without keeping it.

/// What a run of numbers is for; different streams of one seed are unrelated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    /// What decides: text, status, owner, permissions.
    Authorization = 1,
    /// What does not decide: descriptions, dates, odd spellings.
    Dress = 2,
    /// One line of the request stream.
    Line = 3,
    /// What a process does until it is killed, and when that is.
    Crash = 4,
}

/// A run of repeatable numbers. Not for secrets that matter.
#[derive(Debug)]
pub(crate) struct Rng(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Rng {
    pub(crate) fn new(seed: u64, stream: Stream, index: u64) -> Self {
        let stream = mix(seed ^ mix(stream as u64));
        Self(mix(stream.wrapping_add(index.wrapping_mul(STEP))))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number under `bound`; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub(crate) fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// One of `choices`, each as likely.
    #[expect(
        clippy::indexing_slicing,
        reason = "callers pass lists that are never empty, and `below` stays under the length"
    )]
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    /// One of `choices`, the earlier ones far more often: some tokens are popular.
    pub(super) fn popular<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let reach = self.below(choices.len() as u64) + 1;
        let reach = self.below(reach) + 1;
        choices.get(self.below(reach) as usize)
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            for (byte, random) in chunk.iter_mut().zip(self.next().to_le_bytes()) {
                *byte = random;
            }
        }
        bytes
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

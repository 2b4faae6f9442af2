//! Random places.

/// Draws places in an order that no prefetcher guesses; the same ones in every run.
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    /// Another `seed` draws others.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below `count`.
    #[inline]
    pub fn below(&mut self, count: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // Multiplied and shifted, for a division would cost as much as a check may.
        ((u128::from(self.0) * u128::from(count)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_below_is_drawn_and_nothing_else() {
        let mut draw = Draw::new(1);
        let mut seen = [false; 10];
        for _ in 0..1000 {
            seen[draw.below(10) as usize] = true;
        }
        assert_eq!(seen, [true; 10]);
    }
}

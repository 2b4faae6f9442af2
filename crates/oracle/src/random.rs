//! Random numbers with a seed: [`Rng`] gives the same numbers on each run.

pub use fastrand::Rng;

/// Returns one of `choices`, each with the same probability.
#[expect(clippy::indexing_slicing, reason = "callers pass lists that are never empty")]
pub fn pick<'a, T>(rng: &mut Rng, choices: &'a [T]) -> &'a T {
    &choices[rng.usize(..choices.len())]
}

/// Returns `true` with a probability of `share` in 100.
pub fn percent(rng: &mut Rng, share: u8) -> bool {
    rng.u8(..100) < share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides_every_choice() {
        let draw = |seed| {
            let rng = &mut Rng::with_seed(seed);
            (0..100).map(|_| *pick(rng, &[1, 2, 3])).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!([1, 2, 3].iter().all(|one| draw(1).contains(one)));
    }

    #[test]
    fn percentages_are_frequencies() {
        let rng = &mut Rng::with_seed(1);
        for share in [0, 20, 100] {
            let count = (0..10_000).filter(|_| percent(rng, share)).count();
            assert!(count.abs_diff(usize::from(share) * 100) < 300, "{share}: {count}");
        }
    }
}

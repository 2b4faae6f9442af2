//! A small table of numbers found by hashes: what a hash map is, without keys of its own.

/// Numbers of elements that lie elsewhere. At most half full, so that a search ends soon.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Slots(Box<[u32]>);

impl Slots {
    /// The table of these elements: the number and the hash of each.
    pub(super) fn of(elements: &[(u32, u64)]) -> Self {
        if elements.is_empty() {
            return Self::default();
        }
        let mut slots = vec![FREE; (2 * elements.len()).next_power_of_two()].into_boxed_slice();
        let mask = slots.len() - 1;
        for (number, hash) in elements {
            let mut at = first(*hash) & mask;
            while let Some(slot) = slots.get_mut(at) {
                if *slot == FREE {
                    *slot = *number;
                    break;
                }
                at = (at + 1) & mask;
            }
        }
        Self(slots)
    }

    /// The first of the elements with this hash, and of some others, for which `is_it` holds.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.0.len().checked_sub(1)?;
        let mut at = first(hash) & mask;
        loop {
            match *self.0.get(at)? {
                FREE => return None,
                number if is_it(number) => return Some(number),
                _ => at = (at + 1) & mask,
            }
        }
    }
}

/// No element has this number.
const FREE: u32 = u32::MAX;

/// The upper half of a product depends on all bits of its factors.
fn first(hash: u64) -> usize {
    (hash >> 32) as usize
}

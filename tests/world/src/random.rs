//! Random numbers, all of which follow from one seed.

use std::ops::Range;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers. Every user has one of its own, so that one more draw of one user does not change what
/// others draw.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream of the `index`th user of this name, in the world of this seed.
    #[must_use]
    pub fn of(seed: u64, name: &str, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&index.to_le_bytes());
        for (target, byte) in key[16..].iter_mut().zip(name.bytes()) {
            *target = byte;
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in the range, or its start if it is empty.
    pub fn in_range(&mut self, range: Range<u64>) -> u64 {
        let width = range.end.saturating_sub(range.start);
        if width == 0 {
            return range.start;
        }
        range.start + self.number() % width
    }

    /// A length in the range, or its start if it is empty.
    pub fn length(&mut self, range: Range<usize>) -> usize {
        self.in_range(range.start as u64..range.end as u64) as usize
    }

    /// A duration in the range, or its start if it is empty.
    pub fn time(&mut self, range: &Range<Duration>) -> Duration {
        let nanoseconds = range.start.as_nanos() as u64..range.end.as_nanos() as u64;
        Duration::from_nanos(self.in_range(nanoseconds))
    }

    /// True once in `many` times; never for 0.
    pub fn once_in(&mut self, many: u64) -> bool {
        many > 0 && self.number().is_multiple_of(many)
    }

    /// One element of the slice.
    ///
    /// # Panics
    /// If the slice is empty.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.length(0..among.len())]
    }
}

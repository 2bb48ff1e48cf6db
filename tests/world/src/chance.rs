//! Chance, all of which follows from one seed.

use std::ops::Range;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of chance. Everything that draws has one of its own, so that a draw more of one thing does not change what
/// another draws.
#[derive(Clone, Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of the thing called `name`, the `index`th of its kind, in the world of this seed.
    #[must_use]
    pub fn of(seed: u64, name: &str, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&index.to_le_bytes());
        for (place, byte) in key[16..].iter_mut().zip(name.bytes()) {
            *place = byte;
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

    /// A time in the range, or its start if it is empty.
    pub fn time(&mut self, range: &Range<Duration>) -> Duration {
        let nanoseconds = range.start.as_nanos() as u64..range.end.as_nanos() as u64;
        Duration::from_nanos(self.in_range(nanoseconds))
    }

    /// True once in `many` times; never for 0.
    pub fn once_in(&mut self, many: u64) -> bool {
        many > 0 && self.number().is_multiple_of(many)
    }

    /// One of them.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.length(0..among.len())]
    }
}

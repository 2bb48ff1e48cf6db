//! One bit per level of nesting.

/// A stack of bits: 1,024 in place, more on the heap.
pub(super) struct BitStack {
    /// The topmost bits, the top one lowest; words below are full.
    word: u64,
    pub(super) length: u32,
    full: [u64; 16],
    spilled: Vec<u64>,
}

impl BitStack {
    pub(super) const fn new() -> Self {
        Self {
            word: 0,
            length: 0,
            full: [0; 16],
            spilled: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, bit: bool) {
        if self.length > 0 && self.length.is_multiple_of(64) {
            match self.full.get_mut((self.length / 64 - 1) as usize) {
                Some(slot) => *slot = self.word,
                None => self.spilled.push(self.word),
            }
        }
        self.word = self.word << 1 | u64::from(bit);
        self.length += 1;
    }

    /// The top bit, taken off; `false` from an empty stack.
    #[inline]
    pub(super) fn pop(&mut self) -> bool {
        let bit = self.top();
        self.word >>= 1;
        self.length = self.length.saturating_sub(1);
        if self.length > 0 && self.length.is_multiple_of(64) {
            let below = self.full.get((self.length / 64 - 1) as usize).copied();
            self.word = below.or_else(|| self.spilled.pop()).unwrap_or_default();
        }
        bit
    }

    #[inline]
    pub(super) fn top(&self) -> bool {
        self.word & 1 == 1
    }

    pub(super) fn set_top(&mut self, bit: bool) {
        self.word = self.word & !1 | u64::from(bit);
    }
}

//! How a stream is cut into reads, which must change nothing.

/// The reads in which the bytes of one stream arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pieces {
    /// All at once.
    Whole,
    /// One byte at a time.
    Bytes,
    /// Pieces of lengths that follow from this number.
    Cut(u8),
}

impl Pieces {
    /// Three ways to cut the same stream; `cut` decides the last one.
    pub(crate) const fn all(cut: u8) -> [Self; 3] {
        [Self::Whole, Self::Bytes, Self::Cut(cut)]
    }

    /// The pieces of `bytes`, in order and none of them empty.
    pub(crate) fn of(self, bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut rest = bytes;
        let mut state = match self {
            Self::Cut(seed) => u32::from(seed),
            Self::Whole | Self::Bytes => 0,
        };
        core::iter::from_fn(move || {
            let most = match self {
                Self::Whole => rest.len(),
                Self::Bytes => 1,
                Self::Cut(_) => {
                    // The multiplier of a linear congruential generator; its high bits are even enough.
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    1 + (state >> 24) as usize % 23
                }
            };
            let (piece, tail) = rest.split_at(most.min(rest.len()));
            rest = tail;
            (!piece.is_empty()).then_some(piece)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_put_together_are_the_stream() {
        let stream: Vec<u8> = (0..=255).collect();
        for pieces in Pieces::all(7) {
            assert_eq!(pieces.of(&stream).collect::<Vec<_>>().concat(), stream);
            assert_eq!(pieces.of(&[]).count(), 0);
        }
        assert!(Pieces::Cut(7).of(&stream).any(|piece| piece.len() > 1));
    }
}

use bytes::Bytes;
use core::fmt;
use std::collections::VecDeque;
use std::io::IoSlice;

/// From this size on bytes are shared instead of copied: below it a copy is cheaper than a reference count
/// and a slice of its own in the vectored write.
pub const SHARE_FROM: usize = 1024;

/// From this many bytes taken off the flat buffer on it is worth moving the rest to its beginning.
const COMPACT_FROM: usize = 64 * 1024;

/// Bytes on their way out: small writes stand in one flat buffer, large ones are shared.
///
/// The core fills it, the owner of the connection writes it: [`OutBuf::chunks_vectored`] shows what is next,
/// [`OutBuf::advance`] takes off what the operating system accepted. An empty `OutBuf` that was never filled
/// holds no heap.
#[derive(Default)]
pub struct OutBuf {
    flat: Vec<u8>,
    /// How much of `flat` has been taken off already.
    read: usize,
    shared: VecDeque<Shared>,
    len: usize,
}

/// A shared piece and the position in `flat` before which it stands.
struct Shared {
    at: usize,
    bytes: Bytes,
}

impl OutBuf {
    /// An empty buffer; nothing is allocated before the first write.
    pub const fn new() -> Self {
        Self {
            flat: Vec::new(),
            read: 0,
            shared: VecDeque::new(),
            len: 0,
        }
    }

    /// Bytes not yet taken off.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether everything was taken off.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copies `bytes` to the end.
    pub fn put(&mut self, bytes: &[u8]) {
        self.flat.extend_from_slice(bytes);
        self.len = self.len.saturating_add(bytes.len());
    }

    /// Adds `bytes` to the end: a copy when they are few, a shared reference from [`SHARE_FROM`] on.
    pub fn put_shared(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARE_FROM {
            return self.put(bytes);
        }
        self.len = self.len.saturating_add(bytes.len());
        self.shared.push_back(Shared {
            at: self.flat.len(),
            bytes: bytes.clone(),
        });
    }

    /// Moves everything of `other` to the end of this buffer; a plain swap when this one is empty.
    pub fn append(&mut self, other: &mut Self) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            core::mem::swap(self, other);
            return other.clear();
        }
        let base = self.flat.len();
        self.flat
            .extend_from_slice(other.flat.get(other.read..).unwrap_or_default());
        for piece in other.shared.drain(..) {
            self.shared.push_back(Shared {
                at: piece.at.saturating_sub(other.read).saturating_add(base),
                bytes: piece.bytes,
            });
        }
        self.len = self.len.saturating_add(other.len);
        other.clear();
    }

    /// Copies `bytes` to the end and shows them there, to be changed in place.
    pub(crate) fn put_copy(&mut self, bytes: &[u8]) -> &mut [u8] {
        let start = self.flat.len();
        self.put(bytes);
        self.flat.get_mut(start..).unwrap_or_default()
    }

    /// Moves `count` bytes off the front of `other` to the end of this buffer and shows them there, to be changed in
    /// place. They are copied once, shared ones too. Fewer when `other` holds fewer.
    pub(crate) fn take_copy(&mut self, other: &mut Self, count: usize) -> &mut [u8] {
        let start = self.flat.len();
        self.flat.reserve(count.min(other.len));
        other.take(count, |piece| self.flat.extend_from_slice(piece));
        let copied = self.flat.get_mut(start..).unwrap_or_default();
        self.len = self.len.saturating_add(copied.len());
        copied
    }

    /// Forgets all content and keeps the capacity.
    pub fn clear(&mut self) {
        self.flat.clear();
        self.shared.clear();
        self.read = 0;
        self.len = 0;
    }

    /// The first contiguous piece, empty when the buffer is.
    pub fn chunk(&self) -> &[u8] {
        match self.shared.front() {
            Some(piece) if piece.at <= self.read => &piece.bytes,
            Some(piece) => self.flat.get(self.read..piece.at).unwrap_or_default(),
            None => self.flat.get(self.read..).unwrap_or_default(),
        }
    }

    /// Fills `slices` with the pieces in order, for a vectored write; returns how many were filled.
    pub fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        let mut slots = slices.iter_mut();
        let mut put = |bytes: &'a [u8]| -> bool {
            if bytes.is_empty() {
                return true;
            }
            let Some(slot) = slots.next() else { return false };
            *slot = IoSlice::new(bytes);
            filled += 1;
            true
        };
        let mut position = self.read;
        for piece in &self.shared {
            if !put(self.flat.get(position..piece.at).unwrap_or_default()) || !put(&piece.bytes) {
                return filled;
            }
            position = piece.at.max(position);
        }
        put(self.flat.get(position..).unwrap_or_default());
        filled
    }

    /// Takes `count` bytes off the front; more than there are empties the buffer.
    pub fn advance(&mut self, count: usize) {
        let mut count = count;
        while count > 0 && self.len > 0 {
            let available = self.chunk().len();
            let step = available.min(count);
            count -= step;
            self.len = self.len.saturating_sub(step);
            match self.shared.front_mut() {
                Some(piece) if piece.at <= self.read => {
                    if step == available {
                        self.shared.pop_front();
                    } else {
                        piece.bytes = piece.bytes.slice(step..);
                    }
                }
                _ => self.read = self.read.saturating_add(step),
            }
        }
        if self.len == 0 {
            self.clear();
        } else if self.read >= COMPACT_FROM && self.read >= self.flat.len() / 2 {
            self.compact();
        }
    }

    /// Lets go of what was taken off, without which a buffer that is never empty would grow for ever. What moves
    /// is at most as much as was taken off since the last time.
    fn compact(&mut self) {
        self.flat.drain(..self.read.min(self.flat.len()));
        for piece in &mut self.shared {
            piece.at = piece.at.saturating_sub(self.read);
        }
        self.read = 0;
    }

    /// Copies up to `target.len()` bytes from the front without taking them off; returns how many.
    pub fn peek(&self, target: &mut [u8]) -> usize {
        let mut slices = [IoSlice::new(&[]); 4];
        let count = self.chunks_vectored(&mut slices);
        let mut filled = 0;
        for slice in slices.iter().take(count) {
            let Some(rest) = target.get_mut(filled..) else {
                break;
            };
            let step = slice.len().min(rest.len());
            if let (Some(to), Some(from)) = (rest.get_mut(..step), slice.get(..step)) {
                to.copy_from_slice(from);
            }
            filled = filled.saturating_add(step);
        }
        filled
    }

    /// Takes `count` bytes off the front, handing them out piece by piece.
    pub fn take(&mut self, count: usize, mut each: impl FnMut(&[u8])) {
        let mut left = count.min(self.len);
        while left > 0 {
            let chunk = self.chunk();
            let step = chunk.len().min(left);
            each(chunk.get(..step).unwrap_or_default());
            self.advance(step);
            left = left.saturating_sub(step);
        }
    }

    /// Gives the heap of this buffer away for another use. Only that of an empty one can be given away.
    pub fn take_spare(&mut self) -> Option<Self> {
        if !self.is_empty() || self.memory() == 0 {
            return None;
        }
        self.clear();
        Some(core::mem::take(self))
    }

    /// Bytes of heap it holds, full or empty; shared pieces not included.
    pub(crate) fn memory(&self) -> usize {
        let places = self.shared.capacity().saturating_mul(size_of::<Shared>());
        self.flat.capacity().saturating_add(places)
    }

    /// Uses the heap of one of `spares`, which are all empty, unless it has some already.
    pub(crate) fn take_from(&mut self, spares: &mut Vec<Self>) {
        if self.memory() == 0
            && let Some(spare) = spares.pop()
        {
            *self = spare;
        }
    }
}

impl fmt::Debug for OutBuf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OutBuf")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drain(buffer: &mut OutBuf, step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while !buffer.is_empty() {
            let chunk = buffer.chunk();
            let count = chunk.len().min(step);
            all.extend_from_slice(&chunk[..count]);
            buffer.advance(count);
        }
        all
    }

    #[test]
    fn a_buffer_that_is_never_empty_does_not_grow() {
        let mut buffer = OutBuf::new();
        let large = Bytes::from(vec![b'x'; SHARE_FROM]);
        buffer.put(&[0; 1_000]);
        for number in 0..10_000_u32 {
            buffer.put(&[number as u8; 100]);
            buffer.put_shared(&large);
            buffer.advance(100 + SHARE_FROM);
        }
        assert_eq!(buffer.len(), 1_000);
        assert!(buffer.flat.capacity() < 4 * COMPACT_FROM);
    }

    proptest! {
        #[test]
        fn whatever_goes_in_comes_out_in_order(
            left in prop::collection::vec(0usize..3000, 0..6),
            right in prop::collection::vec(0usize..3000, 0..6),
            taken in 0usize..4000,
            taken_right in 0usize..4000,
            step in 1usize..5000,
        ) {
            let mut expected = Vec::new();
            let mut first = OutBuf::new();
            let mut second = OutBuf::new();
            for (number, size) in left.iter().chain(&right).enumerate() {
                let bytes = Bytes::from(vec![number as u8; *size]);
                expected.extend_from_slice(&bytes);
                if number < left.len() { first.put_shared(&bytes) } else { second.put_shared(&bytes) }
            }
            let (taken, middle) = (taken.min(first.len()), first.len());
            first.advance(taken);
            let taken_right = taken_right.min(second.len());
            second.advance(taken_right);
            expected.drain(middle..middle + taken_right);
            first.append(&mut second);
            prop_assert_eq!(first.len(), expected.len() - taken);
            let mut slices = [IoSlice::new(&[]); 32];
            let count = first.chunks_vectored(&mut slices);
            let vectored: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
            prop_assert_eq!(&vectored[..], &expected[taken..]);
            prop_assert_eq!(&drain(&mut first, step)[..], &expected[taken..]);
        }
    }
}

//! Buffers to read into, which each thread keeps a few of.

use std::cell::Cell;

use bytes::BytesMut;

/// Room for one read. A read that fills it is followed by another.
pub(super) const READ: usize = 32 * 1024;
/// With less room than this a read buffer is not read into again before its messages are gone.
const LEAST_READ: usize = 8 * 1024;
/// Read buffers a thread keeps.
const READ_BUFFERS: usize = 4;

thread_local! {
    static BUFFERS: Cell<Vec<BytesMut>> = const { Cell::new(Vec::new()) };
}

/// An empty buffer with room for a read.
pub(super) fn take_buffer() -> BytesMut {
    let mut buffers = BUFFERS.take();
    let is_free = |buffer: &mut BytesMut| buffer.try_reclaim(READ) || buffer.capacity() >= LEAST_READ;
    let buffer = match buffers.iter_mut().position(is_free) {
        Some(place) => buffers.swap_remove(place),
        None => {
            if buffers.len() >= READ_BUFFERS {
                buffers.remove(0);
            }
            BytesMut::with_capacity(READ)
        }
    };
    BUFFERS.set(buffers);
    buffer
}

/// Keeps a buffer for the next read.
pub(super) fn put_buffer(buffer: BytesMut) {
    let mut buffers = BUFFERS.take();
    if buffers.len() < READ_BUFFERS {
        buffers.push(buffer);
    }
    BUFFERS.set(buffers);
}

//! A packet that is ready to be sent.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// One packet, ready for any number of recipients; cloning shares it.
#[derive(Clone)]
pub struct Encoded {
    pub(super) frame: Bytes,
    pub(super) header_length: usize,
    pub(super) id_offset: usize,
    pub(super) attachments: Option<Arc<[Bytes]>>,
}

/// Without the packet, which may hold credentials: an auth, say.
impl fmt::Debug for Encoded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attachments = self
            .attachments
            .as_ref()
            .map_or(0, |attachments| attachments.len());
        formatter
            .debug_struct("Encoded")
            .field("packet_len", &self.packet_len())
            .field("attachments", &attachments)
            .finish()
    }
}

/// The longest header of an unmasked WebSocket frame.
pub(super) const LARGEST_HEADER: usize = 10;

/// A packet larger than this has most of its buffer to itself.
const LARGEST_COPIED: usize = 16 * 1024;

impl Encoded {
    /// A whole unmasked WebSocket text frame (RFC 6455 section 5.2): header and [`Encoded::packet`].
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The Engine.IO message: `4` and the Socket.IO packet, as HTTP long-polling sends it.
    pub fn packet(&self) -> Bytes {
        self.frame.slice(self.header_length..)
    }

    /// Length of [`Encoded::packet`].
    pub(crate) const fn packet_len(&self) -> usize {
        self.frame.len() - self.header_length
    }

    /// Length of the WebSocket header in [`Encoded::frame`]: 2, 4 or 10.
    pub fn header_len(&self) -> usize {
        self.header_length
    }

    /// Offset in [`Encoded::packet`] where the digits of an acknowledgement id stand or would stand.
    pub fn id_offset(&self) -> usize {
        self.id_offset
    }

    /// Whether it carries the number of an acknowledgement.
    pub fn has_ack_id(&self) -> bool {
        self.frame
            .get(self.header_length.saturating_add(self.id_offset))
            .is_some_and(u8::is_ascii_digit)
    }

    /// The binary messages that must follow at once and in this order.
    pub fn attachments(&self) -> &[Bytes] {
        self.attachments.as_deref().unwrap_or_default()
    }

    /// The same packet in a buffer of its own, if it is small: kept for long, it would keep the encoder's.
    pub(crate) fn detach(&self) -> Self {
        if self.frame.len() > LARGEST_COPIED {
            return self.clone();
        }
        Self {
            frame: Bytes::copy_from_slice(&self.frame),
            ..self.clone()
        }
    }

    /// Bytes to queue per recipient, attachments and their largest possible headers included.
    pub fn encoded_len(&self) -> usize {
        let attachments = self
            .attachments()
            .iter()
            .map(|bytes| bytes.len().saturating_add(LARGEST_HEADER));
        attachments.fold(self.frame.len(), usize::saturating_add)
    }
}

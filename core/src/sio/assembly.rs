//! Packets whose attachments come after them (protocol section 3.3), on either side of a connection.

use super::Packet;
use bytes::Bytes;

/// What waits for more to arrive is copied out of the read buffer unless it is this large.
const WORTH_KEEPING: usize = 16 * 1024;

/// The packet of one session that waits for its attachments, if there is one.
#[derive(Default)]
pub(super) struct Assembly(Option<Box<Unfinished>>);

struct Unfinished {
    packet: Packet,
    expected: usize,
    attachments: Vec<Bytes>,
}

/// A packet with all that belongs to it.
pub(super) struct Complete {
    pub(super) packet: Packet,
    pub(super) attachments: Vec<Bytes>,
}

/// The peer sent something else than the attachments it had announced, or some it had not.
pub(super) struct OutOfTurn;

impl Assembly {
    /// Whether attachments are missing.
    pub(super) const fn is_waiting(&self) -> bool {
        self.0.is_some()
    }

    /// Takes a packet; gives it back unless attachments must follow.
    pub(super) fn packet(&mut self, packet: Packet) -> Result<Option<Complete>, OutOfTurn> {
        if self.is_waiting() {
            return Err(OutOfTurn);
        }
        match &packet {
            Packet::Event { attachments: 1.., .. } | Packet::Ack { attachments: 1.., .. } => {
                self.0 = Some(Box::new(Unfinished::new(packet)));
                Ok(None)
            }
            _ => Ok(Some(Complete {
                packet,
                attachments: Vec::new(),
            })),
        }
    }

    /// Takes an attachment; gives the packet back with the last one.
    pub(super) fn attachment(&mut self, data: Bytes) -> Result<Option<Complete>, OutOfTurn> {
        let mut unfinished = self.0.take().ok_or(OutOfTurn)?;
        let is_last = unfinished.attachments.len() + 1 >= unfinished.expected;
        // The last one, too: an application that sends it on would keep the whole read buffer in a slow peer's
        // queue, where only the attachment's own bytes are counted.
        let is_small = data.len() < WORTH_KEEPING;
        unfinished.attachments.push(if is_small {
            Bytes::copy_from_slice(&data)
        } else {
            data
        });
        if !is_last {
            self.0 = Some(unfinished);
            return Ok(None);
        }
        Ok(Some(Complete {
            packet: unfinished.packet,
            attachments: unfinished.attachments,
        }))
    }
}

impl Unfinished {
    fn new(mut packet: Packet) -> Self {
        let mut expected = 0;
        if let Packet::Event {
            arguments,
            attachments,
            ..
        }
        | Packet::Ack {
            arguments,
            attachments,
            ..
        } = &mut packet
        {
            expected = *attachments as usize;
            if arguments.len() < WORTH_KEEPING {
                *arguments = Bytes::copy_from_slice(arguments);
            }
        }
        if let Packet::Event { namespace, name, .. } = &mut packet {
            *namespace = namespace.detach();
            *name = name.detach();
        } else if let Packet::Ack { namespace, .. } = &mut packet {
            *namespace = namespace.detach();
        }
        Self {
            packet,
            expected,
            attachments: Vec::new(),
        }
    }
}

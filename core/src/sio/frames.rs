//! A packet as WebSocket frames in a queue, on its way to one peer.

use super::Encoded;
use crate::OutBuf;
use crate::ws::{Fin, OpCode, write_header};
use bytes::Bytes;

/// Writes a packet as WebSocket frames, with the number of an acknowledgement if it asks for one.
pub(super) fn put(queue: &mut OutBuf, packet: &Encoded, ack: Option<u64>) {
    match ack {
        None => queue.put_shared(packet.frame()),
        Some(number) => put_numbered(queue, packet, number),
    }
    for attachment in packet.attachments() {
        queue.put(write_header(OpCode::Binary, Fin::Final, attachment.len(), None).as_ref());
        queue.put_shared(attachment);
    }
}

/// The size of the text message that [`put`] writes, attachments not included.
pub(super) fn text_size(packet: &Encoded, ack: Option<u64>) -> usize {
    let digits = ack.map_or(0, |number| decimal(number, &mut [0; 20]).len());
    packet.packet_len().saturating_add(digits)
}

fn put_numbered(queue: &mut OutBuf, packet: &Encoded, number: u64) {
    let mut digits = [0; 20];
    let digits = decimal(number, &mut digits);
    let body: Bytes = packet.packet();
    let (before, after) = body.split_at_checked(packet.id_offset()).unwrap_or((&body, &[]));
    let length = body.len().saturating_add(digits.len());
    queue.put(write_header(OpCode::Text, Fin::Final, length, None).as_ref());
    queue.put(before);
    queue.put(digits);
    queue.put_shared(&body.slice_ref(after));
}

fn decimal(number: u64, target: &mut [u8; 20]) -> &[u8] {
    let mut rest = number;
    let mut start = target.len();
    for (place, digit) in target.iter_mut().enumerate().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        start = place;
        if rest == 0 {
            break;
        }
    }
    target.get(start..).unwrap_or_default()
}

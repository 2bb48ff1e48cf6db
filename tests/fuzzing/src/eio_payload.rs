//! Engine.IO packets and polling payloads.

use bytes::{Bytes, BytesMut};
use socketio_core::Text;
use socketio_core::eio::payload::{Decoder, PayloadError, SEPARATOR, encode_into};
use socketio_core::eio::{Message, Packet};

const MAX_PACKETS: usize = 16;

/// A body falls apart where its separators are, up to the first fault; what was read can be written and read
/// again, and each part alone reads as it does within the body.
pub fn eio_payload(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    let (packets, error) = read(body);
    assert!(packets.len() <= MAX_PACKETS);
    let mut parts = data.split(|byte| *byte == SEPARATOR);
    for packet in &packets {
        assert_eq!(alone(parts.next()), Ok(packet.clone()));
    }
    match error {
        None => assert_eq!(parts.next(), None),
        Some(PayloadError::TooManyPackets) => assert_eq!(packets.len(), MAX_PACKETS),
        Some(error) => assert_eq!(alone(parts.next()), Err(error)),
    }

    if !packets.is_empty() {
        let mut written = BytesMut::new();
        encode_into(&packets, &mut written);
        let len: usize = packets.iter().map(|packet| packet.encoded_len() + 1).sum();
        assert_eq!(written.len(), len - 1);
        assert_eq!(read(written.freeze()), (packets, None));
    }
}

fn read(body: Bytes) -> (Vec<Packet>, Option<PayloadError>) {
    let mut decoder = Decoder::new(body, MAX_PACKETS);
    let mut packets = Vec::new();
    while let Some(outcome) = decoder.poll_packet() {
        match outcome {
            Ok(packet) => packets.push(packet),
            Err(error) => {
                assert_eq!(decoder.poll_packet(), None, "nothing follows an error");
                return (packets, Some(error));
            }
        }
    }
    (packets, None)
}

/// One part as a packet of its own, as a WebSocket frame would bring it.
fn alone(part: Option<&[u8]>) -> Result<Packet, PayloadError> {
    let part = Bytes::copy_from_slice(part.expect("as many parts as packets"));
    let text = Text::from_utf8(part).map_err(|_| PayloadError::InvalidUtf8)?;
    let packet = Packet::decode_text(text)?;
    if let Packet::Message(message) = &packet {
        let detached: Message = message.detach();
        assert_eq!(&detached, message);
    }
    Ok(packet)
}

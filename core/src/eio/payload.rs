//! Polling payloads: several packets in one HTTP body (protocol section 1.2).

use super::{Packet, PacketError};
use crate::Text;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use core::fmt;

/// Stands between two packets. JSON never contains it, but a text message may; such a message cannot be
/// carried by polling and would arrive as two packets.
pub const SEPARATOR: u8 = 0x1e;

/// Why a payload could not be read to its end. The session ends with the reason `parse error`; packets
/// before the bad one count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PayloadError {
    /// A packet without a type: the body is empty, or a separator stands first, last or twice.
    EmptyPacket,
    /// A packet whose first character is neither `0` to `6` nor `b`.
    UnknownType,
    /// A packet that is not UTF-8.
    InvalidUtf8,
    /// More packets than the limit.
    TooManyPackets,
}

/// Takes the packets out of one body, in order, and stops for good at the first error.
///
/// Text shares the body's buffer; binary is decoded into its own.
#[derive(Debug)]
pub struct Decoder {
    /// What follows the last separator; `None` once the end or an error was reached.
    rest: Option<Bytes>,
    packets_left: usize,
}

impl Decoder {
    /// A decoder of a complete `body` that may hold at most `max_packets` packets.
    pub fn new(body: Bytes, max_packets: usize) -> Self {
        Self {
            rest: Some(body),
            packets_left: max_packets,
        }
    }

    /// Takes the next packet; `None` after the last one and after an error.
    #[must_use]
    pub fn poll_packet(&mut self) -> Option<Result<Packet, PayloadError>> {
        let mut rest = self.rest.take()?;
        let Some(packets_left) = self.packets_left.checked_sub(1) else {
            return Some(Err(PayloadError::TooManyPackets));
        };
        let packet = match memchr::memchr(SEPARATOR, &rest) {
            Some(end) => {
                let packet = rest.split_to(end);
                rest.advance(1);
                self.rest = Some(rest);
                packet
            }
            None => rest,
        };
        self.packets_left = packets_left;
        // The separator is ASCII, so a body is UTF-8 exactly if each of its packets is.
        let outcome = Text::from_utf8(packet)
            .map_err(|_| PayloadError::InvalidUtf8)
            .and_then(|text| Packet::decode_text(text).map_err(PayloadError::from));
        if outcome.is_err() {
            self.rest = None;
        }
        Some(outcome)
    }
}

/// Appends `packets` to `out` as one body: [`SEPARATOR`] between two packets, none after the last.
///
/// No packet at all makes an empty body, which no decoder takes: answer a poll with a noop instead.
pub fn encode_into<'a>(packets: impl IntoIterator<Item = &'a Packet>, out: &mut BytesMut) {
    for (position, packet) in packets.into_iter().enumerate() {
        if position > 0 {
            out.put_u8(SEPARATOR);
        }
        packet.encode_into(out);
    }
}

impl From<PacketError> for PayloadError {
    fn from(error: PacketError) -> Self {
        match error {
            PacketError::Empty => Self::EmptyPacket,
            PacketError::UnknownType => Self::UnknownType,
        }
    }
}

impl PayloadError {
    /// What `Display` says.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::EmptyPacket => "empty packet: the peer must put separators only between two packets",
            Self::UnknownType => "unknown packet type: the peer must begin a packet with 0 to 6 or b",
            Self::InvalidUtf8 => "payload is not UTF-8: the peer must send binary as b and base64",
            Self::TooManyPackets => {
                "too many packets: the peer must send fewer at once, or raise Limits::packets_per_payload"
            }
        }
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

impl core::error::Error for PayloadError {}

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::*;
    use proptest::prelude::*;

    const UNLIMITED: usize = usize::MAX;

    fn decode(body: &[u8], max_packets: usize) -> Vec<Result<Packet, PayloadError>> {
        let mut decoder = Decoder::new(Bytes::copy_from_slice(body), max_packets);
        let packets = core::iter::from_fn(|| decoder.poll_packet()).collect();
        assert_eq!(decoder.poll_packet(), None);
        packets
    }

    fn text(text: &str) -> Packet {
        Packet::Message(Message::Text(text.into()))
    }

    #[test]
    fn packets_are_taken_one_by_one() {
        let binary = Packet::Message(Message::Binary(Bytes::from_static(&[1, 2, 3, 4])));
        let packets = decode("4h\u{e9}llo\x1e2\x1e4\u{20ac}\x1ebAQIDBA==".as_bytes(), UNLIMITED);
        let expected = [
            text("h\u{e9}llo"),
            Packet::Ping(Text::default()),
            text("\u{20ac}"),
            binary,
        ];
        assert_eq!(packets, expected.map(Ok));
    }

    #[test]
    fn the_first_error_ends_the_payload_but_not_what_came_before() {
        for (body, error) in [
            (&b"4a\x1e"[..], PayloadError::EmptyPacket),
            (b"4a\x1e\x1e4b", PayloadError::EmptyPacket),
            (b"4a\x1eabc\x1e4b", PayloadError::UnknownType),
            (b"4a\x1e4\xff\x1e4b", PayloadError::InvalidUtf8),
            (b"4a\x1e4\xe2\x82\x1e\xac", PayloadError::InvalidUtf8),
        ] {
            assert_eq!(decode(body, UNLIMITED), [Ok(text("a")), Err(error)], "{body:?}");
        }
        assert_eq!(decode(b"", UNLIMITED), [Err(PayloadError::EmptyPacket)]);
        assert_eq!(decode(b"\x1e4a", UNLIMITED), [Err(PayloadError::EmptyPacket)]);
    }

    #[test]
    fn a_payload_may_hold_as_many_packets_as_the_limit() {
        assert_eq!(decode(b"4a\x1e4b", 2), [Ok(text("a")), Ok(text("b"))]);
        assert_eq!(
            decode(b"4a\x1e4b", 1),
            [Ok(text("a")), Err(PayloadError::TooManyPackets)]
        );
        assert_eq!(decode(b"4a", 0), [Err(PayloadError::TooManyPackets)]);
    }

    #[test]
    fn text_shares_the_body() {
        let body = Bytes::from_static(b"2\x1e4hello");
        let mut decoder = Decoder::new(body.clone(), UNLIMITED);
        assert_eq!(decoder.poll_packet(), Some(Ok(Packet::Ping(Text::default()))));
        let Some(Ok(Packet::Message(Message::Text(text)))) = decoder.poll_packet() else {
            panic!("a text message");
        };
        assert_eq!(text.as_bytes().as_ptr(), body[3..].as_ptr());
    }

    fn packets() -> impl Strategy<Value = Vec<Packet>> {
        let body = || "[^\x1e]{0,12}".prop_map(Text::from);
        let packet = prop_oneof![
            body().prop_map(Packet::Open),
            Just(Packet::Close),
            body().prop_map(Packet::Ping),
            body().prop_map(Packet::Pong),
            body().prop_map(|text| Packet::Message(Message::Text(text))),
            prop::collection::vec(any::<u8>(), 0..20)
                .prop_map(|data| Packet::Message(Message::Binary(data.into()))),
            Just(Packet::Upgrade),
            Just(Packet::Noop),
        ];
        prop::collection::vec(packet, 1..10)
    }

    proptest! {
        #[test]
        fn packets_survive_a_payload(packets in packets()) {
            let mut body = BytesMut::new();
            encode_into(&packets, &mut body);
            prop_assert_eq!(decode(&body, packets.len()), packets.into_iter().map(Ok).collect::<Vec<_>>());
        }

        #[test]
        fn any_body_ends_within_its_limit(
            body in prop::collection::vec(prop_oneof![any::<u8>(), Just(SEPARATOR), Just(b'4')], 0..60),
            max_packets in 0_usize..8,
        ) {
            let outcomes = decode(&body, max_packets);
            prop_assert!(outcomes.iter().filter(|outcome| outcome.is_ok()).count() <= max_packets);
            let errors = outcomes.iter().filter(|outcome| outcome.is_err()).count();
            prop_assert!(errors == 0 || (errors == 1 && outcomes.last().is_some_and(Result::is_err)));
        }
    }
}

use crate::Text;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use bytes::{BufMut, Bytes, BytesMut};
use core::fmt;

/// What an application sends and receives: protocol section 1.1, type `4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text message.
    Text(Text),
    /// A binary message: a binary frame on WebSocket, base64 on polling.
    Binary(Bytes),
}

/// One Engine.IO packet (version 4), whatever carries it.
///
/// A packet made by [`Packet::decode_text`] shares the buffer of the text it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// The handshake, as JSON. Server to client.
    Open(Text),
    /// Ends the session.
    Close,
    /// Asks for a pong: empty from a server, `probe` from a client that tries a new transport.
    Ping(Text),
    /// Answers a ping with the same text.
    Pong(Text),
    /// Carries what the application said.
    Message(Message),
    /// Makes the new transport the session's only one. Client to server.
    Upgrade,
    /// Answers a pending poll with nothing. Server to client.
    Noop,
}

impl Message {
    /// The same message in a buffer of its own, so that it keeps no read buffer alive.
    pub fn detach(&self) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.detach()),
            Self::Binary(data) => Self::Binary(Bytes::copy_from_slice(data)),
        }
    }
}

/// Why a text is not a packet. The session ends with the reason `parse error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PacketError {
    /// There is no character at all, hence no type.
    Empty,
    /// The first character is neither `0` to `6` nor `b`.
    UnknownType,
}

/// The first character of a binary message in text form.
const BINARY: u8 = b'b';

/// Takes what every encoder writes at full speed; padding and the last digit's spare bits do not matter.
const FAST: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Packet {
    /// Reads the text form, which is a text frame on WebSocket and a part of a payload on polling
    /// (protocol section 1.1).
    ///
    /// `close`, `upgrade` and `noop` have no body; one that comes nevertheless is ignored. Base64 after `b`
    /// is read as leniently as Node.js does, so it never fails: characters of neither the standard nor the
    /// URL-safe alphabet are skipped, padding may lack, and `=` ends it (section 1.2).
    pub fn decode_text(text: Text) -> Result<Self, PacketError> {
        let Some(first) = text.as_bytes().first() else {
            return Err(PacketError::Empty);
        };
        let body = || text.slice(1..text.len()).unwrap_or_default();
        Ok(match first {
            b'0' => Self::Open(body()),
            b'1' => Self::Close,
            b'2' => Self::Ping(body()),
            b'3' => Self::Pong(body()),
            b'4' => Self::Message(Message::Text(body())),
            b'5' => Self::Upgrade,
            b'6' => Self::Noop,
            &BINARY => Self::Message(Message::Binary(decode_base64(
                text.as_bytes().get(1..).unwrap_or_default(),
            ))),
            _ => return Err(PacketError::UnknownType),
        })
    }

    /// Appends the text form to `out`; a binary message becomes `b` and base64. On a transport that
    /// carries binary, send the bytes of a binary message as they are instead.
    pub fn encode_into(&self, out: &mut BytesMut) {
        match self.text_form() {
            TextForm::Plain(kind, body) => {
                out.reserve(1 + body.len());
                out.put_u8(kind);
                out.put_slice(body);
            }
            TextForm::Base64(data) => {
                out.reserve(self.encoded_len());
                out.put_u8(BINARY);
                let start = out.len();
                out.resize(start + base64_len(data), 0);
                let written = STANDARD.encode_slice(data, out.get_mut(start..).unwrap_or_default());
                debug_assert_eq!(written, Ok(base64_len(data)));
            }
        }
    }

    /// The number of bytes that [`Packet::encode_into`] appends.
    pub fn encoded_len(&self) -> usize {
        1 + match self.text_form() {
            TextForm::Plain(_, body) => body.len(),
            TextForm::Base64(data) => base64_len(data),
        }
    }

    fn text_form(&self) -> TextForm<'_> {
        match self {
            Self::Open(handshake) => TextForm::Plain(b'0', handshake.as_bytes()),
            Self::Close => TextForm::Plain(b'1', &[]),
            Self::Ping(body) => TextForm::Plain(b'2', body.as_bytes()),
            Self::Pong(body) => TextForm::Plain(b'3', body.as_bytes()),
            Self::Message(Message::Text(text)) => TextForm::Plain(b'4', text.as_bytes()),
            Self::Message(Message::Binary(data)) => TextForm::Base64(data),
            Self::Upgrade => TextForm::Plain(b'5', &[]),
            Self::Noop => TextForm::Plain(b'6', &[]),
        }
    }
}

enum TextForm<'a> {
    /// Type and body.
    Plain(u8, &'a [u8]),
    /// What follows `b` once encoded.
    Base64(&'a [u8]),
}

impl fmt::Display for PacketError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "empty packet: the peer must send at least a packet type",
            Self::UnknownType => "unknown packet type: the peer must begin a packet with 0 to 6 or b",
        })
    }
}

impl core::error::Error for PacketError {}

fn base64_len(data: &[u8]) -> usize {
    data.len().div_ceil(3).saturating_mul(4)
}

fn decode_base64(encoded: &[u8]) -> Bytes {
    FAST.decode(encoded)
        .unwrap_or_else(|_| decode_base64_leniently(encoded))
        .into()
}

/// Node.js' rule, character by character.
fn decode_base64_leniently(encoded: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(encoded.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for digit in encoded
        .iter()
        .take_while(|character| **character != b'=')
        .filter_map(|c| base64_digit(*c))
    {
        bits = (bits << 6) | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            data.push((bits >> count) as u8);
        }
    }
    data
}

fn base64_digit(character: u8) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(text: &str) -> Result<Packet, PacketError> {
        Packet::decode_text(Text::from(text))
    }

    fn encode(packet: &Packet) -> BytesMut {
        let mut out = BytesMut::new();
        packet.encode_into(&mut out);
        assert_eq!(out.len(), packet.encoded_len());
        out
    }

    fn binary(data: &[u8]) -> Packet {
        Packet::Message(Message::Binary(Bytes::copy_from_slice(data)))
    }

    #[test]
    fn every_type_has_its_text_form() {
        for (text, packet) in [
            ("0{\"sid\":\"x\"}", Packet::Open("{\"sid\":\"x\"}".into())),
            ("1", Packet::Close),
            ("2", Packet::Ping(Text::default())),
            ("2probe", Packet::Ping("probe".into())),
            ("3", Packet::Pong(Text::default())),
            ("3probe", Packet::Pong("probe".into())),
            ("4", Packet::Message(Message::Text(Text::default()))),
            (
                "4h\u{e9}llo \u{1f600}",
                Packet::Message(Message::Text("h\u{e9}llo \u{1f600}".into())),
            ),
            ("5", Packet::Upgrade),
            ("6", Packet::Noop),
            ("b", binary(b"")),
            ("bAQIDBA==", binary(&[1, 2, 3, 4])),
        ] {
            assert_eq!(decode(text).as_ref(), Ok(&packet), "{text}");
            assert_eq!(encode(&packet), text.as_bytes());
        }
    }

    #[test]
    fn what_has_no_known_type_is_an_error() {
        assert_eq!(decode(""), Err(PacketError::Empty));
        for text in ["7", "9abc", "a", "B", " 4", "\u{e9}", "\u{1e}", "{}"] {
            assert_eq!(decode(text), Err(PacketError::UnknownType), "{text}");
        }
    }

    #[test]
    fn a_body_where_none_belongs_is_ignored() {
        assert_eq!(decode("1x"), Ok(Packet::Close));
        assert_eq!(decode("5x"), Ok(Packet::Upgrade));
        assert_eq!(decode("6x"), Ok(Packet::Noop));
    }

    #[test]
    fn base64_is_read_as_node_reads_it() {
        for (text, data) in [
            ("b!!AQ", &[1][..]),
            ("bAQ", &[1]),
            ("bAQ=", &[1]),
            ("bAR==", &[1]),
            ("bA", &[]),
            ("bA Q\n==", &[1]),
            ("bAQ==AQ==", &[1]),
            ("bAQ=x", &[1]),
            ("b=bad", &[]),
            ("bA_-/", &[0x03, 0xff, 0xbf]),
            ("bAQID\u{e9}BA", &[1, 2, 3, 4]),
        ] {
            assert_eq!(decode(text), Ok(binary(data)), "{text}");
        }
    }

    #[test]
    fn a_message_shares_the_buffer_of_its_text() {
        let text = Text::from("4hello");
        let start = text.as_bytes().as_ptr();
        let Ok(Packet::Message(Message::Text(body))) = Packet::decode_text(text) else {
            panic!("a text message");
        };
        assert_eq!(body.as_bytes().as_ptr(), start.wrapping_add(1));
    }

    proptest! {
        #[test]
        fn binary_survives_the_text_form(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let packet = binary(&data);
            let text = Text::from_utf8(encode(&packet).freeze()).unwrap();
            prop_assert_eq!(Packet::decode_text(text), Ok(packet));
        }

        #[test]
        fn fast_and_lenient_base64_agree(encoded in "[A-Za-z0-9+/]{0,40}={0,3}") {
            prop_assert_eq!(decode_base64(encoded.as_bytes()), decode_base64_leniently(encoded.as_bytes()));
        }

        #[test]
        fn any_text_is_a_packet_or_a_named_error(text in any::<String>()) {
            let known = text.chars().next().map(|first| "0123456b".contains(first));
            let expected = match known {
                None => Some(PacketError::Empty),
                Some(false) => Some(PacketError::UnknownType),
                Some(true) => None,
            };
            prop_assert_eq!(decode(&text).err(), expected);
        }
    }
}

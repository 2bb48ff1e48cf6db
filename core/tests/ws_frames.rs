//! Frames against any segmentation and against tungstenite, an independent implementation.
//!
//! `socketio_fuzzing::ws_oracle_for` says where the two differ on purpose.

use proptest::prelude::*;
use proptest::sample::Index;
use socketio_core::ws::{
    CloseCode, Fin, Message, OpCode, Role, accept_key, mask, parse_server_header, write_header,
};
use socketio_fuzzing::{Ending, ours, ws_oracle_for};

const MAX_MESSAGE: usize = 300;

proptest! {
    #[test]
    fn messages_survive_encoding_and_any_fragmentation(stream in valid_stream()) {
        let (messages, error) = ours(stream.role, MAX_MESSAGE, [stream.bytes.as_slice()]);
        prop_assert_eq!(error, None);
        prop_assert_eq!(messages, stream.messages);
    }

    #[test]
    fn any_segmentation_gives_the_same_outcome(
        (role, bytes) in damaged_stream(),
        cuts in prop::collection::vec(any::<Index>(), 0..12),
    ) {
        let whole = ours(role, MAX_MESSAGE, [bytes.as_slice()]);
        prop_assert_eq!(&ours(role, MAX_MESSAGE, bytes.chunks(1)), &whole);
        prop_assert_eq!(&ours(role, MAX_MESSAGE, cut(&bytes, &cuts)), &whole);
    }

    #[test]
    fn whole_frames_agree_with_tungstenite((role, bytes) in whole_frames()) {
        ws_oracle_for(role, &bytes, Ending::WholeFrame);
    }

    #[test]
    fn damaged_streams_agree_with_tungstenite((role, bytes) in damaged_stream()) {
        ws_oracle_for(role, &bytes, Ending::Anywhere);
    }

    #[test]
    fn heads_of_a_server_are_read_back(payload_len: u64, shift in 1_u32..64) {
        let payload_len = (payload_len >> shift) as usize;
        let head = write_header(OpCode::Binary, Fin::Final, payload_len, None);
        prop_assert_eq!(parse_server_header(head.as_ref()), Some((OpCode::Binary, head.len(), payload_len)));
    }

    #[test]
    fn accept_keys_agree_with_tungstenite(key in prop::collection::vec(any::<u8>(), 0..40)) {
        let expected = tungstenite::handshake::derive_accept_key(&key);
        prop_assert_eq!(&accept_key(&key)[..], expected.as_bytes());
    }
}

fn cut<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut positions: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    positions.sort_unstable();
    positions.push(bytes.len());
    let mut start = 0;
    let piece = |end| {
        bytes
            .get(std::mem::replace(&mut start, end)..end)
            .unwrap_or_default()
    };
    positions.into_iter().map(piece).collect()
}

/// A frame as it is generated: anything a head can say.
#[derive(Clone, Debug)]
struct Frame {
    first: u8,
    payload: Vec<u8>,
    key: Option<[u8; 4]>,
    length: LengthForm,
}

#[derive(Clone, Copy, Debug)]
enum LengthForm {
    Shortest,
    Longest,
}

impl Frame {
    fn new(opcode: OpCode, fin: Fin, payload: &[u8], key: Option<[u8; 4]>) -> Self {
        let first = write_header(opcode, fin, 0, None).as_ref()[0];
        Self {
            first,
            payload: payload.to_vec(),
            key,
            length: LengthForm::Shortest,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        match self.length {
            LengthForm::Shortest => {
                let head = write_header(OpCode::Binary, Fin::Final, self.payload.len(), self.key);
                out.extend_from_slice(head.as_ref());
            }
            LengthForm::Longest => {
                out.extend([0, 127 | if self.key.is_some() { 0x80 } else { 0 }]);
                out.extend((self.payload.len() as u64).to_be_bytes());
                out.extend(self.key.iter().flatten());
            }
        }
        out[start] = self.first;
        let start = out.len();
        out.extend_from_slice(&self.payload);
        mask(&mut out[start..], self.key.unwrap_or_default(), 0);
    }
}

/// Bytes of a peer that keeps the rules, and the messages they carry.
#[derive(Clone, Debug)]
struct Stream {
    role: Role,
    bytes: Vec<u8>,
    messages: Vec<Message>,
}

/// A message, where to cut it into fragments, and a ping to put after the first of them.
type Script = (Message, Vec<Index>, Option<u8>);

fn valid_stream() -> impl Strategy<Value = Stream> {
    let role = prop_oneof![Just(Role::Server), Just(Role::Client)];
    let script = (
        message(),
        prop::collection::vec(any::<Index>(), 0..3),
        any::<Option<u8>>(),
    );
    let scripts = prop::collection::vec(script, 0..6);
    let close = prop_oneof![3 => Just(None), 1 => close().prop_map(Some)];
    (role, scripts, close, any::<[u8; 4]>()).prop_map(|(role, scripts, close, key)| {
        let key = (role == Role::Server).then_some(key);
        let mut stream = Stream {
            role,
            bytes: Vec::new(),
            messages: Vec::new(),
        };
        let close = close.map(|close| (close, Vec::new(), None));
        for script in scripts.into_iter().chain(close) {
            write_message(&mut stream, script, key);
        }
        stream
    })
}

fn message() -> impl Strategy<Value = Message> {
    let short = || prop::collection::vec(any::<u8>(), 0..=125);
    prop_oneof![
        4 => ".{0,60}".prop_map(|text| Message::Text(text.into())),
        4 => prop::collection::vec(any::<u8>(), 0..=MAX_MESSAGE).prop_map(|data| Message::Binary(data.into())),
        1 => short().prop_map(|data| Message::Ping(data.into())),
        1 => short().prop_map(|data| Message::Pong(data.into())),
    ]
}

fn close() -> impl Strategy<Value = Message> {
    let code = prop_oneof![1000_u16..=1003, 1007_u16..=1014, 3000_u16..=4999];
    let with_code = (code, "[a-z\u{e9}]{0,40}")
        .prop_map(|(code, reason)| Message::Close(Some(CloseCode::new(code)), reason.into()));
    prop_oneof![Just(Message::Close(None, "".into())), with_code]
}

fn write_message(stream: &mut Stream, (message, cuts, ping): Script, key: Option<[u8; 4]>) {
    let (opcode, payload) = match &message {
        Message::Text(text) => (OpCode::Text, text.as_bytes().to_vec()),
        Message::Binary(data) => (OpCode::Binary, data.to_vec()),
        Message::Ping(data) => (OpCode::Ping, data.to_vec()),
        Message::Pong(data) => (OpCode::Pong, data.to_vec()),
        Message::Close(None, _) => (OpCode::Close, Vec::new()),
        Message::Close(Some(code), reason) => (
            OpCode::Close,
            [&code.get().to_be_bytes()[..], reason.as_bytes()].concat(),
        ),
    };
    let pieces = if opcode.is_control() {
        vec![payload.as_slice()]
    } else {
        cut(&payload, &cuts)
    };
    for (position, piece) in pieces.iter().enumerate() {
        let opcode = if position == 0 {
            opcode
        } else {
            OpCode::Continuation
        };
        let fin = if position + 1 == pieces.len() {
            Fin::Final
        } else {
            Fin::More
        };
        Frame::new(opcode, fin, piece, key).write(&mut stream.bytes);
        if let (0, Fin::More, Some(ping)) = (position, fin, ping) {
            Frame::new(OpCode::Ping, Fin::Final, &[ping], key).write(&mut stream.bytes);
            stream.messages.push(Message::Ping(vec![ping].into()));
        }
    }
    stream.messages.push(message);
}

/// A valid stream followed by frames of which any may break any rule.
fn whole_frames() -> impl Strategy<Value = (Role, Vec<u8>)> {
    let wrongly_masked = prop::bool::weighted(0.05);
    let frames = prop::collection::vec((frame(), wrongly_masked), 0..5);
    (valid_stream(), frames).prop_map(|(mut stream, frames)| {
        for (mut frame, wrongly_masked) in frames {
            let masks = (stream.role == Role::Server) != wrongly_masked;
            frame.key = frame.key.filter(|_| masks);
            frame.write(&mut stream.bytes);
        }
        (stream.role, stream.bytes)
    })
}

fn frame() -> impl Strategy<Value = Frame> {
    let known = prop::sample::select(vec![0x80_u8, 0, 0x81, 1, 0x82, 2, 0x88, 0x89, 0x8a, 8, 9]);
    let first = prop_oneof![8 => known, 1 => any::<u8>()];
    let close = (990_u16..1020, "[a-z]{0,9}")
        .prop_map(|(code, reason)| [&code.to_be_bytes()[..], reason.as_bytes()].concat());
    let payload = prop_oneof![
        4 => ".{0,20}".prop_map(String::into_bytes),
        2 => prop::collection::vec(any::<u8>(), 0..130),
        1 => (any::<u8>(), 0..=MAX_MESSAGE + 2).prop_map(|(byte, len)| vec![byte; len]),
        2 => close,
    ];
    let length = prop_oneof![9 => Just(LengthForm::Shortest), 1 => Just(LengthForm::Longest)];
    (first, payload, any::<[u8; 4]>(), length).prop_map(|(first, payload, key, length)| Frame {
        first,
        payload,
        key: Some(key),
        length,
    })
}

/// Whole frames with some bytes changed and perhaps the end missing.
fn damaged_stream() -> impl Strategy<Value = (Role, Vec<u8>)> {
    let changes = prop::collection::vec((any::<Index>(), any::<u8>()), 0..3);
    (whole_frames(), changes, prop::option::of(any::<Index>())).prop_map(
        |((role, mut bytes), changes, end)| {
            for (position, byte) in changes {
                if !bytes.is_empty() {
                    let position = position.index(bytes.len());
                    bytes[position] = byte;
                }
            }
            if let Some(end) = end {
                bytes.truncate(end.index(bytes.len() + 1));
            }
            (role, bytes)
        },
    )
}

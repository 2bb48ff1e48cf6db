//! WebSocket frames in any pieces, and back.

use crate::pieces::Pieces;
use crate::script::Script;
use crate::ws_oracle::ours;
use socketio_core::ws::{CloseCode, Fin, Message, OpCode, Role, mask, write_header};

const MAX_MESSAGE: usize = 300;

/// The first byte chooses the end that reads, the second how the third reading is cut: the same messages and the
/// same error each time, within bounds of memory; and what was read can be written and read again.
pub fn ws_frames(data: &[u8]) {
    let mut script = Script::new(data);
    let role = script.role();
    let cut = script.byte();
    let stream = script.rest();
    let [whole, bytes, cut] = Pieces::all(cut).map(|pieces| ours(role, MAX_MESSAGE, pieces.of(stream)));
    assert_eq!(whole, bytes);
    assert_eq!(whole, cut);

    let (messages, _) = whole;
    let written: Vec<u8> = messages.iter().flat_map(|message| write(message, role)).collect();
    assert_eq!(ours(role, MAX_MESSAGE, [written.as_slice()]), (messages, None));
}

/// A message as one frame of the other end.
fn write(message: &Message, reader: Role) -> Vec<u8> {
    let (opcode, payload) = match message {
        Message::Text(text) => (OpCode::Text, text.as_bytes().to_vec()),
        Message::Binary(data) => (OpCode::Binary, data.to_vec()),
        Message::Ping(data) => (OpCode::Ping, data.to_vec()),
        Message::Pong(data) => (OpCode::Pong, data.to_vec()),
        Message::Close(code, reason) => (OpCode::Close, close_payload(*code, reason.as_bytes())),
    };
    frame(opcode, &payload, reader)
}

fn close_payload(code: Option<CloseCode>, reason: &[u8]) -> Vec<u8> {
    let code = code.map(|code| code.get().to_be_bytes());
    [code.as_ref().map_or(&[][..], |code| &code[..]), reason].concat()
}

/// One whole frame for the end `reader`, masked if that is a server.
pub(crate) fn frame(opcode: OpCode, payload: &[u8], reader: Role) -> Vec<u8> {
    let key = match reader {
        Role::Server => Some([0x12, 0x34, 0x56, 0x78]),
        Role::Client => None,
    };
    let [first, ..] = write_header(opcode, Fin::Final, 0, None).as_ref()[..] else {
        unreachable!("a header has two bytes");
    };
    // Peers send control frames of any length; the header's writer does not.
    let mut frame = write_header(OpCode::Binary, Fin::Final, payload.len(), key)
        .as_ref()
        .to_vec();
    frame[0] = first;
    let start = frame.len();
    frame.extend_from_slice(payload);
    mask(
        frame.get_mut(start..).unwrap_or_default(),
        key.unwrap_or_default(),
        0,
    );
    frame
}

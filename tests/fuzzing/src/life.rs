//! What lives of servers and clients have in common.

use crate::pieces::Pieces;
use crate::script::Script;
use bytes::Bytes;
use core::fmt::Debug;
use socketio_core::sio::{Encoded, Encoder, RawArguments};

/// Steps that every input stays below; more means that something never comes to rest.
pub(crate) const MOVES: usize = 1_000_000;

/// Whether `handle_timeout` is called without need.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timers {
    WhenDue,
    Always,
}

/// Lives the same life in several ways, which must change nothing; `cut` decides about the last of them.
pub(crate) fn assert_same<T: Debug + PartialEq>(cut: u8, live: impl Fn(Pieces, Timers) -> T) {
    let calm = live(Pieces::Whole, Timers::WhenDue);
    assert_eq!(live(Pieces::Bytes, Timers::WhenDue), calm);
    assert_eq!(live(Pieces::Cut(cut), Timers::Always), calm);
}

/// An event whose size and number of attachments an input decides.
pub(crate) fn event(encoder: &mut Encoder, namespace: &str, script: &mut Script<'_>) -> Encoded {
    let size = usize::from(script.byte()) * 4;
    let attachments: Vec<Bytes> = (0..script.byte() % 3)
        .map(|_| Bytes::from(vec![1; size]))
        .collect();
    let text = format!("\"{}\"", "x".repeat(size));
    let arguments = RawArguments {
        text: text.as_bytes(),
        attachments: &attachments,
    };
    encoder.event(namespace, "e", &arguments).expect("a packet")
}

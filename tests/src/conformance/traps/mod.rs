//! The traps of protocol section 8 that concern a server, named after their numbers.

mod engine;
mod http;
mod message;
mod socket;

pub(crate) use engine::*;
pub(crate) use http::*;
pub(crate) use message::*;
pub(crate) use socket::*;

use crate::kit::socketio::join_main;
use crate::kit::{Close, Incoming};
use crate::testbed::Target;

/// The session ends, with a close frame without a code, after these packets.
#[track_caller]
fn closes_upon(target: &Target, packets: &[&str]) {
    let (mut socket, _) = join_main(target);
    for packet in packets {
        socket.send(packet);
    }
    assert_eq!(
        socket.next_message(),
        Incoming::Closed(Close::Frame(None)),
        "after {packets:?}"
    );
}

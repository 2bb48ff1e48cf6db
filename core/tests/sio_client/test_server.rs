//! What both kinds of server have in common as the other end of a connection.

use socketio_core::eio::{self, Peer};
use socketio_core::sio::{self, ConnId, SocketIo};
use socketio_core::wire::{Codec, Item, Plain, Wire};
use std::time::Instant;

/// A server: one of Socket.IO, or one of Engine.IO whose packets of Socket.IO the test writes.
pub(crate) trait TestServer {
    type Codec: Codec;
    type Event;

    fn wire(&self) -> Wire<Self::Codec>;
    fn open(&mut self, now: Instant) -> ConnId;
    fn handle_item(&mut self, now: Instant, id: ConnId, item: Item<<Self::Codec as Codec>::Message>);
    fn handle_lost(&mut self, now: Instant, id: ConnId);
    fn handle_timeout(&mut self, now: Instant);
    fn poll_timeout(&self) -> Option<Instant>;
    fn poll_ready(&mut self) -> Option<ConnId>;
    fn poll_transmit(&mut self, id: ConnId, wire: &mut Wire<Self::Codec>);
}

macro_rules! test_server {
    ($server:ty, $codec:ty, $event:ty) => {
        impl TestServer for $server {
            type Codec = $codec;
            type Event = $event;

            fn wire(&self) -> Wire<$codec> {
                <$server>::wire(self)
            }
            fn open(&mut self, now: Instant) -> ConnId {
                <$server>::open(self, now, Peer::Unknown)
            }
            fn handle_item(&mut self, now: Instant, id: ConnId, item: Item<<$codec as Codec>::Message>) {
                <$server>::handle_item(self, now, id, item);
            }
            fn handle_lost(&mut self, now: Instant, id: ConnId) {
                <$server>::handle_lost(self, now, id);
            }
            fn handle_timeout(&mut self, now: Instant) {
                <$server>::handle_timeout(self, now);
            }
            fn poll_timeout(&self) -> Option<Instant> {
                <$server>::poll_timeout(self)
            }
            fn poll_ready(&mut self) -> Option<ConnId> {
                <$server>::poll_ready(self)
            }
            fn poll_transmit(&mut self, id: ConnId, wire: &mut Wire<$codec>) {
                <$server>::poll_transmit(self, id, wire);
            }
        }
    };
}

test_server!(sio::Server, SocketIo, sio::Event);
test_server!(eio::Server, Plain, eio::Event);

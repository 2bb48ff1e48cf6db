//! One connection between the two.

use crate::pieces::Pieces;
use bytes::BytesMut;
use socketio_core::OutBuf;
use socketio_core::sio::client::Client;
use socketio_core::sio::{ConnId, Server, SocketIo};
use socketio_core::wire::{ClientWire, Flow, Wire};
use std::time::Instant;

pub(super) struct Connection {
    /// Its handle in the client.
    pub(super) client_id: ConnId,
    /// Its handle in the server.
    pub(super) server_id: ConnId,
    pub(super) client_wire: ClientWire<SocketIo>,
    pub(super) server_wire: Wire<SocketIo>,
    client_output: OutBuf,
    server_output: OutBuf,
    client_flow: Flow,
    server_flow: Flow,
    pieces: Pieces,
}

impl Connection {
    pub(super) fn new(
        client_id: ConnId,
        server_id: ConnId,
        (client_wire, server_wire): (ClientWire<SocketIo>, Wire<SocketIo>),
        pieces: Pieces,
    ) -> Self {
        Self {
            client_id,
            server_id,
            client_wire,
            server_wire,
            client_output: OutBuf::new(),
            server_output: OutBuf::new(),
            client_flow: Flow::Open,
            server_flow: Flow::Open,
            pieces,
        }
    }

    /// Whether either end closes the connection.
    pub(super) fn is_over(&self) -> bool {
        [self.client_flow, self.server_flow].contains(&Flow::Closing)
    }

    /// Moves what stands in either output to the other end; whether anything moved.
    pub(super) fn move_bytes(&mut self, now: Instant, client: &mut Client, server: &mut Server) -> bool {
        let mut has_moved = self.take_client_items(now, client) | self.take_server_items(now, server);
        self.client_flow = self.client_wire.poll_output(&mut self.client_output);
        for piece in self.pieces.of(&drain(&mut self.client_output)) {
            has_moved = true;
            self.server_wire.handle_input(&mut BytesMut::from(piece));
            self.take_server_items(now, server);
        }
        self.client_flow = self.client_wire.poll_output(&mut self.client_output);
        client.poll_transmit(self.client_id, &mut self.client_wire);
        self.server_flow = self.server_wire.poll_output(&mut self.server_output);
        for piece in self.pieces.of(&drain(&mut self.server_output)) {
            has_moved = true;
            self.client_wire.handle_input(&mut BytesMut::from(piece));
            self.take_client_items(now, client);
        }
        self.server_flow = self.server_wire.poll_output(&mut self.server_output);
        server.poll_transmit(self.server_id, &mut self.server_wire);
        has_moved
    }

    fn take_client_items(&mut self, now: Instant, client: &mut Client) -> bool {
        let mut has_moved = false;
        client.poll_transmit(self.client_id, &mut self.client_wire);
        while let Some(item) = self.client_wire.poll_item() {
            has_moved = true;
            client.handle_item(now, self.client_id, item);
            client.poll_transmit(self.client_id, &mut self.client_wire);
        }
        has_moved
    }

    fn take_server_items(&mut self, now: Instant, server: &mut Server) -> bool {
        let mut has_moved = false;
        server.poll_transmit(self.server_id, &mut self.server_wire);
        while let Some(item) = self.server_wire.poll_item() {
            has_moved = true;
            server.handle_item(now, self.server_id, item);
            server.poll_transmit(self.server_id, &mut self.server_wire);
        }
        has_moved
    }
}

/// The whole of an output.
fn drain(output: &mut OutBuf) -> Vec<u8> {
    let mut bytes = Vec::new();
    output.take(usize::MAX, |piece| bytes.extend_from_slice(piece));
    bytes
}

//! One connection between the two.

use crate::pieces::Pieces;
use bytes::BytesMut;
use socketio_core::OutBuf;
use socketio_core::sio::client::Client;
use socketio_core::sio::{ConnId, Server, SocketIo};
use socketio_core::wire::{ClientWire, Flow, Wire};
use std::time::Instant;

pub(super) struct Link {
    pub(super) near: ConnId,
    pub(super) far: ConnId,
    pub(super) near_wire: ClientWire<SocketIo>,
    pub(super) far_wire: Wire<SocketIo>,
    near_out: OutBuf,
    far_out: OutBuf,
    flows: [Flow; 2],
    pieces: Pieces,
}

impl Link {
    pub(super) fn new(
        near: ConnId,
        far: ConnId,
        (near_wire, far_wire): (ClientWire<SocketIo>, Wire<SocketIo>),
        pieces: Pieces,
    ) -> Self {
        Self {
            near,
            far,
            near_wire,
            far_wire,
            near_out: OutBuf::new(),
            far_out: OutBuf::new(),
            flows: [Flow::Open; 2],
            pieces,
        }
    }

    /// Whether either end closes the connection.
    pub(super) fn is_over(&self) -> bool {
        self.flows.contains(&Flow::Closing)
    }

    /// Moves what stands in either output to the other end; whether anything moved.
    pub(super) fn move_bytes(&mut self, now: Instant, client: &mut Client, server: &mut Server) -> bool {
        let mut moved = self.take_near(now, client) | self.take_far(now, server);
        self.flows[0] = self.near_wire.poll_output(&mut self.near_out);
        for piece in self.pieces.of(&drain(&mut self.near_out)) {
            moved = true;
            self.far_wire.handle_input(&mut BytesMut::from(piece));
            self.take_far(now, server);
        }
        self.flows[0] = self.near_wire.poll_output(&mut self.near_out);
        client.poll_transmit(self.near, &mut self.near_wire);
        self.flows[1] = self.far_wire.poll_output(&mut self.far_out);
        for piece in self.pieces.of(&drain(&mut self.far_out)) {
            moved = true;
            self.near_wire.handle_input(&mut BytesMut::from(piece));
            self.take_near(now, client);
        }
        self.flows[1] = self.far_wire.poll_output(&mut self.far_out);
        server.poll_transmit(self.far, &mut self.far_wire);
        moved
    }

    fn take_near(&mut self, now: Instant, client: &mut Client) -> bool {
        let mut moved = false;
        client.poll_transmit(self.near, &mut self.near_wire);
        while let Some(item) = self.near_wire.poll_item() {
            moved = true;
            client.handle_item(now, self.near, item);
            client.poll_transmit(self.near, &mut self.near_wire);
        }
        moved
    }

    fn take_far(&mut self, now: Instant, server: &mut Server) -> bool {
        let mut moved = false;
        server.poll_transmit(self.far, &mut self.far_wire);
        while let Some(item) = self.far_wire.poll_item() {
            moved = true;
            server.handle_item(now, self.far, item);
            server.poll_transmit(self.far, &mut self.far_wire);
        }
        moved
    }
}

/// The whole of an output.
fn drain(output: &mut OutBuf) -> Vec<u8> {
    let mut bytes = Vec::new();
    output.take(usize::MAX, |piece| bytes.extend_from_slice(piece));
    bytes
}

//! A message over WebSocket costs a client no allocation in the steady state.

use allocation_counter::{AllocationInfo, measure};
use bytes::{Bytes, BytesMut};
use socketio_core::OutBuf;
use socketio_core::eio::client::{Client, Config, Event, Security, Target, TransportOrder};
use socketio_core::eio::{ConnId, Delivery, Message};
use socketio_core::http::Headers;
use socketio_core::wire::{ClientWire, Plain};
use std::time::Instant;
use websocket_handshake::accept;

mod websocket_handshake;

struct Session {
    client: Client,
    connection: ConnId,
    wire: ClientWire<Plain>,
    input: BytesMut,
    output: OutBuf,
    now: Instant,
}

impl Session {
    fn open() -> Self {
        let mut config = Config::default();
        config.transports = TransportOrder::WebSocket;
        #[allow(clippy::disallowed_methods)] // The one reading of the clock.
        let now = Instant::now();
        let mut client = Client::new(config, [1; 32], now);
        let target = Target {
            authority: "a".to_owned(),
            security: Security::Plain,
            query: Vec::new(),
            headers: Headers::new(),
        };
        assert!(client.connect(now, target));
        let connection = client.poll_dial().expect("a dial").connection;
        assert!(client.handle_open(now, connection));
        let wire = client.wire();
        let mut session = Self {
            client,
            connection,
            wire,
            input: BytesMut::with_capacity(4_096),
            output: OutBuf::new(),
            now,
        };
        let request = session.written();
        session.read(&accept(&request));
        assert!(matches!(session.client.poll_event(), Some(Event::Opened { .. })));
        session
    }

    fn written(&mut self) -> Vec<u8> {
        self.write();
        let mut bytes = Vec::new();
        let count = self.output.len();
        self.output.take(count, |piece| bytes.extend_from_slice(piece));
        bytes
    }

    fn write(&mut self) {
        while let Some(connection) = self.client.poll_ready() {
            self.client.poll_transmit(connection, &mut self.wire);
        }
        let _ = self.wire.poll_output(&mut self.output);
    }

    fn read(&mut self, bytes: &[u8]) {
        self.input.reserve(bytes.len());
        self.input.extend_from_slice(bytes);
        self.wire.handle_input(&mut self.input);
        while let Some(item) = self.wire.poll_item() {
            self.client.handle_item(self.now, self.connection, item);
        }
    }

    /// A message each way, a ping and its pong.
    fn round(&mut self, message: &Message) {
        for _ in 0..3 {
            self.client
                .send(self.now, message, Delivery::Reliable)
                .expect("an open session");
        }
        self.write();
        assert!(self.output.len() > 20);
        self.output.advance(usize::MAX);
        // A driver gives its buffer back when a connection rests.
        if let Some(spare) = self.output.take_spare() {
            self.client.recycle(spare);
        }
        let _ = self.wire.poll_output(&mut self.output);
        self.client.poll_transmit(self.connection, &mut self.wire);
        self.read(b"\x81\x04\x34abc\x81\x01\x32");
        while let Some(event) = self.client.poll_event() {
            assert!(matches!(event, Event::Message(_)));
        }
        assert!(self.client.poll_timeout().is_some());
    }
}

#[test]
fn messages_over_websocket_allocate_nothing_once_warm() {
    let mut session = Session::open();
    let text = Message::Text("hello".into());
    let binary = Message::Binary(Bytes::from(vec![7; 300]));
    let mut rounds = |count: usize| {
        let AllocationInfo { count_total, .. } = measure(|| {
            for _ in 0..count {
                session.round(&text);
                session.round(&binary);
            }
        });
        count_total
    };
    assert!(rounds(10) > 0, "the counter counts");
    assert_eq!(rounds(1_000), 0);
}

//! What peers can do without end costs no memory: unsolicited pongs to a server, pings to a client, and to both
//! acknowledgements that come long before their deadlines.

use allocation_counter::measure;
use bytes::BytesMut;
use socketio_core::OutBuf;
use socketio_core::sio::client;
use socketio_core::sio::{Config, ConnId, Delivery, Encoder, Event, Peer, Server, SocketId, SocketIo};
use socketio_core::wire::Wire;
use std::time::{Duration, Instant};
use websocket_client::WebSocketClient;
use websocket_handshake::frame;

mod websocket_client;
mod websocket_handshake;

const MILLION: u64 = 1_000_000;

/// So many at a time.
const BATCH: u64 = 100;

/// More than any batch needs at once, and less than a byte for each of a million.
const FLAT: u64 = 256 * 1024;

/// A server, and one client on a WebSocket that is in `/`.
struct Session {
    server: Server,
    encoder: Encoder,
    connection: ConnId,
    wire: Wire<SocketIo>,
    output: OutBuf,
    now: Instant,
    socket: Option<SocketId>,
    acked: u64,
}

/// A masked text frame, with a mask of zeros.
fn masked_frame(text: &str) -> Vec<u8> {
    [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0], text.as_bytes()].concat()
}

impl Session {
    fn joined() -> Self {
        #[allow(clippy::disallowed_methods)] // The one reading of the clock.
        let now = Instant::now();
        let mut server = Server::new(Config::default(), [7; 32], now);
        server.add_namespace("/").unwrap();
        let connection = server.open(now, Peer::Unknown);
        let wire = server.wire();
        let mut session = Self {
            server,
            encoder: Encoder::new(),
            connection,
            wire,
            output: OutBuf::new(),
            now,
            socket: None,
            acked: 0,
        };
        session.read(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
              Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        );
        session.read(&masked_frame("40"));
        assert!(session.server.is_connected(session.socket.unwrap()));
        session
    }

    fn read(&mut self, bytes: &[u8]) {
        self.wire.handle_input(&mut BytesMut::from(bytes));
        while let Some(item) = self.wire.poll_item() {
            self.server.handle_item(self.now, self.connection, item);
            self.server.poll_transmit(self.connection, &mut self.wire);
        }
        self.poll_events();
        self.write();
    }

    fn poll_events(&mut self) {
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Connect { socket, .. } => {
                    assert!(self.server.accept(self.now, socket));
                    self.socket = Some(socket);
                }
                Event::Acked { outcome, .. } => {
                    assert!(outcome.is_ok());
                    self.acked += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn write(&mut self) {
        while self.server.poll_ready().is_some() {}
        self.server.poll_transmit(self.connection, &mut self.wire);
        let _ = self.wire.poll_output(&mut self.output);
        self.output.advance(usize::MAX);
        let _ = self.wire.poll_output(&mut self.output);
    }
}

/// A client, and how many acknowledgements it has got.
struct AckCounter {
    joined: WebSocketClient,
    acked: u64,
}

impl AckCounter {
    fn new() -> Self {
        Self {
            joined: WebSocketClient::joined(),
            acked: 0,
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        self.joined.read(bytes);
        while let Some(event) = self.joined.client.poll_event() {
            if let client::Event::Acked { outcome, .. } = event {
                assert!(outcome.is_ok());
                self.acked += 1;
            }
        }
        self.joined.write();
    }
}

/// The acknowledgements number `batch * BATCH` and following, `BATCH` of them, as `frame` makes them.
fn acknowledgements(batch: u64, frame: fn(&str) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in batch * BATCH..(batch + 1) * BATCH {
        bytes.extend_from_slice(&frame(&format!("43{number}[]")));
    }
    bytes
}

/// Runs what must need little memory at any time, and leave none behind.
fn assert_memory_stays_flat(run: impl FnOnce()) {
    let used = measure(run);
    assert!(used.bytes_max < FLAT, "{} bytes", used.bytes_max);
    assert!(
        used.bytes_current.unsigned_abs() < 4_096,
        "{} bytes stay",
        used.bytes_current
    );
}

#[test]
fn a_million_unsolicited_pongs_leave_memory_flat() {
    let mut session = Session::joined();
    let batch = masked_frame("3").repeat(BATCH as usize);
    session.read(&batch);
    assert_memory_stays_flat(|| {
        for _ in 0..MILLION / BATCH {
            // Each re-arms the heartbeat.
            session.now += Duration::from_millis(1);
            session.read(&batch);
        }
    });
    assert!(session.server.is_connected(session.socket.unwrap()));
}

#[test]
fn a_million_acknowledgements_with_an_hour_to_go_leave_memory_flat() {
    let mut session = Session::joined();
    let socket = session.socket.unwrap();
    let packet = session.encoder.event("/", "e", &()).unwrap();
    let hour = session.now + Duration::from_secs(3_600);
    let emit = |session: &mut Session, batch: u64| {
        for _ in 0..BATCH {
            let emitted = session.server.emit_with_ack(session.now, socket, &packet, hour);
            assert!(emitted.is_ok());
        }
        session.write();
        session.read(&acknowledgements(batch, masked_frame));
    };
    (0..10).for_each(|batch| emit(&mut session, batch));
    assert_memory_stays_flat(|| (10..MILLION / BATCH).for_each(|batch| emit(&mut session, batch)));
    assert_eq!(session.acked, MILLION);
    assert_eq!(session.server.counts().acks, 0);
    let emitted = session
        .server
        .emit(session.now, socket, &packet, Delivery::Reliable);
    assert_eq!(emitted, Ok(()));
}

#[test]
fn a_million_pings_leave_the_memory_of_a_client_flat() {
    let mut session = AckCounter::new();
    let batch = frame("2").repeat(BATCH as usize);
    session.read(&batch);
    assert_memory_stays_flat(|| {
        for _ in 0..MILLION / BATCH {
            // Each re-arms the deadline of the next.
            session.joined.now += Duration::from_millis(1);
            session.read(&batch);
        }
    });
    let WebSocketClient { client, main, .. } = session.joined;
    assert!(client.is_joined(main));
    assert_eq!(client.queued_bytes(), 0);
}

#[test]
fn a_million_acknowledgements_with_an_hour_to_go_leave_the_memory_of_a_client_flat() {
    let mut session = AckCounter::new();
    let packet = session.joined.encoder.event("/", "e", &()).unwrap();
    let hour = session.joined.now + Duration::from_secs(3_600);
    let emit = |session: &mut AckCounter, batch: u64| {
        let WebSocketClient {
            client, now, main, ..
        } = &mut session.joined;
        for _ in 0..BATCH {
            assert!(client.emit_with_ack(*now, *main, &packet, hour).is_ok());
        }
        session.joined.write();
        session.read(&acknowledgements(batch, frame));
    };
    (0..10).for_each(|batch| emit(&mut session, batch));
    assert_memory_stays_flat(|| (10..MILLION / BATCH).for_each(|batch| emit(&mut session, batch)));
    assert_eq!(session.acked, MILLION);
    assert_eq!(session.joined.client.pending_acks(), 0);
}

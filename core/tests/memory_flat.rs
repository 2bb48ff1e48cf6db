//! What peers can do without end costs no memory: unsolicited pongs, and acknowledgements that come long before
//! their deadlines.

use allocation_counter::measure;
use bytes::BytesMut;
use socketio_core::OutBuf;
use socketio_core::sio::{Config, ConnId, Delivery, Encoder, Event, Peer, Server, SocketId, SocketIo};
use socketio_core::wire::Wire;
use std::time::{Duration, Instant};

const MILLION: u64 = 1_000_000;

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
fn frame(text: &str) -> Vec<u8> {
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
        session.read(&frame("40"));
        assert!(session.server.is_connected(session.socket.unwrap()));
        session
    }

    fn read(&mut self, bytes: &[u8]) {
        self.wire.handle_input(&mut BytesMut::from(bytes));
        while let Some(item) = self.wire.poll_item() {
            self.server.handle_item(self.now, self.connection, item);
            self.server.poll_transmit(self.connection, &mut self.wire);
        }
        self.hear();
        self.write();
    }

    fn hear(&mut self) {
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

#[test]
fn a_million_unsolicited_pongs_leave_memory_flat() {
    let mut session = Session::joined();
    let batch = frame("3").repeat(100);
    session.read(&batch);
    let used = measure(|| {
        for _ in 0..MILLION / 100 {
            // Each re-arms the heartbeat.
            session.now += Duration::from_millis(1);
            session.read(&batch);
        }
    });
    assert!(used.bytes_max < FLAT, "{} bytes", used.bytes_max);
    assert!(
        used.bytes_current.unsigned_abs() < 4_096,
        "{} bytes stay",
        used.bytes_current
    );
    assert!(session.server.is_connected(session.socket.unwrap()));
}

#[test]
fn a_million_answered_acknowledgements_with_an_hour_to_go_leave_memory_flat() {
    let mut session = Session::joined();
    let socket = session.socket.unwrap();
    let packet = session.encoder.event("/", "e", &()).unwrap();
    let hour = session.now + Duration::from_secs(3_600);
    let ask = |session: &mut Session, number: u64| {
        let asked = session.server.emit_with_ack(session.now, socket, &packet, hour);
        assert!(asked.is_ok());
        session.write();
        session.read(&frame(&format!("43{number}[]")));
    };
    (0..1_000).for_each(|number| ask(&mut session, number));
    let used = measure(|| (1_000..MILLION).for_each(|number| ask(&mut session, number)));
    assert_eq!(session.acked, MILLION);
    assert!(used.bytes_max < FLAT, "{} bytes", used.bytes_max);
    assert!(
        used.bytes_current.unsigned_abs() < 4_096,
        "{} bytes stay",
        used.bytes_current
    );
    assert_eq!(session.server.counts().acks, 0);
    assert_eq!(
        session
            .server
            .emit(session.now, socket, &packet, Delivery::Reliable),
        Ok(())
    );
}

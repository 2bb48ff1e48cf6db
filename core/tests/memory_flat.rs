//! What peers can do without end costs no memory: unsolicited pongs, and acknowledgements that come long before
//! their deadlines. The same for a client: pings, and answers.

use allocation_counter::measure;
use bytes::BytesMut;
use socketio_core::eio::client::TransportOrder;
use socketio_core::http::Headers;
use socketio_core::sio::client::{self, Client, Security, Target};
use socketio_core::sio::{
    Config, ConnId, Delivery, Encoder, Event, NamespaceId, Peer, Server, SocketId, SocketIo,
};
use socketio_core::wire::{ClientWire, Wire};
use socketio_core::{OutBuf, ws};
use std::time::{Duration, Instant};

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

/// A client on a WebSocket that is in `/`.
struct Caller {
    client: Client,
    main: NamespaceId,
    encoder: Encoder,
    connection: ConnId,
    wire: ClientWire<SocketIo>,
    output: OutBuf,
    now: Instant,
    acked: u64,
}

/// An unmasked text frame.
fn bare_frame(text: &str) -> Vec<u8> {
    [&[0x81, text.len() as u8], text.as_bytes()].concat()
}

impl Caller {
    fn joined() -> Self {
        let mut config = client::Config::default();
        config.engine.transports = TransportOrder::WebSocket;
        #[allow(clippy::disallowed_methods)] // The one reading of the clock.
        let now = Instant::now();
        let mut client = Client::new(config, [1; 32], now);
        let main = client.add_namespace(now, "/").unwrap();
        client.connect(now);
        let target = Target {
            authority: "a".to_owned(),
            security: Security::Plain,
            query: Vec::new(),
            headers: Headers::new(),
        };
        client.proceed(now, target);
        let connection = client.poll_dial().expect("a dial").connection;
        assert!(client.handle_open(now, connection));
        let wire = client.wire();
        let mut caller = Self {
            client,
            main,
            encoder: Encoder::new(),
            connection,
            wire,
            output: OutBuf::new(),
            now,
            acked: 0,
        };
        caller.shake_hands();
        let packet = caller.encoder.raw_connect("/", None).unwrap();
        caller.client.join(now, main, &packet);
        caller.read(&bare_frame(r#"40{"sid":"x"}"#));
        assert!(caller.client.is_joined(main));
        caller
    }

    fn shake_hands(&mut self) {
        self.transmit();
        let mut request = Vec::new();
        self.output
            .take(self.output.len(), |piece| request.extend_from_slice(piece));
        let request = core::str::from_utf8(&request).unwrap();
        let (_, rest) = request.split_once("Sec-WebSocket-Key: ").unwrap();
        let accept = ws::accept_key(rest.split("\r\n").next().unwrap().as_bytes());
        let accept = core::str::from_utf8(&accept).unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.read(answer.as_bytes());
        self.read(&bare_frame(
            r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#,
        ));
    }

    fn transmit(&mut self) {
        while let Some(connection) = self.client.poll_ready() {
            self.client.poll_transmit(connection, &mut self.wire);
        }
        let _ = self.wire.poll_output(&mut self.output);
    }

    fn write(&mut self) {
        self.transmit();
        self.output.advance(usize::MAX);
        let _ = self.wire.poll_output(&mut self.output);
        self.client.poll_transmit(self.connection, &mut self.wire);
    }

    fn read(&mut self, bytes: &[u8]) {
        self.wire.handle_input(&mut BytesMut::from(bytes));
        while let Some(item) = self.wire.poll_item() {
            self.client.handle_item(self.now, self.connection, item);
        }
        while let Some(event) = self.client.poll_event() {
            if let client::Event::Acked { outcome, .. } = event {
                assert!(outcome.is_ok());
                self.acked += 1;
            }
        }
        self.write();
    }
}

#[test]
fn a_million_unsolicited_pongs_leave_memory_flat() {
    let mut session = Session::joined();
    let batch = frame("3").repeat(BATCH as usize);
    session.read(&batch);
    let used = measure(|| {
        for _ in 0..MILLION / BATCH {
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
    let ask = |session: &mut Session, batch: u64| {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        for _ in numbers.clone() {
            let asked = session.server.emit_with_ack(session.now, socket, &packet, hour);
            assert!(asked.is_ok());
        }
        session.write();
        let answers = numbers.flat_map(|number| frame(&format!("43{number}[]")));
        session.read(&answers.collect::<Vec<u8>>());
    };
    (0..10).for_each(|batch| ask(&mut session, batch));
    let used = measure(|| (10..MILLION / BATCH).for_each(|batch| ask(&mut session, batch)));
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

#[test]
fn a_million_pings_leave_the_memory_of_a_client_flat() {
    let mut caller = Caller::joined();
    let batch = bare_frame("2").repeat(BATCH as usize);
    caller.read(&batch);
    let used = measure(|| {
        for _ in 0..MILLION / BATCH {
            // Each re-arms the deadline of the next.
            caller.now += Duration::from_millis(1);
            caller.read(&batch);
        }
    });
    assert!(used.bytes_max < FLAT, "{} bytes", used.bytes_max);
    assert!(
        used.bytes_current.unsigned_abs() < 4_096,
        "{} bytes stay",
        used.bytes_current
    );
    assert!(caller.client.is_joined(caller.main));
    assert_eq!(caller.client.queued_bytes(), 0);
}

#[test]
fn a_million_answers_with_an_hour_to_go_leave_the_memory_of_a_client_flat() {
    let mut caller = Caller::joined();
    let packet = caller.encoder.event("/", "e", &()).unwrap();
    let hour = caller.now + Duration::from_secs(3_600);
    let ask = |caller: &mut Caller, batch: u64| {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        for _ in numbers.clone() {
            let asked = caller
                .client
                .emit_with_ack(caller.now, caller.main, &packet, hour);
            assert!(asked.is_ok());
        }
        caller.write();
        let answers = numbers.flat_map(|number| bare_frame(&format!("43{number}[]")));
        caller.read(&answers.collect::<Vec<u8>>());
    };
    (0..10).for_each(|batch| ask(&mut caller, batch));
    let used = measure(|| (10..MILLION / BATCH).for_each(|batch| ask(&mut caller, batch)));
    assert_eq!(caller.acked, MILLION);
    assert!(used.bytes_max < FLAT, "{} bytes", used.bytes_max);
    assert!(
        used.bytes_current.unsigned_abs() < 4_096,
        "{} bytes stay",
        used.bytes_current
    );
    assert_eq!(caller.client.pending_acks(), 0);
}

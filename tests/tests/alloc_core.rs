//! What messages cost the core: allocations, counted in the steady state.

use allocation_counter::measure;
use bytes::BytesMut;
use socketio_core::OutBuf;
use socketio_core::eio::{ConnId, Delivery, Peer};
use socketio_core::sio::{Config, Encoder, Event, Server, SocketIo, Target};
use socketio_core::wire::Wire;
use socketio_tests::kit::{Frame, Request};
use std::time::{Duration, Instant};

/// An event of 64 bytes that asks for an acknowledgement, and the answer.
const ECHO: &str = r#"421["echo","abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"]"#;
const ECHOED: &str = r#"431["abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"]"#;
/// Rounds before counting, and as many that are counted.
const ROUNDS: usize = 1_000;

/// One connection of the driver.
struct Connection {
    id: ConnId,
    wire: Wire<SocketIo>,
    output: OutBuf,
    /// Bytes of output the peer has read.
    read: usize,
}

/// A server and its driver in one thread, with one buffer for all reads.
struct TestDriver {
    server: Server,
    encoder: Encoder,
    now: Instant,
    connections: Vec<Connection>,
    buffer: BytesMut,
}

impl TestDriver {
    fn new() -> Self {
        let mut config = Config::default();
        // A heartbeat in the middle would be counted too.
        config.engine.ping_interval = Duration::from_secs(100_000);
        let now = Instant::now();
        let mut server = Server::new(config, [7; 32], now);
        server.add_namespace("/").unwrap();
        Self {
            server,
            encoder: Encoder::new(),
            now,
            connections: Vec::new(),
            buffer: BytesMut::new(),
        }
    }

    /// A client on a WebSocket that is in the namespace `/`.
    fn join(&mut self) -> usize {
        let id = self.server.open(self.now, Peer::Unknown);
        let wire = Wire::new(self.server.engine_config().wire(), self.server.codec());
        self.connections.push(Connection {
            id,
            wire,
            output: OutBuf::new(),
            read: 0,
        });
        let connection = self.connections.len() - 1;
        self.receive(
            connection,
            &Request::upgrade("/socket.io/?EIO=4&transport=websocket").render(),
        );
        self.receive(connection, &Frame::text("40").encode());
        connection
    }

    /// What a driver does with one read.
    fn receive(&mut self, connection: usize, bytes: &[u8]) {
        if !self.buffer.try_reclaim(64 * 1024) {
            self.buffer = BytesMut::with_capacity(64 * 1024);
        }
        self.buffer.extend_from_slice(bytes);
        let Connection { id, wire, .. } = &mut self.connections[connection];
        wire.handle_input(&mut self.buffer);
        while let Some(item) = wire.poll_item() {
            self.server.handle_item(self.now, *id, item);
            self.server.poll_transmit(*id, wire);
        }
        self.answer();
        self.transmit();
    }

    /// The application: accepts every client and acknowledges with what came.
    fn answer(&mut self) {
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Connect { socket, .. } => assert!(self.server.accept(self.now, socket)),
                Event::Event { arguments, ack, .. } => {
                    let token = ack.unwrap();
                    let packet = self.encoder.ack("/", token.id(), &arguments).unwrap();
                    self.server.ack(self.now, token, &packet).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Writes everything there is, to peers that read all of it.
    fn transmit(&mut self) {
        while let Some(id) = self.server.poll_ready() {
            let connection = &mut self.connections[id.index()];
            self.server.poll_transmit(id, &mut connection.wire);
            let _ = connection.wire.poll_output(&mut connection.output);
            connection.read += connection.output.len();
            connection.output.advance(connection.output.len());
            let _ = connection.wire.poll_output(&mut connection.output);
            if let Some(spare) = connection.output.take_spare() {
                self.server.recycle(spare);
            }
        }
    }

    fn read(&self) -> usize {
        self.connections.iter().map(|connection| connection.read).sum()
    }
}

/// Allocations of so many rounds of `window` echoes in one read.
fn echo_allocations(window: usize) -> u64 {
    let mut driver = TestDriver::new();
    let connection = driver.join();
    let frames = Frame::text(ECHO).encode().repeat(window);
    (0..ROUNDS).for_each(|_| driver.receive(connection, &frames));
    let before = driver.read();
    let counted = measure(|| (0..ROUNDS).for_each(|_| driver.receive(connection, &frames)));
    assert_eq!(driver.read() - before, ROUNDS * window * (2 + ECHOED.len()));
    counted.count_total
}

/// Allocations of so many rounds of a broadcast to a thousand, of a text of so many bytes.
fn broadcast_allocations(rounds: usize, bytes: usize) -> u64 {
    let mut driver = TestDriver::new();
    for _ in 0..1_000 {
        driver.join();
    }
    let namespace = driver.server.namespace("/").unwrap();
    let text = "x".repeat(bytes);
    let mut round = || {
        let packet = driver.encoder.event("/", "casted", text.as_str()).unwrap();
        let target = Target::default();
        let reached = driver
            .server
            .broadcast(driver.now, namespace, &target, &packet, Delivery::Reliable);
        assert_eq!(reached, 1_000);
        drop(packet);
        driver.transmit();
    };
    (0..10).for_each(|_| round());
    measure(|| (0..rounds).for_each(|_| round())).count_total
}

#[test]
fn an_echo_allocates_nothing() {
    assert_eq!(ECHO.len(), 64);
    assert_eq!(echo_allocations(1), 0);
}

#[test]
fn sixteen_echoes_in_one_read_allocate_nothing() {
    assert_eq!(echo_allocations(16), 0);
}

#[test]
fn a_broadcast_allocates_at_most_once_and_nothing_per_recipient() {
    let count = broadcast_allocations(100, 64);
    assert!(count <= 100, "{count} in 100 broadcasts");
}

#[test]
fn a_large_broadcast_allocates_nothing_per_recipient() {
    let count = broadcast_allocations(100, 8 * 1024);
    assert!(count <= 100, "{count} in 100 broadcasts");
}

//! A Socket.IO client on a WebSocket; the test writes what its server sends.

use crate::websocket_handshake::{accept, frame};
use bytes::BytesMut;
use socketio_core::OutBuf;
use socketio_core::eio::client::TransportOrder;
use socketio_core::http::Headers;
use socketio_core::sio::client::{Client, Config, Security, Target};
use socketio_core::sio::{ConnId, Encoder, NamespaceId, SocketIo};
use socketio_core::wire::ClientWire;
use std::time::Instant;

pub(crate) struct WebSocketClient {
    pub(crate) client: Client,
    /// The namespace `/`.
    pub(crate) main: NamespaceId,
    pub(crate) encoder: Encoder,
    pub(crate) now: Instant,
    connection: ConnId,
    wire: ClientWire<SocketIo>,
    input: BytesMut,
    output: OutBuf,
}

impl WebSocketClient {
    /// A client that has joined `/`, with no event left.
    pub(crate) fn joined() -> Self {
        let mut config = Config::default();
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
        let mut joined = Self {
            client,
            main,
            encoder: Encoder::new(),
            now,
            connection,
            wire,
            input: BytesMut::with_capacity(4_096),
            output: OutBuf::new(),
        };
        let request = joined.take_request();
        joined.read(&accept(&request));
        let packet = joined.encoder.raw_connect("/", None).unwrap();
        joined.client.join(now, main, &packet);
        joined.write();
        joined.read(&frame(r#"40{"sid":"x"}"#));
        assert!(joined.client.is_joined(main));
        while joined.client.poll_event().is_some() {}
        joined
    }

    fn take_request(&mut self) -> Vec<u8> {
        self.transmit();
        let mut request = Vec::new();
        let count = self.output.len();
        self.output.take(count, |piece| request.extend_from_slice(piece));
        request
    }

    fn transmit(&mut self) {
        while let Some(connection) = self.client.poll_ready() {
            self.client.poll_transmit(connection, &mut self.wire);
        }
        let _ = self.wire.poll_output(&mut self.output);
    }

    /// Writes everything, as a driver whose connection takes it.
    pub(crate) fn write(&mut self) {
        self.transmit();
        self.output.advance(usize::MAX);
        if let Some(spare) = self.output.take_spare() {
            self.client.recycle(spare);
        }
        let _ = self.wire.poll_output(&mut self.output);
        self.client.poll_transmit(self.connection, &mut self.wire);
    }

    /// Bytes of the server arrive; what the application is told stays in the client.
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        self.input.reserve(bytes.len());
        self.input.extend_from_slice(bytes);
        self.wire.handle_input(&mut self.input);
        while let Some(item) = self.wire.poll_item() {
            self.client.handle_item(self.now, self.connection, item);
        }
    }
}

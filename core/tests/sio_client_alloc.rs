//! What events and acknowledgements cost a client in allocations, over WebSocket in the steady state.

use allocation_counter::{AllocationInfo, measure};
use bytes::BytesMut;
use socketio_core::eio::client::TransportOrder;
use socketio_core::http::Headers;
use socketio_core::sio::client::{Client, Config, Event, Security, Target};
use socketio_core::sio::{ConnId, Delivery, Encoder, NamespaceId, SocketIo};
use socketio_core::wire::ClientWire;
use socketio_core::{OutBuf, ws};
use std::time::{Duration, Instant};

struct Session {
    client: Client,
    main: NamespaceId,
    encoder: Encoder,
    connection: ConnId,
    wire: ClientWire<SocketIo>,
    input: BytesMut,
    output: OutBuf,
    now: Instant,
    next_number: u64,
}

/// An unmasked text frame, as servers send it.
fn frame(text: &str) -> Vec<u8> {
    [&[0x81, text.len() as u8], text.as_bytes()].concat()
}

impl Session {
    /// A client that has joined `/`.
    fn joined() -> Self {
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
        let mut session = Self {
            client,
            main,
            encoder: Encoder::new(),
            connection,
            wire,
            input: BytesMut::with_capacity(4_096),
            output: OutBuf::new(),
            now,
            next_number: 0,
        };
        session.shake_hands();
        let packet = session.encoder.raw_connect("/", None).unwrap();
        session.client.join(now, main, &packet);
        session.write();
        session.read(&frame(r#"40{"sid":"x"}"#));
        assert!(session.client.is_joined(main));
        while session.client.poll_event().is_some() {}
        session
    }

    fn shake_hands(&mut self) {
        self.transmit();
        let mut request = Vec::new();
        let count = self.output.len();
        self.output.take(count, |piece| request.extend_from_slice(piece));
        let request = core::str::from_utf8(&request).unwrap();
        let (_, rest) = request.split_once("Sec-WebSocket-Key: ").unwrap();
        let accept = ws::accept_key(rest.split("\r\n").next().unwrap().as_bytes());
        let accept = core::str::from_utf8(&accept).unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.read(answer.as_bytes());
        self.read(&frame(
            r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#,
        ));
    }

    fn transmit(&mut self) {
        while let Some(connection) = self.client.poll_ready() {
            self.client.poll_transmit(connection, &mut self.wire);
        }
        let _ = self.wire.poll_output(&mut self.output);
    }

    /// Writes everything, as a driver whose connection takes it.
    fn write(&mut self) {
        self.transmit();
        self.output.advance(usize::MAX);
        if let Some(spare) = self.output.take_spare() {
            self.client.recycle(spare);
        }
        let _ = self.wire.poll_output(&mut self.output);
        self.client.poll_transmit(self.connection, &mut self.wire);
    }

    fn read(&mut self, bytes: &[u8]) {
        self.input.reserve(bytes.len());
        self.input.extend_from_slice(bytes);
        self.wire.handle_input(&mut self.input);
        while let Some(item) = self.wire.poll_item() {
            self.client.handle_item(self.now, self.connection, item);
        }
    }

    /// An event each way.
    fn events(&mut self) {
        self.read(b"\x81\x0a42[\"a\",12]");
        while let Some(event) = self.client.poll_event() {
            let Event::Event { arguments, name, .. } = event else {
                panic!("{event:?}");
            };
            let packet = self.encoder.event("/", name.as_str(), &arguments).unwrap();
            self.client
                .emit(self.now, self.main, &packet, Delivery::Reliable)
                .unwrap();
        }
        self.write();
    }

    /// `window` events that are acknowledged, all under way at once.
    fn questions(&mut self, window: u64, answers: &[Vec<u8>]) {
        let deadline = self.now + Duration::from_secs(5);
        for _ in 0..window {
            let packet = self.encoder.event("/", "a", &1).unwrap();
            self.client
                .emit_with_ack(self.now, self.main, &packet, deadline)
                .unwrap();
        }
        self.write();
        for _ in 0..window {
            self.read(&answers[self.next_number as usize]);
            self.next_number += 1;
            let event = self.client.poll_event();
            assert!(
                matches!(event, Some(Event::Acked { outcome: Ok(_), .. })),
                "{event:?}"
            );
        }
    }
}

#[test]
fn events_allocate_nothing_once_warm() {
    let mut session = Session::joined();
    let mut rounds = |count: usize| {
        let AllocationInfo { count_total, .. } = measure(|| {
            for _ in 0..count {
                session.events();
            }
        });
        count_total
    };
    assert!(rounds(1_000) > 0, "the counter counts");
    assert_eq!(rounds(1_000), 0);
}

#[test]
fn an_acknowledgement_allocates_nothing_of_its_own() {
    let answers = (0..20_000)
        .map(|number| frame(&format!("43{number}[1]")))
        .collect::<Vec<_>>();
    // Trees of more than eleven entries split and merge their nodes: that much for sixteen of them.
    for (window, allowed) in [(1, 0), (8, 0), (16, 4)] {
        let mut session = Session::joined();
        let mut rounds = |count: u64| {
            let AllocationInfo { count_total, .. } = measure(|| {
                for _ in 0..count {
                    session.questions(window, &answers);
                }
            });
            count_total
        };
        rounds(500);
        let count = rounds(500);
        assert!(count <= 500 * allowed, "{count} in a window of {window}");
    }
}

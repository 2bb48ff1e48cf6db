//! A server and a client in one process, joined by nothing but byte buffers, on a clock that is a variable: an hour of
//! heartbeats passes in no time. Whatever either does is done here, so nothing else can be hidden in them.
//!
//! ```text
//! cargo run --example embed
//! ```

// core/clippy.toml forbids the core to read the clock. Somebody has to say what the first instant is.
#![allow(clippy::disallowed_methods)]

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use socketio_core::http::Headers;
use socketio_core::sio::client::{self, Client, Security};
use socketio_core::sio::{self, ConnId, Delivery, Encoder, Peer, Server, SocketIo, Target};
use socketio_core::wire::{ClientWire, Flow, Wire};
use socketio_core::{OutBuf, Text};

/// One connection: what would be a socket at each end.
struct Connection {
    here: ConnId,
    client: ClientWire<SocketIo>,
    there: ConnId,
    server: Wire<SocketIo>,
}

struct World {
    now: Instant,
    client: Client,
    server: Server,
    encoder: Encoder,
    connections: Vec<Connection>,
    /// What the applications at both ends were told.
    log: Vec<String>,
}

impl World {
    fn new(now: Instant) -> Result<Self, Box<dyn Error>> {
        let mut client = Client::new(client::Config::default(), [7; 32], now);
        client.add_namespace(now, "/")?;
        let mut server = Server::new(sio::Config::default(), [8; 32], now);
        server.add_namespace("/")?;
        let (encoder, connections, log) = (Encoder::new(), Vec::new(), Vec::new());
        Ok(Self {
            now,
            client,
            server,
            encoder,
            connections,
            log,
        })
    }

    /// Advances the clock, stopping wherever one of the two has a deadline; returns how often.
    fn wait(&mut self, time: Duration) -> Result<usize, Box<dyn Error>> {
        let (end, mut deadlines) = (self.now + time, 0);
        loop {
            self.settle()?;
            let due = self
                .client
                .poll_timeout()
                .into_iter()
                .chain(self.server.poll_timeout());
            let due = due.min().filter(|due| *due <= end);
            self.now = due.unwrap_or(end);
            if due.is_none() {
                return Ok(deadlines);
            }
            deadlines += 1;
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
        }
    }

    /// Lets both act until neither has anything left to say.
    fn settle(&mut self) -> Result<(), Box<dyn Error>> {
        let mut is_busy = true;
        while is_busy {
            is_busy = false;
            while let Some(event) = self.client.poll_event() {
                self.handle_client_event(event)?;
            }
            while let Some(event) = self.server.poll_event() {
                self.handle_server_event(event)?;
            }
            while let Some(dial) = self.client.poll_dial() {
                if self.client.handle_open(self.now, dial.connection) {
                    let (here, client) = (dial.connection, self.client.wire());
                    let there = self.server.open(self.now, Peer::Unknown);
                    self.connections.push(Connection {
                        here,
                        client,
                        there,
                        server: self.server.wire(),
                    });
                }
            }
            // Every connection is looked at each time here; for many, `poll_ready` says which.
            for mut connection in std::mem::take(&mut self.connections) {
                let (moved, is_open) = self.carry(&mut connection);
                is_busy |= moved || !is_open;
                if is_open {
                    self.connections.push(connection);
                } else {
                    self.client.handle_lost(self.now, connection.here);
                    self.server.handle_lost(self.now, connection.there);
                }
            }
        }
        Ok(())
    }

    /// Carries bytes both ways: whether there were any, and whether the connection goes on.
    fn carry(&mut self, connection: &mut Connection) -> (bool, bool) {
        let Connection {
            here,
            client,
            there,
            server,
        } = connection;
        self.client.poll_transmit(*here, client);
        let mut output = OutBuf::new();
        let flow = client.poll_output(&mut output);
        let mut moved = !output.is_empty();
        server.handle_input(&mut bytes_of(&mut output));
        // What was taken counts as written from now on.
        let _ = client.poll_output(&mut output);
        while let Some(item) = server.poll_item() {
            self.server.handle_item(self.now, *there, item);
            self.server.poll_transmit(*there, server);
        }

        self.server.poll_transmit(*there, server);
        let answer_flow = server.poll_output(&mut output);
        moved |= !output.is_empty();
        client.handle_input(&mut bytes_of(&mut output));
        let _ = server.poll_output(&mut output);
        while let Some(item) = client.poll_item() {
            self.client.handle_item(self.now, *here, item);
            self.client.poll_transmit(*here, client);
        }
        let is_open = flow != Flow::Closing && answer_flow != Flow::Closing;
        (moved, is_open && self.client.is_wanted(*here))
    }

    fn handle_client_event(&mut self, event: client::Event) -> Result<(), Box<dyn Error>> {
        match event {
            client::Event::Attempt { .. } => {
                let (authority, security) = ("localhost".to_owned(), Security::Plain);
                let (query, headers) = (Vec::new(), Headers::new());
                self.client.proceed(
                    self.now,
                    client::Target {
                        authority,
                        security,
                        query,
                        headers,
                    },
                );
            }
            client::Event::Joining { namespace } => {
                let packet = self.encoder.raw_connect("/", None)?;
                self.client.join(self.now, namespace, &packet);
            }
            client::Event::Joined { .. } => self.log.push("client: joined".into()),
            client::Event::Upgraded => self.log.push("client: upgraded".into()),
            client::Event::Event { name, arguments, .. } => {
                self.log
                    .push(format!("client: heard {} {}", name.as_str(), arguments.text()));
            }
            client::Event::Acked { outcome, .. } => {
                self.log.push(format!("client: answer {}", outcome?.text()));
            }
            client::Event::Closed { reason } => self.log.push(format!("client: {}", reason.as_str())),
            _ => {}
        }
        Ok(())
    }

    fn handle_server_event(&mut self, event: sio::Event) -> Result<(), Box<dyn Error>> {
        match event {
            sio::Event::Connect { socket, .. } => drop(self.server.accept(self.now, socket)),
            sio::Event::Event {
                socket,
                arguments,
                ack: Some(token),
                ..
            } => {
                let (room,) = arguments.parse::<(String,)>()?;
                self.server.join(socket, &room)?;
                let answer = self.server.rooms(socket).len();
                let packet = self.encoder.ack("/", token.id(), &answer)?;
                self.server.ack(self.now, token, &packet)?;
            }
            sio::Event::Disconnected { reason, .. } => self.log.push(format!("server: {reason}")),
            _ => {}
        }
        Ok(())
    }
}

fn bytes_of(output: &mut OutBuf) -> BytesMut {
    let mut bytes = BytesMut::new();
    output.take(output.len(), |piece| bytes.extend_from_slice(piece));
    bytes
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut world = World::new(Instant::now())?;
    let main = world.client.namespace("/").ok_or("it was added")?;
    world.client.connect(world.now);
    world.settle()?;
    assert_eq!(world.log, ["client: joined", "client: upgraded"]);

    let packet = world.encoder.event("/", "enter", "lobby")?;
    let deadline = world.now + Duration::from_secs(5);
    world.client.emit_with_ack(world.now, main, &packet, deadline)?;
    world.settle()?;
    // The lobby, and the room of its own id.
    assert_eq!(world.log[2..], ["client: answer 2"]);

    let deadlines = world.wait(Duration::from_secs(60 * 60))?;
    assert_eq!(
        deadlines,
        60 * 60 / 25,
        "a ping each 25 seconds, all of them answered"
    );
    assert_eq!(world.server.counts().sockets, 1);
    world.log.push(format!("{deadlines} heartbeats later"));

    let packet = world.encoder.event("/", "news", &("still", "here"))?;
    let lobby = Target {
        rooms: vec![Text::from("lobby")],
        ..Target::default()
    };
    let namespace = world.server.namespace("/").ok_or("it was added")?;
    let heard = world
        .server
        .broadcast(world.now, namespace, &lobby, &packet, Delivery::Reliable);
    world.settle()?;
    assert_eq!(
        (heard, world.log[4].as_str()),
        (1, r#"client: heard news "still","here""#)
    );

    world.client.close(world.now);
    world.settle()?;
    assert_eq!(
        world.log[5..],
        [
            "client: io client disconnect",
            "server: client namespace disconnect"
        ]
    );
    assert_eq!(world.server.counts(), sio::Counts::default(), "nothing is left");
    println!("{}", world.log.join("\n"));
    Ok(())
}

#[test]
fn two_cores_talk_without_any_input_or_output() {
    main().unwrap();
}

//! What clients of the example talk to.

use std::time::{Duration, Instant};

use socketio_core::eio::{self, RequestId};
use socketio_core::http::{Cors, CorsOrigin, Response, StatusCode};
use socketio_core::sio::{
    self, AckToken, Delivery, Encoded, Event, NamespaceId, RawArguments, SocketId, Target, WriteArguments,
};

use super::{App, Context};

/// How much time clients are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As much as the default configuration has it.
    Patient,
    /// As little as the official suites want: a ping every 300 ms, 200 ms for the pong, a second to join a namespace.
    Hurried,
}

/// Engine.IO alone: every message comes back.
pub struct Engine(pub Pace);

impl App for Engine {
    type Server = eio::Server;

    fn server(&mut self, seed: [u8; 32], now: Instant) -> eio::Server {
        let mut config = eio::Config::default();
        configure(&mut config, self.0);
        eio::Server::new(config, seed, now)
    }

    fn handle(&mut self, Context { server, now, .. }: &mut Context<eio::Server>, event: eio::Event) {
        match event {
            eio::Event::Message { session, message } => {
                // An error: the client is gone, or does not read and will be.
                let _ = server.send(*now, session, &message, Delivery::Reliable);
            }
            eio::Event::Request { request, .. } => {
                server.respond(*now, request, Response::new(StatusCode::NOT_FOUND));
            }
            _ => {}
        }
    }
}

/// What the official Socket.IO suite wants, if it is [hurried](Pace::Hurried): clients are told what they sent as their auth, and `/` echoes.
pub struct Suite {
    pace: Pace,
    main: Option<NamespaceId>,
}

impl Suite {
    /// With this pace.
    pub const fn new(pace: Pace) -> Self {
        Self { pace, main: None }
    }
}

impl App for Suite {
    type Server = sio::Server;

    fn server(&mut self, seed: [u8; 32], now: Instant) -> sio::Server {
        let mut config = sio::Config::default();
        configure(&mut config.engine, self.pace);
        if self.pace == Pace::Hurried {
            config.connect_timeout = Duration::from_secs(1);
        }
        let mut server = sio::Server::new(config, seed, now);
        self.main = server.add_namespace("/").ok();
        server.add_namespace("/custom").expect("it is a name, and new");
        server
    }

    fn handle(&mut self, context: &mut Context<sio::Server>, event: Event) {
        match event {
            Event::Connect { socket, .. } => {
                context.server.accept(context.now, socket);
                match context
                    .server
                    .handshake(socket)
                    .and_then(|handshake| handshake.auth)
                {
                    Some(auth) => context.emit(socket, "auth", &auth),
                    None => context.emit(
                        socket,
                        "auth",
                        &RawArguments {
                            text: b"{}",
                            attachments: &[],
                        },
                    ),
                }
            }
            Event::Event {
                socket,
                namespace,
                name,
                arguments,
                ack,
            } if Some(namespace) == self.main => match name.as_str() {
                "message" => context.emit(socket, "message-back", &arguments),
                "message-with-ack" => context.reply(ack, &arguments),
                _ => {}
            },
            Event::Request { request, .. } => context.not_found(request),
            _ => {}
        }
    }
}

/// What the load generator of this repository talks to.
#[derive(Default)]
pub struct Bench {
    everybody: Target,
    /// Kept for its capacity.
    room: Target,
}

impl App for Bench {
    type Server = sio::Server;

    fn server(&mut self, seed: [u8; 32], now: Instant) -> sio::Server {
        let mut server = sio::Server::new(sio::Config::default(), seed, now);
        server.add_namespace("/").expect("it is a name, and new");
        server
    }

    fn handle(&mut self, context: &mut Context<sio::Server>, event: Event) {
        match event {
            Event::Connect { socket, .. } => drop(context.server.accept(context.now, socket)),
            Event::Event {
                name, arguments, ack, ..
            } if name.as_str() == "echo" => context.reply(ack, &arguments),
            Event::Event {
                socket,
                namespace,
                name,
                arguments,
                ack,
            } => {
                let mut values = arguments.iter();
                let Some(first) = values.next() else { return };
                match name.as_str() {
                    "say" => context.emit(socket, "said", &first),
                    "cast" => context.broadcast(namespace, &self.everybody, "casted", &first),
                    "join" => {
                        let room: Result<String, _> = first.parse();
                        if room.is_ok_and(|room| context.server.join(socket, &room).is_ok()) {
                            context.reply(ack, &());
                        }
                    }
                    "room" => {
                        let (Ok(room), Some(value)) = (first.parse::<String>(), values.next()) else {
                            return;
                        };
                        self.room.rooms.clear();
                        self.room.rooms.push(room.into());
                        context.broadcast(namespace, &self.room, "roomed", &value);
                    }
                    _ => {}
                }
            }
            Event::Request { request, .. } => context.not_found(request),
            _ => {}
        }
    }
}

/// Heartbeats of this pace, and any origin.
fn configure(config: &mut eio::Config, pace: Pace) {
    if pace == Pace::Hurried {
        config.ping_interval = Duration::from_millis(300);
        config.ping_timeout = Duration::from_millis(200);
    }
    config.cors = Cors::builder(CorsOrigin::Any).build().ok();
}

/// Errors are not worth a word here: a client is gone, or does not read and will be.
impl Context<sio::Server> {
    /// Sends an event to one socket.
    pub fn emit(&mut self, socket: SocketId, name: &str, arguments: &(impl WriteArguments + ?Sized)) {
        let Some(namespace) = self.server.namespace_of(socket) else {
            return;
        };
        if let Some(packet) = self.event(namespace, name, arguments) {
            let _ = self.server.emit(self.now, socket, &packet, Delivery::Reliable);
        }
    }

    /// Sends an event to many sockets of a namespace.
    pub fn broadcast(
        &mut self,
        namespace: NamespaceId,
        to: &Target,
        name: &str,
        arguments: &(impl WriteArguments + ?Sized),
    ) {
        if let Some(packet) = self.event(namespace, name, arguments) {
            self.server
                .broadcast(self.now, namespace, to, &packet, Delivery::Reliable);
        }
    }

    /// Gives a client the acknowledgement it waits for, if it does.
    pub fn reply(&mut self, token: Option<AckToken>, arguments: &(impl WriteArguments + ?Sized)) {
        let Some(token) = token else { return };
        let namespace = self.server.namespace_of(token.socket());
        let Some(name) = namespace.and_then(|namespace| self.server.namespace_name(namespace)) else {
            return;
        };
        if let Ok(packet) = self.encoder.ack(name.as_str(), token.id(), arguments) {
            let _ = self.server.ack(self.now, token, &packet);
        }
    }

    /// Makes the packet of an event.
    pub fn event(
        &mut self,
        namespace: NamespaceId,
        name: &str,
        arguments: &(impl WriteArguments + ?Sized),
    ) -> Option<Encoded> {
        let namespace = self.server.namespace_name(namespace)?;
        self.encoder.event(namespace.as_str(), name, arguments).ok()
    }

    /// Tells the client of a request that is not for the protocol so.
    pub fn not_found(&mut self, request: RequestId) {
        self.server
            .respond(self.now, request, Response::new(StatusCode::NOT_FOUND));
    }
}

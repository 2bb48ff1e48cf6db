//! What the clients in other languages are checked with; the contract is in `tests/interop/README.md`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;
use socketio_core::json::{Arguments, Raw};
use socketio_core::sio::{AckId, AckToken, Config, Encoded, Event, NamespaceId, Server, SocketId, Target};

use super::event_loop::{App, Context};
use super::{Settings, Sids, members};

#[derive(Deserialize)]
struct Credentials {
    token: String,
}

#[derive(Serialize)]
struct Welcome<'a> {
    sid: &'a str,
    auth: Option<Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
}

/// The application `interop`.
pub(super) struct Interop {
    settings: Settings,
    auth: Option<NamespaceId>,
    deny: Option<NamespaceId>,
    /// The sockets that are called, by the calls' ids.
    asked: HashMap<AckId, SocketId>,
    sids: Sids,
    /// What clients gave to be kept.
    notes: Vec<u64>,
}

impl App for Interop {
    type Server = Server;

    fn server(&mut self, seed: [u8; 32], now: Instant) -> Server {
        let mut config = Config::default();
        config.engine.ping_interval = self.settings.ping_interval;
        config.engine.ping_timeout = self.settings.ping_timeout;
        config.engine.linger = self.settings.linger;
        config.engine.transports = self.settings.transports;
        let mut server = Server::new(config, seed, now);
        for name in ["/", "/custom"] {
            server.add_namespace(name).expect("it is a name, and new");
        }
        self.auth = server.add_namespace("/auth").ok();
        self.deny = server.add_namespace("/deny").ok();
        server
    }

    fn handle(&mut self, context: &mut Context<Server>, event: Event) {
        match event {
            Event::Connect { socket, namespace } => self.admit(context, socket, namespace),
            Event::Event {
                socket,
                namespace,
                name,
                arguments,
                ack,
            } => {
                let caller = Caller {
                    socket,
                    namespace,
                    ack,
                };
                // A client whose arguments are not those of the contract is not answered.
                let _ = self.answer(context, caller, name.as_str(), &arguments);
            }
            Event::Acked { ack, outcome } => {
                let Some(socket) = self.asked.remove(&ack) else {
                    return;
                };
                match outcome {
                    Ok(answer) => context.emit(socket, "answer", &answer),
                    Err(_) => context.emit(socket, "no-answer", &()),
                }
            }
            Event::Disconnected {
                socket, namespace, ..
            } => {
                if let Some(sid) = self.sids.remove(socket) {
                    let watchers = members(&format!("gone:{sid}"));
                    context.broadcast(namespace, &watchers, "gone", sid.as_str());
                }
            }
            Event::Request { request, .. } => context.not_found(request),
            _ => {}
        }
    }
}

/// The socket that sent an event, and its ack.
struct Caller {
    socket: SocketId,
    namespace: NamespaceId,
    ack: Option<AckToken>,
}

impl Interop {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            auth: None,
            deny: None,
            asked: HashMap::new(),
            sids: Sids::default(),
            notes: Vec::new(),
        }
    }

    /// Accepts a client and emits `welcome`, or refuses it.
    fn admit(&mut self, context: &mut Context<Server>, socket: SocketId, namespace: NamespaceId) {
        let auth = auth_of(context, socket);
        if let Some(refusal) = self.refusal(context, namespace, auth.as_ref()) {
            return context.server.refuse(context.now, socket, &refusal);
        }
        let Some(sid) = self.sids.accept(context, socket) else {
            return;
        };
        let user = (Some(namespace) == self.auth).then_some("ada");
        let sid = sid.as_str();
        context.emit(socket, "welcome", &Welcome { sid, auth, user });
    }

    /// What a client is refused with, if it may not join.
    fn refusal(
        &self,
        context: &mut Context<Server>,
        namespace: NamespaceId,
        auth: Option<&Raw>,
    ) -> Option<Encoded> {
        let encoder = &mut context.encoder;
        if Some(namespace) == self.deny {
            let data = json!({"code": 7});
            return encoder.connect_error("/deny", "not allowed", Some(&data)).ok();
        }
        let credentials = auth.and_then(|auth| auth.parse::<Credentials>().ok());
        let is_known = credentials.is_some_and(|credentials| credentials.token == "secret");
        if Some(namespace) == self.auth && !is_known {
            return encoder.connect_error("/auth", "invalid token", None::<&()>).ok();
        }
        None
    }

    fn answer(
        &mut self,
        context: &mut Context<Server>,
        caller: Caller,
        name: &str,
        arguments: &Arguments,
    ) -> Option<()> {
        let Caller {
            socket,
            namespace,
            ack,
        } = caller;
        let first = arguments.iter().next();
        match name {
            "echo" => context.emit(socket, "echo", arguments),
            "echo-ack" => context.reply(ack, arguments),
            "ask" => self.ask(context, socket, &first?, Duration::from_secs(10))?,
            "ask-briefly" => self.ask(context, socket, &first?, Duration::from_millis(200))?,
            "join" => {
                context
                    .server
                    .join(socket, &first?.parse::<String>().ok()?)
                    .ok()?;
                context.reply(ack, &());
            }
            "leave" => {
                context.server.leave(socket, &first?.parse::<String>().ok()?);
                context.reply(ack, &());
            }
            "say" | "shout" => {
                let (room, value): (String, Raw) = arguments.parse().ok()?;
                let mut target = members(&room);
                target.skip = (name == "say").then_some(socket);
                context.broadcast(namespace, &target, "said", &(&room, &value));
                context.reply(ack, &());
            }
            "announce" => context.broadcast(namespace, &Target::default(), "announced", &first?),
            "watch" => {
                let room = format!("gone:{}", first?.parse::<String>().ok()?);
                context.server.join(socket, &room).ok()?;
                context.reply(ack, &());
            }
            "whoami" => {
                let auth = auth_of(context, socket);
                context.reply(ack, &auth);
            }
            "note" => {
                let number = first?.parse().ok()?;
                self.notes.push(number);
                context.reply(ack, &number);
            }
            "notes" => context.reply(ack, &self.notes),
            "disconnect-me" => context.server.disconnect(context.now, socket),
            _ => {}
        }
        Some(())
    }

    /// Calls the client; `Event::Acked` brings its answer.
    fn ask(
        &mut self,
        context: &mut Context<Server>,
        socket: SocketId,
        question: &Raw,
        timeout: Duration,
    ) -> Option<()> {
        let namespace = context.server.namespace_of(socket)?;
        let packet = context.event(namespace, "question", question)?;
        let deadline = context.now + timeout;
        let asked = context
            .server
            .emit_with_ack(context.now, socket, &packet, deadline);
        self.asked.insert(asked.ok()?, socket);
        Some(())
    }
}

fn auth_of(context: &Context<Server>, socket: SocketId) -> Option<Raw> {
    context.server.handshake(socket)?.auth
}

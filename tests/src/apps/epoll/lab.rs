//! What the traps of the protocol need and the official suites do not offer; the contract is in
//! [`conformance`](crate::conformance).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;
use socketio_core::eio::Gate;
use socketio_core::http::{Cors, CorsOrigin};
use socketio_core::json::Arguments;
use socketio_core::sio::{
    AckId, AckToken, Config, Delivery, Event, NamespaceId, Reason, RequestId, Server, SocketId,
};

use super::event_loop::{App, Context};
use super::{Sids, members};

/// The application `lab`.
#[derive(Default)]
pub(super) struct Lab {
    main: Option<NamespaceId>,
    deny: Option<NamespaceId>,
    /// The sockets that are called, by the calls' ids.
    asked: HashMap<AckId, SocketId>,
    sids: Sids,
}

impl App for Lab {
    type Server = Server;

    fn server(&mut self, seed: [u8; 32], now: Instant) -> Server {
        let mut config = Config::default();
        config.engine.cors = Cors::builder(CorsOrigin::Any).build().ok();
        config.engine.upgrade_timeout = Duration::from_secs(3);
        config.engine.gate = Gate::Ask;
        let mut server = Server::new(config, seed, now);
        self.main = server.add_namespace("/").ok();
        self.deny = server.add_namespace("/deny").ok();
        server.add_namespace("/custom").expect("it is a name, and new");
        server
    }

    fn handle(&mut self, context: &mut Context<Server>, event: Event) {
        match event {
            Event::Handshake { request } => check(context, request),
            Event::Connect { socket, namespace } if Some(namespace) == self.deny => refuse(context, socket),
            Event::Connect { socket, .. } => drop(self.sids.accept(context, socket)),
            Event::Event {
                socket,
                namespace,
                name,
                arguments,
                ack,
            } if Some(namespace) == self.main => {
                // A client whose arguments are not those of the contract is not answered.
                let _ = self.answer(context, socket, name.as_str(), &arguments, ack);
            }
            Event::Acked { ack, outcome } => {
                let Some(socket) = self.asked.remove(&ack) else {
                    return;
                };
                match outcome {
                    Ok(answer) => context.emit(socket, "answer", &answer),
                    Err(_) => context.emit(socket, "timed-out", &()),
                }
            }
            Event::Disconnected { socket, reason, .. } => self.report_left(context, socket, reason),
            Event::Request { request, .. } => context.not_found(request),
            _ => {}
        }
    }
}

impl Lab {
    fn answer(
        &mut self,
        context: &mut Context<Server>,
        socket: SocketId,
        name: &str,
        arguments: &Arguments,
        ack: Option<AckToken>,
    ) -> Option<()> {
        match name {
            "message" => context.emit(socket, "message-back", arguments),
            "message-with-ack" => context.reply(ack, arguments),
            "watch" => {
                context.server.join(socket, "watchers").ok()?;
                context.reply(ack, &());
            }
            "join" => {
                let room: String = arguments.first().ok()?;
                context.server.join(socket, &room).ok()?;
                context.reply(ack, &());
            }
            "leave" => {
                let room: String = arguments.first().ok()?;
                context.server.leave(socket, &room);
                context.reply(ack, &());
            }
            "cast" => self.cast(context, arguments)?,
            "disconnect-me" if arguments.first().ok()? => {
                context.server.disconnect_client(context.now, socket);
            }
            "disconnect-me" => context.server.disconnect(context.now, socket),
            "volatile-burst" => self.burst(context, socket, arguments.first().ok()?)?,
            "ask" => {
                let question = arguments.iter().next()?;
                let packet = context.event(self.main?, "question", &question)?;
                let deadline = context.now + Duration::from_millis(300);
                let asked = context
                    .server
                    .emit_with_ack(context.now, socket, &packet, deadline);
                self.asked.insert(asked.ok()?, socket);
            }
            "handshake-query" => {
                let name: String = arguments.first().ok()?;
                let head = context.server.handshake(socket)?.head;
                context.reply(ack, &head.query().get(&name).as_deref());
            }
            _ => {}
        }
        Some(())
    }

    /// Sends everything after the room's name to the room.
    fn cast(&self, context: &mut Context<Server>, arguments: &Arguments) -> Option<()> {
        let mut values = arguments.iter();
        let room: String = values.next()?.parse().ok()?;
        let rest = Arguments::from_values(&values.collect::<Vec<_>>()).ok()?;
        context.broadcast(self.main?, &members(&room), "cast", &rest);
        Some(())
    }

    fn burst(&self, context: &mut Context<Server>, socket: SocketId, count: u32) -> Option<()> {
        for tick in 0..count {
            let packet = context.event(self.main?, "tick", &tick)?;
            // What can not leave at once is dropped: that is what is looked at.
            let _ = context
                .server
                .emit(context.now, socket, &packet, Delivery::Volatile);
        }
        Some(())
    }

    fn report_left(&mut self, context: &mut Context<Server>, socket: SocketId, reason: Reason) {
        if let (Some(main), Some(sid)) = (self.main, self.sids.remove(socket)) {
            let report = (sid.as_str(), reason.as_str());
            context.broadcast(main, &members("watchers"), "left", &report);
        }
    }
}

/// The gate: handshakes with a header `x-refuse` are refused.
fn check(context: &mut Context<Server>, request: RequestId) {
    let Context { server, now, .. } = context;
    let head = server.request_head(request);
    if head.is_some_and(|head| head.header("x-refuse").is_some()) {
        server.forbid(*now, request, "Forbidden");
    } else {
        server.allow(*now, request);
    }
}

fn refuse(context: &mut Context<Server>, socket: SocketId) {
    let data = json!({"code": 7});
    if let Ok(packet) = context.encoder.connect_error("/deny", "not allowed", Some(&data)) {
        context.server.refuse(context.now, socket, &packet);
    }
}

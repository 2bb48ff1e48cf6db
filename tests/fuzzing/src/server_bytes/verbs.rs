//! What the application does.

use super::ServerSimulation;
use crate::script::Script;
use crate::simulation::{Simulation, event, known_name};
use socketio_core::Text;
use socketio_core::http::{Response, StatusCode};
use socketio_core::sio::{
    Delivery, DisconnectScope, EmitError, Encoded, NamespaceId, RoomError, SocketId, Target,
};
use std::time::Duration;

const ROOMS: [&str; 4] = ["a", "b", "c", ""];

impl ServerSimulation {
    /// One verb; what it returns is part of what must not change.
    pub(super) fn verb(&mut self, verb: u8, script: &mut Script<'_>) {
        let answer = match verb {
            0..6 => self.accept(script),
            6 => self.refuse(script),
            7..11 => self.emit(script),
            11..13 => self.emit_with_ack(script),
            13..15 => self.acknowledge(script),
            15..18 => self.broadcast(script),
            18..21 => self.room(verb, script),
            21 | 22 => self.act_on_many(verb, script),
            23 | 24 => self.disconnect(verb, script),
            25 => self.forget(script),
            26..30 => self.answer_request(verb, script),
            30 => self.getters(script),
            // Rare, because little happens after it.
            _ if script.byte() == 0x5d => {
                self.server.shutdown(self.now);
                String::new()
            }
            _ => String::new(),
        };
        self.application.push(answer);
    }

    fn socket(&self, script: &mut Script<'_>) -> Option<SocketId> {
        script.choose(&self.ledger.sockets)
    }

    fn namespace(&self, script: &mut Script<'_>) -> NamespaceId {
        self.namespaces[script.index(self.namespaces.len())]
    }

    fn packet(&mut self, namespace: NamespaceId, script: &mut Script<'_>) -> Encoded {
        let name = known_name(self.server.namespace_name(namespace));
        event(&mut self.encoder, name.as_str(), script)
    }

    fn packet_for(&mut self, socket: SocketId, script: &mut Script<'_>) -> Encoded {
        let namespace = self.server.namespace_of(socket).unwrap_or(self.namespaces[0]);
        self.packet(namespace, script)
    }

    /// What is due is recorded before the verb is used, so that the ledger is not behind.
    fn catch_up(&mut self) {
        self.fire(self.now);
    }

    fn accept(&mut self, script: &mut Script<'_>) -> String {
        let Some(socket) = self.socket(script) else {
            return String::new();
        };
        let is_accepted = self.server.accept(self.now, socket);
        if is_accepted {
            self.ledger.accepted(socket);
        }
        format!("accept {is_accepted}")
    }

    fn refuse(&mut self, script: &mut Script<'_>) -> String {
        let Some(socket) = self.socket(script) else {
            return String::new();
        };
        let packet = self
            .encoder
            .connect_error("/", "no", None::<&()>)
            .expect("a packet");
        self.server.refuse(self.now, socket, &packet);
        String::new()
    }

    fn emit(&mut self, script: &mut Script<'_>) -> String {
        let Some(socket) = self.socket(script) else {
            return String::new();
        };
        let delivery = script.delivery();
        let packet = self.packet_for(socket, script);
        format!("emit {:?}", self.server.emit(self.now, socket, &packet, delivery))
    }

    fn emit_with_ack(&mut self, script: &mut Script<'_>) -> String {
        let Some(socket) = self.socket(script) else {
            return String::new();
        };
        let packet = self.packet_for(socket, script);
        let deadline = self.now + Duration::from_millis(script.word().into());
        let outcome = self.server.emit_with_ack(self.now, socket, &packet, deadline);
        if let Ok(ack) = outcome {
            self.ledger.acks.add(ack);
        }
        format!("emit_with_ack {outcome:?}")
    }

    fn acknowledge(&mut self, script: &mut Script<'_>) -> String {
        let Some(token) = script.take(&mut self.tokens) else {
            return String::new();
        };
        let packet = self.encoder.ack("/", token.id(), &1).expect("a packet");
        format!("ack {:?}", self.server.ack(self.now, token, &packet))
    }

    fn target(&self, script: &mut Script<'_>) -> Target {
        let choice = script.byte();
        let name = |index: u8| Text::from(ROOMS[usize::from(index) % ROOMS.len()]);
        let mut target = Target::default();
        target.rooms.extend((choice & 1 != 0).then(|| name(choice >> 2)));
        target.rooms.extend((choice & 2 != 0).then(|| name(choice >> 4)));
        target
            .except
            .extend((choice & 0x80 != 0).then(|| name(choice >> 3)));
        if choice & 0x40 != 0 {
            target.skip = self.socket(script);
            let sid = target.skip.and_then(|socket| self.server.sid(socket));
            target.rooms.extend(sid.map(|sid| Text::from(sid.as_str())));
        }
        target
    }

    fn broadcast(&mut self, script: &mut Script<'_>) -> String {
        let namespace = self.namespace(script);
        let target = self.target(script);
        let packet = self.packet(namespace, script);
        let recipients = self.server.recipients(namespace, &target);
        let count = self
            .server
            .broadcast(self.now, namespace, &target, &packet, Delivery::Reliable);
        assert!(count <= recipients.len());
        format!("broadcast {count}")
    }

    fn room(&mut self, verb: u8, script: &mut Script<'_>) -> String {
        let Some(socket) = self.socket(script) else {
            return String::new();
        };
        let room = ROOMS[script.index(ROOMS.len())];
        match verb {
            18 | 19 => {
                self.catch_up();
                let outcome = self.server.join(socket, room);
                let is_gone = outcome == Err(RoomError::Disconnected);
                assert_eq!(is_gone, !self.ledger.is_connected(socket));
                assert!(self.server.rooms(socket).len() <= 4);
                format!("join {outcome:?}")
            }
            _ => {
                self.server.leave(socket, room);
                assert!(!self.server.rooms(socket).iter().any(|other| other == room));
                String::new()
            }
        }
    }

    fn act_on_many(&mut self, verb: u8, script: &mut Script<'_>) -> String {
        self.catch_up();
        let namespace = self.namespace(script);
        let target = self.target(script);
        let room = ROOMS[script.index(ROOMS.len())];
        let count = match (verb, script.byte() % 8) {
            (21, 0..5) => self.server.join_all(namespace, &target, room),
            (21, _) => self.server.leave_all(namespace, &target, room),
            (_, 0..4) => {
                self.server.close_room(namespace, room);
                assert!(self.server.members(namespace, room).is_empty());
                0
            }
            (_, 4) => {
                let scope = DisconnectScope::Client;
                self.server.disconnect_all(self.now, namespace, &target, scope)
            }
            _ => {
                let scope = DisconnectScope::Namespace;
                self.server.disconnect_all(self.now, namespace, &target, scope)
            }
        };
        format!("act_on_many {count}")
    }

    fn disconnect(&mut self, verb: u8, script: &mut Script<'_>) -> String {
        let Some(socket) = self.socket(script) else {
            return String::new();
        };
        match verb {
            23 => self.server.disconnect(self.now, socket),
            _ => self.server.disconnect_client(self.now, socket),
        }
        assert!(!self.server.is_connected(socket));
        String::new()
    }

    fn forget(&mut self, script: &mut Script<'_>) -> String {
        if let Some(ack) = script.choose(&self.ledger.acks.all) {
            self.server.forget_ack(ack);
            // What had ended before is told after it was forgotten.
            self.poll_events();
            self.ledger.acks.forget(ack);
        }
        String::new()
    }

    fn answer_request(&mut self, verb: u8, script: &mut Script<'_>) -> String {
        let Some(request) = script.choose(&self.requests) else {
            return String::new();
        };
        let has_head = self.server.request_head(request).is_some();
        match verb {
            26 => self.server.allow(self.now, request),
            27 => self.server.forbid(self.now, request, "no\u{1}"),
            28 => {
                let response = Response::new(StatusCode::OK).with_body("text/plain", "hello");
                self.server.respond(self.now, request, response);
            }
            _ => self.server.read_body(self.now, request, script.byte().into()),
        }
        format!("request {has_head}")
    }

    /// Calls the getters.
    fn getters(&self, script: &mut Script<'_>) -> String {
        let Some(socket) = self.socket(script) else {
            return String::new();
        };
        let server = &self.server;
        let handshake = server.handshake(socket).map(|handshake| handshake.auth);
        let sid = server.sid(socket);
        let namespace = self.namespace(script);
        let found = sid.and_then(|sid| self.server.socket_by_sid(namespace, sid.as_str()));
        assert!(found.is_none_or(|found| found == socket));
        let head = self.connection(script).map(|_| self.server.transport(socket));
        format!("{handshake:?} {sid:?} {head:?} {:?}", self.server.rooms(socket))
    }

    /// All connections are lost: every handle is stale, and none does anything.
    pub(super) fn use_stale_handles(&mut self) {
        let packet = self.encoder.event("/", "e", &()).expect("a packet");
        for socket in self.ledger.sockets.clone() {
            let (now, server) = (self.now, &mut self.server);
            assert!(!server.accept(now, socket));
            server.refuse(now, socket, &packet);
            let gone = Err(EmitError::Disconnected);
            assert_eq!(server.emit(now, socket, &packet, Delivery::Reliable), gone);
            assert_eq!(
                server.emit_with_ack(now, socket, &packet, now),
                gone.map(|()| unreachable!())
            );
            assert_eq!(server.join(socket, "a"), Err(RoomError::Disconnected));
            server.leave(socket, "a");
            server.disconnect(now, socket);
            server.disconnect_client(now, socket);
            assert!(server.sid(socket).is_none() && server.session(socket).is_none());
            assert!(server.rooms(socket).is_empty() && server.handshake(socket).is_none());
        }
        for token in core::mem::take(&mut self.tokens) {
            let outcome = self.server.ack(self.now, token, &packet);
            assert_eq!(outcome, Err(EmitError::Disconnected));
        }
        for request in self.requests.clone() {
            assert!(self.server.request_head(request).is_none());
            self.server.allow(self.now, request);
            self.server
                .respond(self.now, request, Response::new(StatusCode::OK));
        }
        for connection in &self.connections {
            self.server.handle_lost(self.now, connection.id);
        }
        assert!(self.server.poll_event().is_none());
        assert_eq!(self.server.counts(), Default::default());
        assert_eq!(self.server.poll_timeout(), None);
    }
}

//! From the queues into the wires.

use super::connection::{Command, Role};
use super::session::Carrier;
use super::{ConnId, RequestError, Server, SessionId};
use crate::eio::Watch;
use crate::wire::{Codec, Expiry, Wire};

/// While this much is unwritten on a connection the rest stays in the session's queue, where it is counted.
const HIGH_WATER: usize = 256 * 1024;

impl<M> Server<M> {
    pub(super) fn transmit<C: Codec>(&mut self, connection: ConnId, wire: &mut Wire<C>) {
        self.carry_out_commands(connection, wire);
        self.count_answer(connection, wire.unwritten());
        match self.connections.get(connection.0).map(|state| &state.role) {
            Some(Role::WebSocket(session)) => self.write_queue(*session, wire),
            Some(Role::Poll { session, .. }) => self.write_poll(connection, *session, wire),
            Some(
                Role::Idle
                | Role::Excess(_)
                | Role::Foreign
                | Role::Deciding(_)
                | Role::Post { .. }
                | Role::Probe(_)
                | Role::Ending,
            )
            | None => {}
        }
    }

    fn carry_out_commands<C: Codec>(&mut self, connection: ConnId, wire: &mut Wire<C>) {
        let Some(state) = self.connections.get_mut(connection.0) else {
            return;
        };
        let mut expired = None;
        while let Some(command) = state.commands.pop_front() {
            if command.is_answer() {
                wire.take_output_from(&mut self.spares);
            }
            match command {
                Command::Respond(response, persistence) => wire.respond(*response, persistence),
                Command::Payload(mut queue, headers) => wire.respond_payload(&mut queue, headers),
                Command::ReadPayload => wire.read_payload(),
                Command::ReadBody(limit) => wire.read_body(limit),
                Command::AcceptWebSocket(headers) => wire.accept_websocket(&headers, None),
                Command::Frames(mut queue) => wire.send(&mut queue),
                Command::Text(text) => wire.send_text(text),
                Command::Close(code) => wire.close(code),
                Command::Expire(context, headers) => {
                    if wire.expire(headers) == Expiry::Answered {
                        expired = context;
                    }
                }
            }
        }
        // A WebSocket is told little after its handshake and may rest for hours.
        if matches!(state.role, Role::WebSocket(_)) || state.commands.capacity() > 8 {
            state.commands.shrink_to_fit();
        }
        if let Some(context) = expired {
            self.report(connection, RequestError::BadRequest, context);
        }
    }

    fn write_queue<C: Codec>(&mut self, id: SessionId, wire: &mut Wire<C>) {
        let Some(session) = self.sessions.get_mut(id.0) else {
            return;
        };
        if wire.unwritten() < HIGH_WATER {
            wire.send(&mut session.queue);
        }
        if let Carrier::WebSocket { unwritten, .. } = &mut session.carrier {
            *unwritten = wire.unwritten();
        }
        let spare = session.queue.take_spare();
        if session.watch == Watch::Watching {
            self.tell_if_ready(id);
        }
        if let Some(spare) = spare {
            self.recycle(spare);
        }
    }

    fn write_poll<C: Codec>(&mut self, connection: ConnId, session: SessionId, wire: &mut Wire<C>) {
        let Some(state) = self.sessions.get_mut(session.0) else {
            return;
        };
        if state.queue.is_empty() {
            return;
        }
        let mut queue = core::mem::take(&mut state.queue);
        if let Some(polling) = self.polling(session) {
            polling.poll = None;
        }
        let headers = self.take_poll(connection);
        wire.take_output_from(&mut self.spares);
        wire.respond_payload(&mut queue, headers);
        if let Some(spare) = queue.take_spare() {
            self.recycle(spare);
        }
        self.rest(connection);
        self.begin_answer(connection, session, wire.unwritten());
        self.tell_if_ready(session);
    }
}

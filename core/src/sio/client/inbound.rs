//! What the server sends.

use super::namespace::{Former, State};
use super::{AckToken, Client, Event, JoinError, Reason};
use crate::Text;
use crate::json::{Arguments, Attachments, Raw};
use crate::sio::assembly::Complete;
use crate::sio::{EventName, Inbound, NamespaceId, Packet, PacketError, Violation};
use bytes::Bytes;
use serde::Deserialize;

/// Most events that are held until their namespace is joined: more than any guard sends.
pub const HELD_EVENTS: usize = 1_024;

/// Longest id of a socket, which is kept as long as its namespace is joined. Real ones have 20 bytes.
const SID_BYTES: usize = 256;

/// Events that came before the server let the client join (protocol section 3.5, step 4).
#[derive(Default)]
pub(super) struct Held {
    events: Vec<EventParts>,
    bytes: usize,
}

struct EventParts {
    name: EventName,
    id: Option<u64>,
    arguments: Arguments,
}

/// What a server says when a namespace is joined.
#[derive(Deserialize)]
struct Welcome {
    sid: String,
}

/// What a server says when it is not.
#[derive(Deserialize)]
struct Refusal {
    message: String,
    data: Option<Raw>,
}

impl Client {
    pub(super) fn receive(&mut self, inbound: Inbound) {
        if self.fault.is_some() {
            return;
        }
        let outcome = match inbound {
            Inbound::Packet(Ok(packet)) => self.assembly.packet(packet).map_err(Violation::from),
            // JS ignores an acknowledgement that lacks its number or its arguments, wherever another might stand.
            Inbound::Packet(Err(PacketError::IncompleteAck)) if !self.assembly.is_waiting() => Ok(None),
            Inbound::Packet(Err(error)) => Err(Violation::Packet(error)),
            Inbound::Attachment(data) => self.assembly.attachment(data).map_err(Violation::from),
        };
        let outcome = match outcome {
            Ok(Some(complete)) => self.dispatch(complete),
            Ok(None) => Ok(()),
            Err(violation) => Err(violation),
        };
        if let Err(violation) = outcome {
            self.break_off(Reason::ParseError(violation));
        }
    }

    /// Packets for namespaces this client does not know are ignored, as those that make no sense in the state of
    /// theirs: they may have crossed one of ours.
    fn dispatch(&mut self, complete: Complete) -> Result<(), Violation> {
        let attachments = complete.attachments;
        match complete.packet {
            Packet::Connect { namespace, auth } => {
                let Some(namespace) = self.known(&namespace) else {
                    return Ok(());
                };
                self.receive_connect(namespace, auth)
            }
            Packet::Disconnect { namespace } => {
                if let Some(namespace) = self.known(&namespace) {
                    self.receive_disconnect(namespace);
                }
                Ok(())
            }
            Packet::ConnectError { namespace, payload } => {
                if let Some(namespace) = self.known(&namespace) {
                    self.receive_refusal(namespace, payload);
                }
                Ok(())
            }
            Packet::Ack {
                namespace,
                id,
                arguments,
                ..
            } => {
                if let Some(namespace) = self.known(&namespace) {
                    self.receive_ack(namespace, id, Arguments::new(arguments, attachments));
                }
                Ok(())
            }
            Packet::Event {
                namespace,
                id,
                name,
                arguments,
                ..
            } => {
                let Some(namespace) = self.known(&namespace) else {
                    return Ok(());
                };
                let arguments = Arguments::new(arguments, attachments);
                self.receive_event(namespace, EventParts { name, id, arguments })
            }
        }
    }

    fn known(&self, namespace: &Text) -> Option<NamespaceId> {
        self.by_name.get(namespace.as_bytes()).copied()
    }

    fn receive_connect(&mut self, namespace: NamespaceId, payload: Option<Bytes>) -> Result<(), Violation> {
        let welcome = payload.and_then(|payload| {
            let payload = Raw::trusted(payload, Attachments::default());
            payload.parse::<Welcome>().ok()
        });
        let sid = welcome.map(|welcome| welcome.sid).filter(|sid| !sid.is_empty());
        if sid.as_ref().is_some_and(|sid| sid.len() > SID_BYTES) {
            return Err(Violation::SidTooLong);
        }
        match (self.state(namespace), sid) {
            (Some(State::Joining { .. }), Some(sid)) => self.joined(namespace, Text::from(sid)),
            // Servers of Socket.IO 2 let everybody into `/` unasked, and give no id.
            (Some(State::Joining { .. } | State::Asking), None) => {
                self.refused(namespace, JoinError::OldServer);
            }
            (Some(State::Leaving(_)), sid) => {
                if sid.is_some() {
                    self.send_disconnect(namespace);
                }
                self.forget_question(namespace);
            }
            _ => {}
        }
        Ok(())
    }

    fn receive_disconnect(&mut self, namespace: NamespaceId) {
        match self.state(namespace) {
            Some(State::Joined { .. }) => self.expelled(namespace),
            // It has crossed ours, and does not answer what was asked after that.
            Some(State::Joining { .. } | State::Leaving(_))
                if self.former(namespace) == Former::MayBeHeard => {}
            Some(State::Joining { .. }) => {
                let message = Reason::ServerDisconnect.as_str().to_owned();
                self.refused(namespace, JoinError::Refused { message, data: None });
            }
            Some(State::Leaving(_)) => self.forget_question(namespace),
            _ => {}
        }
    }

    fn receive_refusal(&mut self, namespace: NamespaceId, payload: Bytes) {
        match self.state(namespace) {
            Some(State::Joining { .. }) => self.refused(namespace, read_refusal(payload)),
            Some(State::Leaving(_)) => self.forget_question(namespace),
            _ => {}
        }
    }

    fn receive_event(&mut self, namespace: NamespaceId, event: EventParts) -> Result<(), Violation> {
        let limit = self.config.engine.limits.queued_bytes;
        let former = self.former(namespace);
        match self.state_mut(namespace) {
            Some(State::Joined { .. }) => self.tell_event(namespace, event),
            Some(State::Joining { .. }) if former == Former::MayBeHeard => {}
            Some(State::Joining { held, .. }) => held.push(event, limit)?,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn tell_held(&mut self, namespace: NamespaceId, held: Held) {
        for event in held.events {
            self.tell_event(namespace, event);
        }
    }

    fn tell_event(&mut self, namespace: NamespaceId, event: EventParts) {
        let epoch = self.namespaces.get(namespace.index()).map(|state| state.epoch);
        let ack = event
            .id
            .zip(epoch)
            .map(|(id, epoch)| AckToken { namespace, epoch, id });
        self.events.push_back(Event::Event {
            namespace,
            name: event.name,
            arguments: event.arguments,
            ack,
        });
    }
}

impl Held {
    /// Keeps an event, copied out of the read buffer.
    fn push(&mut self, event: EventParts, limit: usize) -> Result<(), Violation> {
        let attachments = event.arguments.attachments().iter().map(Bytes::len);
        let text = event
            .arguments
            .text()
            .len()
            .saturating_add(event.name.raw().len());
        let size = attachments.fold(text, usize::saturating_add);
        self.bytes = self.bytes.saturating_add(size);
        if self.events.len() >= HELD_EVENTS || self.bytes > limit {
            return Err(Violation::TooMuchBeforeJoining);
        }
        self.events.push(EventParts {
            name: event.name.detach(),
            id: event.id,
            arguments: event.arguments.detach(),
        });
        Ok(())
    }
}

/// An object with a message, or, from older servers, a string.
fn read_refusal(payload: Bytes) -> JoinError {
    let payload = Raw::trusted(payload, Attachments::default());
    if let Ok(Refusal { message, data }) = payload.parse() {
        return JoinError::Refused {
            message,
            data: data.map(|data| data.detach()),
        };
    }
    let message = payload.parse().unwrap_or_else(|_| payload.as_str().to_owned());
    JoinError::Refused { message, data: None }
}

//! Requests and their answers, and WebSockets once they are there.

use super::connection::{Answer, Command, Errand, Exchange, Line, Persistence, Role, Speech};
use super::deadlines::Due;
use super::event::{CloseReason, Failure, detail_of};
use super::{Client, ConnId};
use crate::Text;
use crate::eio::Transport;
use crate::http::{ResponseHead, StatusCode};
use crate::timer::later;
use crate::wire::ClientItem;

impl<M> Client<M> {
    pub(super) fn handle_busy_item(&mut self, connection: ConnId, item: ClientItem<M>) {
        let Some(exchange) = self.exchange(connection) else {
            return;
        };
        let errand = exchange.errand;
        match (item, &mut exchange.answer) {
            (ClientItem::Unanswered, _) if errand == Errand::Poll && exchange.line == Line::Reused => {
                self.repeat_poll(connection);
            }
            (ClientItem::Response(head), Answer::Awaited) => self.handle_response(connection, errand, &head),
            (ClientItem::ErrorBody(body), Answer::Refused(failure)) => {
                failure.detail = failure.detail.take().or_else(|| detail_of(&body));
            }
            (ClientItem::End, _) => self.end_exchange(connection),
            (ClientItem::Failed(error), answer) => {
                let failure = match answer {
                    Answer::Refused(failure) => failure.clone(),
                    Answer::Awaited | Answer::Accepted(_) => CloseReason::from(error).into(),
                };
                self.fail(connection, errand, failure);
            }
            (item, Answer::Accepted(_)) => match errand {
                Errand::Handshake(transport) => self.handle_handshake_item(connection, transport, item),
                Errand::Poll => self.receive(item),
                Errand::Post | Errand::Probe => {}
            },
            (_, Answer::Awaited | Answer::Refused(_)) => {}
        }
    }

    pub(super) fn handle_websocket_item(&mut self, connection: ConnId, speech: Speech, item: ClientItem<M>) {
        match speech {
            Speech::Handshake => self.handle_handshake_item(connection, Transport::WebSocket, item),
            Speech::Probe => self.handle_probe_item(connection, item),
            Speech::Session => match item {
                ClientItem::Closed(_) => self.end(CloseReason::TransportClose),
                ClientItem::Failed(error) => self.end(CloseReason::from(error)),
                item => self.receive(item),
            },
        }
    }

    fn handle_response(&mut self, connection: ConnId, errand: Errand, head: &ResponseHead) {
        self.requests.store_cookies(self.now, head);
        let is_websocket = matches!(errand, Errand::Handshake(Transport::WebSocket) | Errand::Probe);
        let answer = match (is_websocket, head.status()) {
            (true, StatusCode::SWITCHING_PROTOCOLS) => return self.begin_websocket(connection, errand),
            (false, StatusCode::OK) => Answer::Accepted(Persistence::after(head)),
            _ => Answer::Refused(refusal_of(errand, head)),
        };
        if errand == Errand::Poll && matches!(answer, Answer::Refused(_)) {
            // Polls may take for ever, but the words that end a session may not.
            let deadline = later(self.now, self.config.request_timeout);
            self.deadlines.arm(Due::Poll, deadline);
        }
        if let Some(exchange) = self.exchange(connection) {
            exchange.answer = answer;
        }
    }

    fn begin_websocket(&mut self, connection: ConnId, errand: Errand) {
        if errand == Errand::Probe {
            self.set_role(connection, Role::WebSocket(Speech::Probe));
            self.command(connection, Command::Text(b"2probe"));
        } else {
            self.set_role(connection, Role::WebSocket(Speech::Handshake));
        }
    }

    fn end_exchange(&mut self, connection: ConnId) {
        let Some(Exchange { errand, answer, .. }) = self.exchange(connection) else {
            return;
        };
        let errand = *errand;
        match answer {
            Answer::Refused(failure) => {
                let failure = failure.clone();
                self.fail(connection, errand, failure);
            }
            Answer::Awaited => self.fail(connection, errand, CloseReason::ConnectionLost),
            Answer::Accepted(persistence) => {
                let persistence = *persistence;
                match errand {
                    Errand::Poll => self.poll_answered(connection, persistence),
                    Errand::Post => self.post_answered(connection, persistence),
                    Errand::Handshake(_) | Errand::Probe => {
                        self.fail(connection, errand, CloseReason::InvalidHandshake);
                    }
                }
            }
        }
    }

    /// A connection was lost before its answer was complete.
    pub(super) fn exchange_lost(&mut self, connection: ConnId, exchange: Exchange) {
        match (exchange.errand, exchange.answer) {
            (errand, Answer::Refused(failure)) => self.fail(connection, errand, failure),
            // A poll may have been answered, and its packets are lost.
            (errand, _) => self.fail(connection, errand, CloseReason::ConnectionLost),
        }
    }

    /// The time for an answer is over.
    pub(super) fn exchange_due(&mut self, errand: Errand) {
        let Some(polling) = self.polling() else { return };
        let connection = match errand {
            Errand::Post => polling.post,
            _ => polling.poll,
        };
        let failure = connection.and_then(|connection| self.refusal(connection));
        self.end(failure.unwrap_or_else(|| CloseReason::RequestTimedOut.into()));
    }

    /// Whether the exchange on a connection is not its first.
    pub(super) fn is_reused(&self, connection: ConnId) -> bool {
        let role = self.connections.get(connection.0).map(|state| &state.role);
        matches!(role, Some(Role::Busy(exchange)) if exchange.line == Line::Reused)
    }

    fn exchange(&mut self, connection: ConnId) -> Option<&mut Exchange> {
        match &mut self.connections.get_mut(connection.0)?.role {
            Role::Busy(exchange) => Some(exchange),
            _ => None,
        }
    }
}

/// What an answer with the wrong status means.
fn refusal_of(errand: Errand, head: &ResponseHead) -> Failure {
    let status = head.status();
    if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Failure {
            reason: CloseReason::Redirected(status),
            detail: head.location().and_then(destination),
        };
    }
    match errand {
        Errand::Handshake(_) | Errand::Probe => CloseReason::Refused(status).into(),
        Errand::Poll | Errand::Post => CloseReason::RequestFailed(status).into(),
    }
}

/// Where a redirect leads, without the query: servers repeat that of the request, which may hold credentials.
fn destination(location: &str) -> Option<Text> {
    let end = location.find(['?', '#']).unwrap_or(location.len());
    detail_of(location.get(..end)?.as_bytes())
}

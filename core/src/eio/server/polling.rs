//! Long-polling: polls that wait for packets, posts that bring them.

use super::connection::{Command, Role};
use super::session::{Carrier, Phase, Polling};
use super::{CloseReason, ConnId, RefusalContext, RequestError, Server, SessionId};
use crate::OutBuf;
use crate::http::{BodyLength, Headers, Response, StatusCode};
use crate::wire::{BodyFailure, Item};

impl<M> Server<M> {
    /// A GET for a polling session: it waits until there are packets.
    pub(super) fn accept_poll(&mut self, connection: ConnId, id: SessionId, headers: Headers) {
        let Some(polling) = self.polling(id) else { return };
        if polling.poll.is_some() {
            self.answer(connection, with_headers(StatusCode::BAD_REQUEST, headers));
            return self.close_session(id, CloseReason::OverlappingPoll);
        }
        let is_lingering = matches!(polling.phase, Phase::Lingering(_));
        polling.poll = Some(connection);
        if let Some(state) = self.connections.get_mut(connection.0) {
            state.role = Role::Poll { session: id, headers };
        }
        let Some(session) = self.sessions.get(id.0) else {
            return;
        };
        if !session.queue.is_empty() {
            self.mark_ready(connection);
        } else if is_lingering {
            self.tell_of_close(id);
        } else {
            self.release_if_upgrading(id);
        }
    }

    /// A POST for a polling session.
    pub(super) fn accept_post(
        &mut self,
        connection: ConnId,
        id: SessionId,
        headers: Headers,
        is_octets: bool,
        length: BodyLength,
    ) {
        let limit = self.config.max_payload as u64;
        let Some(polling) = self.polling(id) else { return };
        if let Some(first) = polling.post {
            self.answer(connection, with_headers(StatusCode::BAD_REQUEST, headers));
            self.cut(first);
            return self.close_session(id, CloseReason::OverlappingPost);
        }
        if is_octets {
            self.answer(connection, with_headers(StatusCode::BAD_REQUEST, headers));
            return self.close_session(id, CloseReason::InvalidContent);
        }
        if matches!(length, BodyLength::Length(length) if length > limit) {
            let context = RefusalContext::Body(BodyFailure::TooLarge);
            self.report(connection, RequestError::BadRequest, context);
            return self.answer(connection, with_headers(StatusCode::CONTENT_TOO_LARGE, headers));
        }
        polling.post = Some(connection);
        if let Some(state) = self.connections.get_mut(connection.0) {
            state.role = Role::Post { session: id, headers };
        }
        self.start_body(connection);
    }

    pub(super) fn handle_post_item(&mut self, connection: ConnId, id: SessionId, item: Item<M>) {
        // Items come once the body is complete, and how long they take is not the client's doing.
        self.disarm_connection(connection);
        match item {
            Item::BodyEnd => {
                let headers = self.end_post(connection, id);
                self.answer(
                    connection,
                    with_headers(StatusCode::OK, headers).with_body("text/html", "ok"),
                );
            }
            Item::BodyFailed(failure) => {
                let headers = self.end_post(connection, id);
                self.answer(connection, with_headers(failure.status(), headers));
                self.report(
                    connection,
                    RequestError::BadRequest,
                    RefusalContext::Body(failure),
                );
                if failure != BodyFailure::TooLarge {
                    self.close_session(id, CloseReason::PostLost);
                }
            }
            Item::Failed(_) => {
                let _ = self.end_post(connection, id);
                self.end_connection(connection);
                self.close_session(id, CloseReason::PostLost);
            }
            item => self.receive(id, item),
        }
    }

    /// The post is over for its session; the headers of its answer.
    fn end_post(&mut self, connection: ConnId, id: SessionId) -> Headers {
        if let Some(polling) = self.polling(id)
            && polling.post == Some(connection)
        {
            polling.post = None;
        }
        match self
            .connections
            .get_mut(connection.0)
            .map(|state| core::mem::replace(&mut state.role, Role::Idle))
        {
            Some(Role::Post { headers, .. }) => headers,
            _ => Headers::new(),
        }
    }

    pub(super) fn poll_lost(&mut self, id: SessionId, connection: ConnId) {
        let Some(polling) = self.polling(id) else { return };
        if polling.poll == Some(connection) {
            polling.poll = None;
            self.close_session(id, CloseReason::PollLost);
        }
    }

    /// A POST came to nothing, and its session ends with it.
    pub(super) fn post_ended(&mut self, id: SessionId, connection: ConnId, reason: CloseReason) {
        let Some(polling) = self.polling(id) else { return };
        if polling.post == Some(connection) {
            polling.post = None;
            self.close_session(id, reason);
        }
    }

    /// Answers the waiting poll of a session with one packet that does not go through the queue, so that it
    /// can never end up on another transport.
    pub(super) fn release_poll(&mut self, id: SessionId, packet: &'static str) {
        if let Some(connection) = self.polling(id).and_then(|polling| polling.poll.take()) {
            self.answer_poll(connection, packet);
        }
    }

    /// Answers a poll with `packet`, which is the whole body.
    pub(super) fn answer_poll(&mut self, connection: ConnId, packet: &'static str) {
        let headers = self.take_poll(connection);
        let response = with_headers(StatusCode::OK, headers).with_body("text/plain; charset=UTF-8", packet);
        self.answer(connection, response);
    }

    /// Answers a poll with the packets a session left behind.
    pub(super) fn answer_poll_with(&mut self, connection: ConnId, queue: OutBuf) {
        let headers = self.take_poll(connection);
        self.command(connection, Command::Payload(Box::new(queue), headers));
        self.rest(connection);
    }

    /// Ends the poll on a connection; the headers of its answer.
    pub(super) fn take_poll(&mut self, connection: ConnId) -> Headers {
        match self
            .connections
            .get_mut(connection.0)
            .map(|state| core::mem::replace(&mut state.role, Role::Idle))
        {
            Some(Role::Poll { headers, .. }) => headers,
            _ => Headers::new(),
        }
    }

    /// Ends a connection without an answer.
    pub(super) fn cut(&mut self, connection: ConnId) {
        self.end_connection(connection);
        self.command(connection, Command::Close(None));
    }

    pub(super) fn polling(&mut self, id: SessionId) -> Option<&mut Polling> {
        match &mut self.sessions.get_mut(id.0)?.carrier {
            Carrier::Polling(polling) => Some(polling),
            Carrier::WebSocket { .. } => None,
        }
    }
}

fn with_headers(status: StatusCode, headers: Headers) -> Response {
    let mut response = Response::new(status);
    *response.headers_mut() = headers;
    response
}

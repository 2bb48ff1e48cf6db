//! From a request to what it is for: the checks of protocol section 1.5, in their order.

use super::connection::{Command, Role};
use super::session::{Carrier, Heartbeat, Polling, Session};
use super::{
    ConnId, Event, Peer, RefusalContext, RequestError, RequestId, Server, SessionId, Stage, TimerKind,
};
use crate::eio::{ClientBundle, Gate, Transport, Watch};
use crate::http::{Headers, Method, RequestHead, Response, StatusCode, WebSocketRefusal, WebSocketRequest};
use crate::{OutBuf, Sid};
use bytes::Bytes;
use core::fmt::Write;
use std::time::Instant;

/// The names under which JS servers give out the browser client (protocol section 5.1).
pub const CLIENT_BUNDLES: [&str; 8] = [
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
    "socket.io.msgpack.min.js",
    "socket.io.msgpack.min.js.map",
];

/// What a request turned out to be.
enum Route {
    Handshake(Transport),
    Poll(SessionId),
    Post(SessionId),
    /// Another method on a living polling session.
    OtherMethod,
    Probe(SessionId),
    /// A WebSocket that is accepted only to be closed: refusing it with an HTTP error makes clients throw.
    Surplus,
    BadUpgrade(WebSocketRefusal),
}

type Refused = (RequestError, RefusalContext);

impl<M> Server<M> {
    pub(super) fn handle_request(&mut self, connection: ConnId, head: RequestHead) {
        self.disarm_connection(connection);
        if !self.is_ours(&head) {
            return self.hand_over(connection, head);
        }
        if let Some(response) = self.config.cors.as_ref().and_then(|cors| cors.preflight(&head)) {
            return self.answer(connection, response);
        }
        match self.route(&head) {
            Ok(Route::Handshake(transport)) => self.begin_handshake(connection, head, transport),
            Ok(Route::Poll(session)) => self.begin_poll(connection, session, &head),
            Ok(Route::Post(session)) => self.begin_post(connection, session, &head),
            Ok(Route::Probe(session)) => self.begin_upgrade(connection, session, &head),
            Ok(Route::OtherMethod) => {
                let mut response = Response::new(StatusCode::INTERNAL_SERVER_ERROR);
                self.add_cors(&head, &mut response);
                self.answer(connection, response);
            }
            Ok(Route::Surplus) => {
                let headers = self.upgrade_headers(&head);
                self.command(connection, Command::AcceptWebSocket(headers));
                self.command(connection, Command::Close(None));
                self.end_connection(connection);
            }
            Ok(Route::BadUpgrade(refusal)) => {
                let mut response = Response::new(refusal.status()).with_body("text/html", refusal.message());
                if refusal == WebSocketRefusal::UnsupportedVersion {
                    response.headers_mut().append_known("Sec-WebSocket-Version", "13");
                }
                self.add_cors(&head, &mut response);
                self.report(
                    connection,
                    RequestError::BadRequest,
                    RefusalContext::TransportHandshake,
                );
                self.answer_last(connection, response);
            }
            Err(refused) => self.refuse(connection, &head, refused),
        }
    }

    /// Lets a handshake in that [`Event::Handshake`] asked about.
    pub fn allow(&mut self, now: Instant, request: RequestId) {
        self.advance(now);
        if let Some(head) = self.decided(request) {
            let transport = transport_of(&head);
            self.check_version(request.connection, head, transport);
        }
    }

    /// Refuses a handshake that [`Event::Handshake`] asked about: status 403 and `message`, or, for a
    /// WebSocket, status 400.
    pub fn forbid(&mut self, now: Instant, request: RequestId, message: &str) {
        self.advance(now);
        if let Some(head) = self.decided(request) {
            let refused = (
                RequestError::Forbidden(message.to_owned()),
                RefusalContext::Forbidden,
            );
            self.refuse(request.connection, &head, refused);
        }
    }

    fn decided(&mut self, request: RequestId) -> Option<RequestHead> {
        self.request(request)?;
        let state = self.connections.get_mut(request.connection.0)?;
        match core::mem::replace(&mut state.role, Role::Idle) {
            Role::Deciding(head) => Some(*head),
            other => {
                state.role = other;
                None
            }
        }
    }

    fn is_ours(&self, head: &RequestHead) -> bool {
        let Some(rest) = head.path().strip_prefix(self.config.path.as_str()) else {
            return false;
        };
        let is_bundle = self.config.client_bundle == ClientBundle::Present
            && matches!(head.method(), Method::Get | Method::Head)
            && CLIENT_BUNDLES.contains(&rest);
        !is_bundle
    }

    fn hand_over(&mut self, connection: ConnId, head: RequestHead) {
        let Some(state) = self.connections.get_mut(connection.0) else {
            return;
        };
        state.role = Role::Foreign;
        let request = RequestId {
            connection,
            serial: state.serial,
        };
        self.events.push_back(Event::Request { request, head });
    }

    fn route(&self, head: &RequestHead) -> Result<Route, Refused> {
        let query = head.query();
        let upgrade = head.websocket();
        let is_upgrade = !matches!(upgrade, WebSocketRequest::NotUpgrade);
        let transport = match query.get("transport").as_deref() {
            Some("polling") => Transport::Polling,
            Some("websocket") => Transport::WebSocket,
            _ => return Err((RequestError::TransportUnknown, RefusalContext::Transport)),
        };
        if !self.config.allows(transport) {
            return Err((RequestError::TransportUnknown, RefusalContext::Transport));
        }
        if head
            .origin()
            .is_some_and(|origin| !origin.iter().copied().all(is_header_byte))
        {
            return Err((RequestError::BadRequest, RefusalContext::InvalidOrigin));
        }
        let route = match query.get("sid").filter(|sid| !sid.is_empty()) {
            Some(sid) => {
                let session = self.find(&sid)?;
                self.route_session(head, session, transport, is_upgrade)?
            }
            None if head.method() != Method::Get => {
                return Err((RequestError::BadHandshakeMethod, RefusalContext::Method));
            }
            None if transport == Transport::WebSocket && !is_upgrade => {
                return Err((RequestError::BadRequest, RefusalContext::TransportHandshake));
            }
            None if transport == Transport::Polling && is_upgrade => Route::Surplus,
            None => Route::Handshake(transport),
        };
        Ok(route.checked(&upgrade))
    }

    fn find(&self, sid: &str) -> Result<SessionId, Refused> {
        Sid::parse(sid)
            .and_then(|sid| self.by_sid.get(&sid).copied())
            .ok_or((RequestError::SessionUnknown, RefusalContext::UnknownSession))
    }

    /// What a request with a known `sid` is for.
    fn route_session(
        &self,
        head: &RequestHead,
        id: SessionId,
        transport: Transport,
        is_upgrade: bool,
    ) -> Result<Route, Refused> {
        let unknown = (RequestError::SessionUnknown, RefusalContext::UnknownSession);
        let Some(session) = self.sessions.get(id.0) else {
            return Err(unknown);
        };
        if !is_upgrade && transport != session.transport() {
            return Err((RequestError::BadRequest, RefusalContext::TransportMismatch));
        }
        if head.query().get("EIO").as_deref() != Some("4") {
            return Err((RequestError::BadRequest, RefusalContext::ProtocolMismatch));
        }
        if is_upgrade {
            let is_free = matches!(&session.carrier, Carrier::Polling(polling) if polling.upgrade.is_none());
            let may = is_free && transport == Transport::WebSocket && self.config.offers_upgrade();
            return Ok(if may { Route::Probe(id) } else { Route::Surplus });
        }
        if transport == Transport::WebSocket {
            return Err((RequestError::BadRequest, RefusalContext::TransportMismatch));
        }
        Ok(match head.method() {
            Method::Get => Route::Poll(id),
            Method::Post => Route::Post(id),
            _ => Route::OtherMethod,
        })
    }

    fn begin_handshake(&mut self, connection: ConnId, head: RequestHead, transport: Transport) {
        if let Some(context) = self.fullness() {
            return self.turn_away(connection, &head, context);
        }
        if self.config.gate == Gate::Open {
            return self.check_version(connection, head, transport);
        }
        let Some(state) = self.connections.get_mut(connection.0) else {
            return;
        };
        state.role = Role::Deciding(Box::new(head));
        let request = RequestId {
            connection,
            serial: state.serial,
        };
        self.events.push_back(Event::Handshake { request });
    }

    fn check_version(&mut self, connection: ConnId, head: RequestHead, transport: Transport) {
        if head.query().get("EIO").as_deref() != Some("4") {
            let refused = (RequestError::UnsupportedVersion, RefusalContext::Version);
            return self.refuse(connection, &head, refused);
        }
        // Others may have been let in while the application decided.
        if let Some(context) = self.fullness() {
            return self.turn_away(connection, &head, context);
        }
        self.open_session(connection, head, transport);
    }

    /// Why there may be no other session, if there may not.
    fn fullness(&self) -> Option<RefusalContext> {
        if self.stage == Stage::ShutDown {
            Some(RefusalContext::Unavailable)
        } else if self.sessions.len() >= self.config.limits.sessions {
            Some(RefusalContext::TooManySessions)
        } else {
            None
        }
    }

    fn open_session(&mut self, connection: ConnId, head: RequestHead, transport: Transport) {
        let mut headers = match transport {
            Transport::Polling => self.polling_headers(&head),
            Transport::WebSocket => self.upgrade_headers(&head),
        };
        let sid = self.random.sid(self.config.shard);
        let peer = self
            .connections
            .get(connection.0)
            .map(|state| state.peer)
            .unwrap_or_default();
        let carrier = match transport {
            Transport::Polling => Carrier::Polling(Polling::new()),
            Transport::WebSocket => Carrier::WebSocket {
                connection,
                unwritten: 0,
            },
        };
        let queue = OutBuf::new();
        let session = Session {
            sid,
            head,
            peer,
            carrier,
            heartbeat: Heartbeat::Stopped,
            queue,
            answers: 0,
            watch: Watch::Idle,
        };
        let id = SessionId(self.sessions.insert(session));
        self.by_sid.insert(sid, id);
        self.rest_heartbeat(id, self.now);
        let handshake = self.handshake_text(sid, transport);
        match transport {
            Transport::Polling => {
                if let Some(cookie) = &self.config.cookie {
                    headers.append_known("Set-Cookie", cookie.header_value(sid.as_str()));
                }
                let mut response =
                    Response::new(StatusCode::OK).with_body("text/plain; charset=UTF-8", handshake);
                response.headers_mut().extend(&headers);
                self.answer(connection, response);
            }
            Transport::WebSocket => {
                self.command(connection, Command::AcceptWebSocket(headers));
                if let Some(state) = self.connections.get_mut(connection.0) {
                    state.role = Role::WebSocket(id);
                }
                self.put_text(id, handshake.as_bytes());
            }
        }
        self.events.push_back(Event::Opened { session: id });
    }

    /// The open packet, `0` and five fields in this order (protocol section 1.4).
    fn handshake_text(&self, sid: Sid, transport: Transport) -> String {
        let can_upgrade = transport == Transport::Polling && self.config.offers_upgrade();
        let mut text = String::with_capacity(128);
        let written = write!(
            text,
            r#"0{{"sid":"{sid}","upgrades":[{}],"pingInterval":{},"pingTimeout":{},"maxPayload":{}}}"#,
            if can_upgrade { "\"websocket\"" } else { "" },
            self.config.ping_interval.as_millis(),
            self.config.ping_timeout.as_millis(),
            self.config.max_payload,
        );
        debug_assert!(written.is_ok(), "writing to a String does not fail");
        text
    }

    fn begin_poll(&mut self, connection: ConnId, session: SessionId, head: &RequestHead) {
        let headers = self.polling_headers(head);
        self.accept_poll(connection, session, headers);
    }

    fn begin_post(&mut self, connection: ConnId, session: SessionId, head: &RequestHead) {
        let headers = self.polling_headers(head);
        let is_octets = head.content_type() == Some(b"application/octet-stream");
        self.accept_post(connection, session, headers, is_octets, head.body_length());
    }

    fn begin_upgrade(&mut self, connection: ConnId, session: SessionId, head: &RequestHead) {
        let headers = self.upgrade_headers(head);
        self.accept_upgrade(connection, session, headers);
    }

    fn refuse(&mut self, connection: ConnId, head: &RequestHead, (error, context): Refused) {
        let is_upgrade = !matches!(head.websocket(), WebSocketRequest::NotUpgrade);
        let is_plain =
            !is_upgrade || context == RefusalContext::Transport && !self.config.allows(Transport::WebSocket);
        let mut response = if is_plain {
            error.response()
        } else {
            error.upgrade_response()
        };
        self.report(connection, error, context);
        self.add_cors(head, &mut response);
        if is_plain {
            self.answer(connection, response)
        } else {
            self.answer_last(connection, response)
        }
    }

    pub(super) fn report(&mut self, connection: ConnId, error: RequestError, context: RefusalContext) {
        let peer = self
            .connections
            .get(connection.0)
            .map(|state| state.peer)
            .unwrap_or_default();
        self.report_peer(peer, error, context);
    }

    pub(super) fn report_peer(&mut self, peer: Peer, error: RequestError, context: RefusalContext) {
        self.events.push_back(Event::Refused { peer, error, context });
    }

    pub(super) fn add_cors(&self, head: &RequestHead, response: &mut Response) {
        if let Some(cors) = &self.config.cors {
            cors.headers_for(head, response.headers_mut());
        }
    }

    fn base_headers(&self, head: &RequestHead) -> Headers {
        let mut headers = Headers::new();
        if let Some(cors) = &self.config.cors {
            cors.headers_for(head, &mut headers);
        }
        headers
    }

    /// The headers of a switch to WebSocket. Of the subprotocols offered the first is chosen, as in JS: a browser
    /// that offers some fails when none is.
    fn upgrade_headers(&self, head: &RequestHead) -> Headers {
        let mut headers = self.base_headers(head);
        let offered = head.header_list("Sec-WebSocket-Protocol").next();
        if let Some(protocol) = offered.filter(|protocol| protocol.iter().all(u8::is_ascii_graphic)) {
            headers.append_known("Sec-WebSocket-Protocol", Bytes::copy_from_slice(protocol));
        }
        headers
    }

    /// The headers of a poll's or a post's answer (protocol section 1.6).
    fn polling_headers(&self, head: &RequestHead) -> Headers {
        let mut headers = self.base_headers(head);
        headers.append_known("cache-control", "no-store");
        let is_old_explorer = head.user_agent().is_some_and(|agent| {
            memchr::memmem::find(agent, b";MSIE").is_some()
                || memchr::memmem::find(agent, b"Trident/").is_some()
        });
        if is_old_explorer {
            headers.append_known("X-XSS-Protection", "0");
        }
        headers
    }

    pub(super) fn start_body(&mut self, connection: ConnId) {
        self.arm_connection(connection, TimerKind::Body);
        self.command(connection, Command::ReadPayload);
    }
}

impl Route {
    /// A WebSocket that is malformed is refused with the words of the JS library.
    fn checked(self, upgrade: &WebSocketRequest<'_>) -> Self {
        match upgrade {
            WebSocketRequest::Malformed(refusal) => Self::BadUpgrade(*refusal),
            WebSocketRequest::NotUpgrade | WebSocketRequest::Upgrade { .. } => self,
        }
    }
}

fn transport_of(head: &RequestHead) -> Transport {
    match head.websocket() {
        WebSocketRequest::NotUpgrade => Transport::Polling,
        _ => Transport::WebSocket,
    }
}

/// What may stand in a header value: tab, visible ASCII and space, and everything above ASCII.
const fn is_header_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x7e | 0x80..=0xff)
}

//! An Engine.IO session over HTTP long-polling (protocol sections 1.2, 1.6), one keep-alive connection per direction.

use serde_json::Value;

use super::{Deadline, HttpConnection, Request, Response, WebSocketClient};
use crate::testbed::Target;

/// A session that the case drives poll by poll.
#[derive(Debug)]
pub struct Polling {
    target: Target,
    sid: String,
    gets: HttpConnection,
    posts: HttpConnection,
}

impl Polling {
    /// Opens a session.
    #[track_caller]
    pub fn open(target: &Target) -> Self {
        Self::open_with(target, "").0
    }

    /// Opens a session with more query parameters (`&name=value`); also returns the handshake.
    #[track_caller]
    pub fn open_with(target: &Target, query: &str) -> (Self, Value) {
        let mut gets = HttpConnection::open(target);
        gets.send(&Request::get(format!(
            "{}?EIO=4&transport=polling{query}",
            target.path()
        )));
        let response = gets.response();
        assert_eq!(response.status, 200, "handshake refused: {response:?}");
        let json = response
            .text()
            .strip_prefix('0')
            .unwrap_or_else(|| panic!("no open packet: {response:?}"));
        let handshake: Value = serde_json::from_str(json).expect("the handshake is JSON");
        let sid = handshake["sid"]
            .as_str()
            .expect("the handshake has a sid")
            .to_owned();
        let posts = HttpConnection::open(target);
        (
            Self {
                target: target.clone(),
                sid,
                gets,
                posts,
            },
            handshake,
        )
    }

    /// The session id.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// The server the session is on.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Path and query of this session's polling requests.
    pub fn url(&self) -> String {
        format!("{}?EIO=4&transport=polling&sid={}", self.target.path(), self.sid)
    }

    /// Query of a WebSocket that joins this session.
    pub fn websocket_query(&self) -> String {
        format!("EIO=4&transport=websocket&sid={}", self.sid)
    }

    /// Sends a poll and waits for its answer, whatever it is.
    #[track_caller]
    pub fn get(&mut self) -> Response {
        self.send_get();
        self.get_response()
    }

    /// Sends a poll without waiting; [`super::settle`] makes it parked.
    #[track_caller]
    pub fn send_get(&mut self) {
        self.gets.send(&Request::get(self.url()));
    }

    /// Waits for the answer to [`Polling::send_get`].
    #[track_caller]
    pub fn get_response(&mut self) -> Response {
        self.gets.response()
    }

    /// Drops the connection of the polls, with a poll on it or not.
    pub fn abort_get(&mut self) {
        self.gets = HttpConnection::open(&self.target);
    }

    /// Sends packets and returns the answer.
    #[track_caller]
    pub fn post(&mut self, body: &str) -> Response {
        self.posts.send(&Request::post(self.url(), body));
        self.posts.response()
    }

    /// Sends packets that the server must take.
    #[track_caller]
    pub fn deliver(&mut self, body: &str) {
        self.post(body).assert_is(200, "ok");
    }

    /// The next packets that are not heartbeats; heartbeats are answered.
    #[track_caller]
    pub fn poll(&mut self) -> Vec<String> {
        self.send_get();
        self.poll_response()
    }

    /// As [`Polling::poll`], for a poll that was already sent.
    #[track_caller]
    pub fn poll_response(&mut self) -> Vec<String> {
        let deadline = Deadline::start();
        loop {
            deadline.check("packet");
            let response = self.get_response();
            assert_eq!(response.status, 200, "poll refused: {response:?}");
            let mut packets = response.packets();
            if packets.iter().any(|packet| packet == "2") {
                self.deliver("3");
                packets.retain(|packet| packet != "2");
            }
            if !packets.is_empty() {
                return packets;
            }
            self.send_get();
        }
    }

    /// Polls until `count` packets that are neither heartbeats nor noops have come: a server whose handlers have threads
    /// of their own may answer a poll when only the first of several has run.
    #[track_caller]
    pub fn collect(&mut self, count: usize) -> Vec<String> {
        let (mut packets, deadline) = (Vec::new(), Deadline::start());
        while packets.len() < count {
            deadline.check("packet");
            packets.extend(self.poll().into_iter().filter(|packet| packet != "6"));
        }
        packets
    }

    /// Asserts that the session is no more.
    #[track_caller]
    pub fn assert_gone(&mut self) {
        let response = HttpConnection::exchange(&self.target, &Request::get(self.url()));
        response.assert_is(400, r#"{"code":1,"message":"Session ID unknown"}"#);
    }

    /// Opens a WebSocket for this session and has its probe answered.
    #[track_caller]
    pub fn probe(&self) -> WebSocketClient {
        let mut socket = WebSocketClient::open(&self.target, &self.websocket_query());
        socket.send("2probe");
        socket.expect_text("3probe");
        socket
    }

    /// Moves the session to a WebSocket.
    #[track_caller]
    pub fn upgrade(&self) -> WebSocketClient {
        let mut socket = self.probe();
        socket.send("5");
        socket
    }
}

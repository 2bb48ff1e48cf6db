//! What requests say (protocol section 1.3).

use super::config::{Config, Cookies, Security, Target};
use crate::Text;
use crate::eio::Transport;
use crate::http::{CookieJar, HeaderError, Headers, Request, RequestKind, ResponseHead};
use bytes::BytesMut;
use core::fmt::Write;
use std::time::Instant;

/// Writes the requests of one client and keeps its cookies.
pub(super) struct Requests {
    /// The path, encoded, with one `/` at its end.
    path: String,
    /// The path and what all queries begin with, up to the name of the transport.
    beginning: String,
    /// The name of the parameter that makes requests unique, encoded.
    timestamp: Option<String>,
    /// The value of that parameter in the next request.
    counter: u64,
    authority: String,
    security: Security,
    headers: Headers,
    protocols: Vec<String>,
    cookies: Cookies,
    jar: CookieJar,
}

/// As many values as the counter has before it begins anew: 8 digits of 36.
const COUNTS: u64 = 36_u64.pow(8);

impl Requests {
    /// For a client that has no target yet. Values of the timestamp count from `first`.
    pub(super) fn new(config: &Config, first: u64) -> Self {
        let path = path_of(&config.path);
        Self {
            beginning: path.clone(),
            path,
            timestamp: config.timestamp.as_deref().map(|name| {
                let mut encoded = String::new();
                encode_into(name, &mut encoded);
                encoded
            }),
            counter: first % COUNTS,
            authority: String::new(),
            security: Security::Plain,
            headers: Headers::new(),
            protocols: config.protocols.clone(),
            cookies: config.cookies,
            jar: CookieJar::new(),
        }
    }

    /// Requests go to `target` from now on. Cookies of another authority are forgotten.
    pub(super) fn aim(&mut self, target: Target) {
        if target.authority != self.authority {
            self.jar.clear();
        }
        self.beginning = self.path.clone();
        self.beginning.push('?');
        for (name, value) in &target.query {
            encode_into(name, &mut self.beginning);
            self.beginning.push('=');
            encode_into(value, &mut self.beginning);
            self.beginning.push('&');
        }
        self.beginning.push_str("EIO=4&transport=");
        self.authority = target.authority;
        self.security = target.security;
        self.headers = target.headers;
    }

    /// Whether requests can be written at all: a control character in the authority, or a subprotocol that is no
    /// token, would break them.
    pub(super) fn check(&self) -> Result<(), HeaderError> {
        let request = Request {
            target: self.beginning.clone(),
            authority: self.authority.clone(),
            headers: Headers::new(),
            kind: self.websocket(),
        };
        request.write_head("", &mut BytesMut::new())
    }

    /// The next request of this kind, in the session `sid` if there is one.
    pub(super) fn next(&mut self, now: Instant, kind: RequestKind, sid: Option<&Text>) -> Request {
        let transport = match kind {
            RequestKind::WebSocket { .. } => Transport::WebSocket,
            RequestKind::Poll | RequestKind::Post(_) => Transport::Polling,
        };
        let mut target = self.beginning.clone();
        target.push_str(transport.as_str());
        if transport == Transport::Polling {
            self.put_timestamp(&mut target);
        }
        if let Some(sid) = sid {
            target.push_str("&sid=");
            encode_into(sid.as_str(), &mut target);
        }
        Request {
            target,
            authority: self.authority.clone(),
            headers: self.headers_with_cookies(now),
            kind,
        }
    }

    /// A WebSocket handshake with the subprotocols of the configuration.
    pub(super) fn websocket(&self) -> RequestKind {
        RequestKind::WebSocket {
            protocols: self.protocols.clone(),
        }
    }

    /// Takes the cookies of an answer.
    pub(super) fn store_cookies(&mut self, now: Instant, head: &ResponseHead) {
        if self.cookies == Cookies::Kept {
            self.jar
                .store(now, self.security == Security::Tls, &self.path, head);
        }
    }

    fn put_timestamp(&mut self, target: &mut String) {
        let Some(name) = &self.timestamp else { return };
        target.push('&');
        target.push_str(name);
        target.push('=');
        let mut rest = self.counter;
        for _ in 0..8 {
            let digit = char::from_digit((rest % 36) as u32, 36).unwrap_or_default();
            target.push(digit);
            rest /= 36;
        }
        self.counter = self.counter.wrapping_add(1) % COUNTS;
    }

    /// The headers of the application, and the cookies in the one header that there may be of them.
    fn headers_with_cookies(&self, now: Instant) -> Headers {
        let mut headers = self.headers.clone();
        let kept = self.jar.header(now, self.security == Security::Tls, &self.path);
        let Some(kept) = kept else { return headers };
        let value = match headers.get("cookie") {
            Some(own) => [own, b"; ", kept.as_bytes()].concat(),
            None => kept.into_bytes(),
        };
        // What the server set could only be refused here if the jar let a control character in.
        let _ = headers.set("Cookie", value);
        headers
    }
}

/// `path` with one `/` at each end; what no path may hold is encoded, and what is encoded already stays.
fn path_of(path: &str) -> String {
    let mut encoded = String::from("/");
    for byte in path.trim_matches('/').bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"/%-._~!$&'()*+,;=:@".contains(&byte);
        put_byte(byte, is_plain, &mut encoded);
    }
    if encoded.len() > 1 {
        encoded.push('/');
    }
    encoded
}

/// Appends `text` to a query: all but the unreserved characters of RFC 3986 as `%XX`.
fn encode_into(text: &str, out: &mut String) {
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        put_byte(byte, is_plain, out);
    }
}

fn put_byte(byte: u8, is_plain: bool, out: &mut String) {
    if is_plain {
        out.push(char::from(byte));
    } else {
        // Writing to a string does not fail.
        let _ = write!(out, "%{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Query;
    use proptest::prelude::*;

    fn requests(change: impl FnOnce(&mut Config), query: &[(&str, &str)]) -> Requests {
        let mut config = Config::default();
        change(&mut config);
        let mut requests = Requests::new(&config, COUNTS - 1);
        requests.aim(Target {
            authority: "a".to_owned(),
            security: Security::Plain,
            query: query
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            headers: Headers::new(),
        });
        requests
    }

    #[allow(clippy::disallowed_methods)] // The one reading of the clock.
    fn target(requests: &mut Requests, kind: RequestKind, sid: Option<&str>) -> String {
        requests
            .next(Instant::now(), kind, sid.map(Text::from).as_ref())
            .target
    }

    #[test]
    fn parameters_stand_in_the_order_of_the_js_client() {
        let mut requests = requests(|_| {}, &[("room", "a b&c"), ("\u{e9}", "1+1")]);
        let beginning = "/engine.io/?room=a%20b%26c&%C3%A9=1%2B1&EIO=4&transport=";
        assert_eq!(
            target(&mut requests, RequestKind::Poll, None),
            format!("{beginning}polling&t=zzzzzzzz")
        );
        assert_eq!(
            target(&mut requests, RequestKind::Post("4".into()), Some("x/y=")),
            format!("{beginning}polling&t=00000000&sid=x%2Fy%3D")
        );
        let websocket = requests.websocket();
        assert_eq!(
            target(&mut requests, websocket, Some("x")),
            format!("{beginning}websocket&sid=x")
        );
    }

    #[test]
    fn the_timestamp_has_the_name_it_was_given_or_is_left_out() {
        let mut named = requests(|config| config.timestamp = Some("ts".to_owned()), &[]);
        assert_eq!(
            target(&mut named, RequestKind::Poll, None),
            "/engine.io/?EIO=4&transport=polling&ts=zzzzzzzz"
        );
        let mut without = requests(|config| config.timestamp = None, &[]);
        assert_eq!(
            target(&mut without, RequestKind::Poll, None),
            "/engine.io/?EIO=4&transport=polling"
        );
    }

    #[test]
    fn a_path_ends_with_one_slash_and_holds_nothing_a_request_line_may_not() {
        for (given, path) in [
            ("/socket.io", "/socket.io/"),
            ("socket.io/", "/socket.io/"),
            ("/socket.io//", "/socket.io/"),
            ("/", "/"),
            ("", "/"),
            ("/a/b", "/a/b/"),
            ("/a b?c#d\r\n%20\u{e9}", "/a%20b%3Fc%23d%0D%0A%20%C3%A9/"),
        ] {
            assert_eq!(path_of(given), path);
        }
    }

    proptest! {
        #[test]
        fn a_server_reads_the_parameters_as_they_were_given(name in "\\PC{1,8}", value in any::<String>()) {
            let mut requests = requests(|config| config.timestamp = None, &[(&name, &value)]);
            let target = target(&mut requests, RequestKind::Poll, None);
            let (_, query) = target.split_once('?').unwrap();
            let first = Query::new(query).iter().next().unwrap();
            prop_assert_eq!(first, (name.into(), value.into()));
        }
    }
}

//! The packet that opens a session (protocol section 1.4).

use crate::Text;
use core::time::Duration;
use serde::Deserialize;

/// Most bytes of a handshake. Real ones have about 100; the bound keeps a hostile list of upgrades small.
const HANDSHAKE_BYTES: usize = 64 * 1024;

/// Longest id of a session, which every request repeats. Real ones have about 20 bytes.
const SID_BYTES: usize = 256;

/// What a server says when it opens a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Handshake {
    pub(super) sid: Text,
    pub(super) offers_websocket: bool,
    /// How long the server may be silent: ping interval and ping timeout together.
    pub(super) patience: Duration,
    /// The largest body and message the server takes, if it says so.
    pub(super) max_payload: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    sid: String,
    upgrades: Vec<String>,
    ping_interval: u64,
    ping_timeout: u64,
    max_payload: Option<u64>,
}

impl Handshake {
    /// Reads the JSON of an `open` packet; `None` when it is none.
    pub(super) fn read(json: &Text) -> Option<Self> {
        if json.len() > HANDSHAKE_BYTES {
            return None;
        }
        let read: Json = serde_json::from_slice(json.as_bytes()).ok()?;
        if read.sid.is_empty() || read.sid.len() > SID_BYTES {
            return None;
        }
        Some(Self {
            sid: Text::from(read.sid),
            offers_websocket: read.upgrades.iter().any(|name| name == "websocket"),
            patience: Duration::from_millis(read.ping_interval.saturating_add(read.ping_timeout)),
            // 0 is no limit in JS.
            max_payload: read.max_payload.filter(|limit| *limit > 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Handshake> {
        Handshake::read(&Text::from(json))
    }

    #[test]
    fn a_handshake_of_the_js_server_is_read() {
        let json = r#"{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        let expected = Handshake {
            sid: Text::from("lv_VI97HAXpY6yYWAAAC"),
            offers_websocket: true,
            patience: Duration::from_secs(45),
            max_payload: Some(1_000_000),
        };
        assert_eq!(read(json), Some(expected));
    }

    #[test]
    fn what_older_servers_leave_out_and_newer_ones_add_does_not_matter() {
        let json = r#"{"sid":"a","upgrades":[],"pingInterval":1,"pingTimeout":2,"new":{"x":[1]}}"#;
        let handshake = read(json).unwrap();
        assert!(!handshake.offers_websocket);
        assert_eq!(handshake.max_payload, None);
        assert_eq!(
            read(r#"{"sid":"a","upgrades":[],"pingInterval":1,"pingTimeout":2,"maxPayload":0}"#)
                .unwrap()
                .max_payload,
            None
        );
    }

    #[test]
    fn times_beyond_the_clock_do_not_overflow() {
        let json = r#"{"sid":"a","upgrades":[],"pingInterval":18446744073709551615,"pingTimeout":18446744073709551615}"#;
        assert_eq!(read(json).unwrap().patience, Duration::from_millis(u64::MAX));
    }

    #[test]
    fn anything_else_is_no_handshake() {
        let long_sid = format!(
            r#"{{"sid":"{}","upgrades":[],"pingInterval":1,"pingTimeout":2}}"#,
            "a".repeat(257)
        );
        let long = format!(
            r#"{{"sid":"a","upgrades":[{}"x"],"pingInterval":1,"pingTimeout":2}}"#,
            "\"\",".repeat(30_000)
        );
        for json in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"sid":"","upgrades":[],"pingInterval":1,"pingTimeout":2}"#,
            r#"{"sid":1,"upgrades":[],"pingInterval":1,"pingTimeout":2}"#,
            r#"{"sid":"a","upgrades":null,"pingInterval":1,"pingTimeout":2}"#,
            r#"{"sid":"a","upgrades":[1],"pingInterval":1,"pingTimeout":2}"#,
            r#"{"sid":"a","upgrades":[],"pingInterval":-1,"pingTimeout":2}"#,
            r#"{"sid":"a","upgrades":[],"pingInterval":1.5,"pingTimeout":2}"#,
            r#"{"sid":"a","upgrades":[],"pingTimeout":2}"#,
            r#"{"sid":"a","upgrades":[],"pingInterval":1,"pingTimeout":2}x"#,
            &long_sid,
            &long,
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}

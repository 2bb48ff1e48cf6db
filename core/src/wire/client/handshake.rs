use crate::http::{ResponseHead, StatusCode};
use crate::ws;

/// What a WebSocket handshake asked for, to judge the answer by.
pub(super) struct Offer {
    accept: [u8; 28],
    protocols: Vec<String>,
}

impl Offer {
    /// The offer made with this `Sec-WebSocket-Key` and these subprotocols.
    pub(super) fn new(key: &[u8], protocols: Vec<String>) -> Self {
        Self {
            accept: ws::accept_key(key),
            protocols,
        }
    }

    /// Whether `head` is 101 and all that RFC 6455 section 4.1 asks of it: the key is answered, no extension
    /// is used, as none is ever offered, and a subprotocol is one of those offered. A server that selects none
    /// is taken at its word, as browsers do.
    pub(super) fn is_accepted_by(&self, head: &ResponseHead) -> bool {
        head.status() == StatusCode::SWITCHING_PROTOCOLS
            && head.is_upgrade()
            && is_only(head.values("sec-websocket-accept"), |accept| {
                accept == self.accept
            })
            && head.header("sec-websocket-extensions").is_none()
            && (head.header("sec-websocket-protocol").is_none()
                || is_only(head.values("sec-websocket-protocol"), |protocol| {
                    self.protocols
                        .iter()
                        .any(|offered| offered.as_bytes() == protocol)
                }))
    }
}

/// Whether there is exactly one value and it is `right`.
fn is_only<'a>(mut values: impl Iterator<Item = &'a [u8]>, right: impl Fn(&[u8]) -> bool) -> bool {
    values.next().is_some_and(right) && values.next().is_none()
}

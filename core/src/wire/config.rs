use crate::http::HeadLimits;

/// What a [`Wire`](super::Wire) needs to know; one for all connections of a server, cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct WireConfig {
    /// Largest polling body and largest WebSocket message, in bytes. Default 1,000,000 as in JS
    /// (`maxHttpBufferSize`).
    pub max_payload: usize,
    /// Most packets in one polling body. JS has no bound of its own; the default of 16,384 lets any honest
    /// burst through and keeps one body from becoming half a million packets.
    pub max_packets: usize,
    /// Bounds of a request head.
    pub head: HeadLimits,
}

impl Default for WireConfig {
    fn default() -> Self {
        Self {
            max_payload: 1_000_000,
            max_packets: 16_384,
            head: HeadLimits::default(),
        }
    }
}

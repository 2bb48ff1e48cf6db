//! What takes the place of TLS in builds without the cargo feature `tls`.

/// How a client would speak TLS; there is none without the cargo feature `tls`.
#[derive(Clone, Debug)]
pub enum TlsClient {}

//! TLS for clients and servers, by [`rustls`].
//!
//! ```no_run
//! use socketio_driver::net::tls::{TlsClient, TlsServer};
//!
//! # fn run() -> Result<(), Box<dyn std::error::Error>> {
//! // What the system trusts, and a company's own authority:
//! let client = TlsClient::builder().ca_pem(std::fs::read("ca.pem")?).build()?;
//! // A server whose clients must show a certificate of that authority:
//! let server = TlsServer::builder(std::fs::read("chain.pem")?, std::fs::read("key.pem")?)
//!     .require_client_certificate(std::fs::read("ca.pem")?)
//!     .build()?;
//! # Ok(()) }
//! ```
//!
//! Certificates are judged by the clock of the operating system. Both sides speak TLS 1.2 and 1.3 and nothing but
//! HTTP/1.1. Everything else rustls can do, several certificates by name or revocation lists for instance, is had with
//! a configuration of one's own: [`TlsClient`] and [`TlsServer`] are made from those of rustls.

mod client;
mod error;
mod pem;
mod server;
mod stream;
#[cfg(test)]
mod tests;

pub use client::{TlsClient, TlsClientBuilder};
pub use error::{TlsError, TlsFailure};
pub use server::{TlsListener, TlsServer, TlsServerBuilder};
pub use stream::TlsStream;

use std::sync::Arc;

pub use ::rustls;

/// What both sides say they speak (RFC 7301); HTTP/2 would not do.
const HTTP_1_1: &[u8] = b"http/1.1";

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

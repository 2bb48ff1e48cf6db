//! How a client reaches its server: the URL, the addresses of its host, a proxy, TLS. Servers find TLS for their
//! listeners in [`tls`].
//!
//! No option is read from the environment unless [`Proxy::from_env`] is called; that the system's certificate
//! authorities may be named by `SSL_CERT_FILE` is part of what the system is.

mod connect;
mod dial;
mod failed;
mod no_proxy;
mod proxy;
#[cfg(test)]
mod testing;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(not(feature = "tls"))]
#[path = "tls_absent.rs"]
pub mod tls;
mod tunnel;
mod url;

pub use connect::{Connecting, Connector, Direct};
pub use proxy::{Proxy, ProxyError, ProxyRules, ProxyServer};
pub use tls::TlsClient;
pub use url::{Address, Endpoint, Security, UrlError};

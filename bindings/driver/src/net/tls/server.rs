use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};

use super::error::{Opening, Side, failure};
use super::{HTTP_1_1, TlsError, TlsStream, pem, provider};
use crate::core::Peer;
use crate::engine::{Listener, Stream};

/// How a server speaks TLS: its certificate, and whose clients it serves. A cheap handle.
#[derive(Clone, Debug)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
}

impl TlsServer {
    /// Starts from the server's certificate: the chain without the root, the server's own first, and its private key.
    pub fn builder(chain_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> TlsServerBuilder {
        TlsServerBuilder {
            chain: chain_pem.into(),
            key: key_pem.into(),
            client_auth: ClientAuth::None,
        }
    }

    /// Speaks TLS on every connection of a listener, for a binding's `serve`.
    pub fn wrap<L>(&self, listener: L) -> TlsListener<L> {
        TlsListener {
            listener,
            server: self.clone(),
        }
    }

    /// Speaks TLS on one connection. The handshake happens while the stream is read and written.
    ///
    /// # Errors
    /// When rustls refuses the configuration.
    pub fn accept<S: Stream>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let refused = |error| failure(Side::Server, Opening::Nothing, error);
        let connection = ServerConnection::new(Arc::clone(&self.config)).map_err(refused)?;
        Ok(TlsStream::new(connection.into(), stream))
    }
}

/// For what the builder does not offer, such as several certificates by name. Its protocols (`alpn_protocols`) should
/// be `http/1.1` and nothing else.
impl From<Arc<ServerConfig>> for TlsServer {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self { config }
    }
}

/// Makes a [`TlsServer`].
#[must_use]
pub struct TlsServerBuilder {
    chain: Vec<u8>,
    key: Vec<u8>,
    client_auth: ClientAuth,
}

/// Whether clients show certificates, and of which authorities.
enum ClientAuth {
    None,
    Optional(Vec<u8>),
    Required(Vec<u8>),
}

impl TlsServerBuilder {
    /// Serves only clients with a certificate of an authority in `ca_pem`.
    pub fn require_client_certificate(mut self, ca_pem: impl Into<Vec<u8>>) -> Self {
        self.client_auth = ClientAuth::Required(ca_pem.into());
        self
    }

    /// Serves clients without a certificate, too, but none with one of an authority that is not in `ca_pem`.
    pub fn accept_client_certificate(mut self, ca_pem: impl Into<Vec<u8>>) -> Self {
        self.client_auth = ClientAuth::Optional(ca_pem.into());
        self
    }

    /// Reads the PEM.
    ///
    /// # Errors
    /// When something given cannot be used; the text says what.
    pub fn build(self) -> Result<TlsServer, TlsError> {
        let verifier = self.client_auth.verifier()?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(pem::certificates(&self.chain)?, pem::private_key(&self.key)?)?;
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Arc::new(config).into())
    }
}

impl fmt::Debug for TlsServerBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TlsServerBuilder").finish_non_exhaustive()
    }
}

impl ClientAuth {
    fn verifier(self) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let verifier = |pem| {
            let mut roots = RootCertStore::empty();
            pem::trust(&mut roots, &[pem])?;
            Ok::<_, TlsError>(WebPkiClientVerifier::builder_with_provider(
                Arc::new(roots),
                provider(),
            ))
        };
        let built = match self {
            Self::None => return Ok(WebPkiClientVerifier::no_client_auth()),
            Self::Optional(pem) => verifier(pem)?.allow_unauthenticated().build(),
            Self::Required(pem) => verifier(pem)?.build(),
        };
        built.map_err(|_| TlsError::NoCertificate)
    }
}

/// A listener whose connections speak TLS. Accepting never waits for a handshake: that is made by the connection's own
/// task, within the time the server gives to a request's head.
#[derive(Debug)]
pub struct TlsListener<L> {
    listener: L,
    server: TlsServer,
}

impl<L> TlsListener<L> {
    /// The same with another listener below, as a binding needs that has its own.
    ///
    /// # Errors
    /// That of `wrap`.
    pub fn try_map<M>(self, wrap: impl FnOnce(L) -> io::Result<M>) -> io::Result<TlsListener<M>> {
        Ok(TlsListener {
            listener: wrap(self.listener)?,
            server: self.server,
        })
    }
}

impl<R, L: Listener<R>> Listener<R> for TlsListener<L> {
    type Stream = TlsStream<L::Stream>;

    async fn accept(&mut self) -> io::Result<(Self::Stream, Peer)> {
        let (stream, peer) = self.listener.accept().await?;
        Ok((self.server.accept(stream)?, peer))
    }
}

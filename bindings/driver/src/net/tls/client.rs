use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use super::error::{Opening, Side, failure};
use super::{HTTP_1_1, TlsError, TlsStream, pem, provider};
use crate::engine::Stream;

/// How a client speaks TLS: whom it trusts and who it says it is. A cheap handle.
#[derive(Clone, Debug)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
}

impl TlsClient {
    /// Trusts the authorities the system trusts. They are read once in a process, from the files of the system or
    /// those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    ///
    /// # Errors
    /// [`TlsError::NoSystemRoots`].
    pub fn system() -> Result<Self, TlsError> {
        Self::builder().build()
    }

    /// Starts from what the system trusts, without a certificate of the client's own.
    pub const fn builder() -> TlsClientBuilder {
        TlsClientBuilder {
            trust: Trust::System,
            authorities: Vec::new(),
            certificate: None,
            server_name: None,
        }
    }

    /// Speaks TLS on a connection to `host`, a name or an IP address without brackets: its certificate must be for
    /// that, or for the [name that was set](TlsClientBuilder::server_name). Ends when the handshake has; in TLS 1.3 a
    /// server judges the client's certificate after that, so that its refusal is the error of the first read.
    ///
    /// # Errors
    /// When the handshake fails, with a [`TlsFailure`](super::TlsFailure), or the connection does.
    pub async fn connect<S: Stream>(&self, host: &str, stream: S) -> io::Result<TlsStream<S>> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => server_name(host)?,
        };
        let refused = |error| failure(Side::Client, Opening::Nothing, error);
        let connection = ClientConnection::new(Arc::clone(&self.config), name).map_err(refused)?;
        let mut stream = TlsStream::new(connection.into(), stream);
        poll_fn(|task| stream.poll_handshake(task)).await?;
        Ok(stream)
    }
}

/// For what the builder does not offer. Its protocols (`alpn_protocols`) should be `http/1.1` and nothing else: a
/// server that picks another is refused.
impl From<Arc<ClientConfig>> for TlsClient {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self {
            config,
            server_name: None,
        }
    }
}

/// Makes a [`TlsClient`].
#[must_use]
pub struct TlsClientBuilder {
    trust: Trust,
    authorities: Vec<Vec<u8>>,
    /// Chain and key.
    certificate: Option<(Vec<u8>, Vec<u8>)>,
    server_name: Option<String>,
}

#[derive(Clone, Copy, Debug)]
enum Trust {
    /// The system's authorities, and those given.
    System,
    /// Only those given.
    Given,
    /// Anybody.
    Anybody,
}

impl TlsClientBuilder {
    /// Trusts the authorities in `pem`, too. Also the way to trust a certificate that signed itself, if that is not
    /// marked as an authority's: `openssl req -x509` marks it unless told
    /// `-addext basicConstraints=critical,CA:FALSE`.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// Trusts the authorities in `pem` and not those of the system.
    pub fn only_ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust = Trust::Given;
        self.ca_pem(pem)
    }

    /// The certificate to show to servers that ask for one: the chain, the client's own first, and its private key.
    pub fn client_certificate(mut self, chain_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        self.certificate = Some((chain_pem.into(), key_pem.into()));
        self
    }

    /// The name to ask for (SNI) and to find in the certificate, in place of the URL's host.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Accepts any certificate, whoever made it, for whatever name and time. Who is between client and server then
    /// reads and changes everything; for a test server [`only_ca_pem`](Self::only_ca_pem) with its own certificate,
    /// or that of an authority made for tests, is as easy.
    pub const fn danger_accept_invalid_certificates(mut self) -> Self {
        self.trust = Trust::Anybody;
        self
    }

    /// Reads the PEM and, unless others are trusted instead, the system's authorities.
    ///
    /// # Errors
    /// When something given cannot be used; the text says what.
    pub fn build(self) -> Result<TlsClient, TlsError> {
        let provider = provider();
        let verifier = self.verifier(&provider)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.certificate {
            Some((chain, key)) => {
                let (chain, key): (_, PrivateKeyDer<'static>) =
                    (pem::certificates(chain)?, pem::private_key(key)?);
                config.with_client_auth_cert(chain, key)?
            }
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        let server_name = self.server_name.as_deref().map(server_name).transpose()?;
        Ok(TlsClient {
            config: Arc::new(config),
            server_name,
        })
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        let roots = match (self.trust, self.authorities.is_empty()) {
            (Trust::Anybody, _) => return Ok(Arc::new(AcceptAnybody(Arc::clone(provider)))),
            (Trust::System, true) => system_roots()?,
            (Trust::System, false) => {
                // What was given is enough where the system has none.
                let mut roots =
                    system_roots().map_or_else(|_| RootCertStore::empty(), |roots| (*roots).clone());
                pem::trust(&mut roots, &self.authorities)?;
                Arc::new(roots)
            }
            (Trust::Given, _) => {
                let mut roots = RootCertStore::empty();
                pem::trust(&mut roots, &self.authorities)?;
                Arc::new(roots)
            }
        };
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider));
        Ok(verifier.build().map_err(|_| TlsError::NoCertificate)?)
    }
}

impl fmt::Debug for TlsClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("TlsClientBuilder");
        debug
            .field("trust", &self.trust)
            .field("server_name", &self.server_name);
        debug.finish_non_exhaustive()
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(host.to_owned()).map_err(|_| TlsError::InvalidServerName)
}

/// Clients come by the thousand in load tests; the hundred and more certificates are parsed once.
fn system_roots() -> Result<Arc<RootCertStore>, TlsError> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        // Some of the certificates in the wild cannot be read by anybody; the others do their work.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    if roots.is_empty() {
        return Err(TlsError::NoSystemRoots);
    }
    Ok(Arc::clone(roots))
}

/// Believes every certificate, but still checks that the server has its key.
#[derive(Debug)]
struct AcceptAnybody(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

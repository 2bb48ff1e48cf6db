use std::error::Error;
use std::fmt::{self, Write as _};
use std::io;

use rustls::{AlertDescription, CertificateError};

/// Why no configuration for TLS could be made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// Text that should be PEM is damaged.
    InvalidPem,
    /// There is no certificate in the PEM.
    NoCertificate,
    /// There is no private key in the PEM.
    NoKey,
    /// The private key is of a kind that is not supported.
    UnusableKey,
    /// The private key is not that of the first certificate of the chain.
    KeyMismatch,
    /// A certificate cannot be read.
    InvalidCertificate,
    /// The system has no certificates of authorities.
    NoSystemRoots,
    /// A server name is neither a host name nor an IP address.
    InvalidServerName,
    /// Something else that rustls refuses.
    Configuration,
}

impl fmt::Display for TlsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InvalidPem => "the PEM is damaged; give the whole file, from -----BEGIN to -----END lines",
            Self::NoCertificate => "there is no CERTIFICATE in the PEM; give certificates, not keys or requests",
            Self::NoKey => "there is no PRIVATE KEY in the PEM; give it unencrypted, as PKCS#8, PKCS#1 or SEC1",
            Self::UnusableKey => "the private key cannot be used; make an RSA (2048 bits or more), P-256, P-384 or Ed25519 key",
            Self::KeyMismatch => "the private key does not belong to the certificate; the chain must start with the key's own",
            Self::InvalidCertificate => "a certificate cannot be read; check it with openssl x509",
            Self::NoSystemRoots => "the system has no CA certificates; install ca-certificates, set SSL_CERT_FILE or use only_ca_pem()",
            Self::InvalidServerName => "the server name is neither a host name nor an IP address",
            Self::Configuration => "rustls refuses these settings; make a rustls configuration of your own for them",
        })
    }
}

impl Error for TlsError {}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

/// What is done with rustls' errors while configuring.
impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::InconsistentKeys(_) => Self::KeyMismatch,
            rustls::Error::InvalidCertificate(_) => Self::InvalidCertificate,
            rustls::Error::General(_) => Self::UnusableKey,
            _ => Self::Configuration,
        }
    }
}

/// Why a connection's TLS failed: what the [`io::Error`] of a dial or a read holds. Its text says what is wrong with
/// whose certificate; its source is the [`rustls::Error`].
#[derive(Clone, Debug)]
pub struct TlsFailure {
    text: String,
    source: rustls::Error,
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Error for TlsFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Client,
    Server,
}

impl Side {
    const fn peer(self) -> &'static str {
        match self {
            Self::Client => "server",
            Self::Server => "client",
        }
    }
}

/// How the peer began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opening {
    Nothing,
    /// With what may be a TLS record.
    Record,
    /// With a letter, as HTTP does and TLS never.
    Text,
}

impl Opening {
    pub(super) const fn of(first: u8) -> Self {
        if first.is_ascii_uppercase() {
            Self::Text
        } else {
            Self::Record
        }
    }
}

/// The error of a connection of `side`.
pub(super) fn failure(side: Side, opening: Opening, source: rustls::Error) -> io::Error {
    let text = explain(side, opening, &source);
    io::Error::new(io::ErrorKind::InvalidData, TlsFailure { text, source })
}

fn explain(side: Side, opening: Opening, error: &rustls::Error) -> String {
    match (error, side, opening) {
        (rustls::Error::InvalidMessage(_), Side::Client, Opening::Text) => {
            "the server does not speak TLS but plain HTTP; use http:// or ws://, or the server's TLS port"
                .into()
        }
        (rustls::Error::InvalidMessage(_), Side::Server, Opening::Text) => {
            "the client does not speak TLS but plain HTTP".into()
        }
        (rustls::Error::InvalidMessage(what), ..) => {
            format!(
                "the {} does not speak TLS, or what it said was damaged ({what:?})",
                side.peer()
            )
        }
        (rustls::Error::InvalidCertificate(error), ..) => {
            format!("the {}'s certificate {}", side.peer(), explain_certificate(error))
        }
        (rustls::Error::NoCertificatesPresented, ..) => {
            format!("the {} showed no certificate, but one is required", side.peer())
        }
        (rustls::Error::AlertReceived(alert), ..) => explain_alert(side, *alert),
        (rustls::Error::PeerIncompatible(what), ..) => {
            format!(
                "the {} has no TLS version, cipher or key exchange in common with us ({what:?})",
                side.peer()
            )
        }
        (rustls::Error::NoApplicationProtocol, ..) => {
            format!("the {} does not speak HTTP/1.1 over TLS", side.peer())
        }
        _ => format!("TLS failed: {error}"),
    }
}

/// Continues "the server's certificate".
fn explain_certificate(error: &CertificateError) -> String {
    let days = |later: u64, earlier: u64| later.saturating_sub(earlier) / (24 * 60 * 60);
    match error {
        CertificateError::Expired => "has expired".into(),
        CertificateError::ExpiredContext { time, not_after } => {
            format!("has expired, {} days ago", days(time.as_secs(), not_after.as_secs()))
        }
        CertificateError::NotValidYet => "is not valid yet; check the clock".into(),
        CertificateError::NotValidYetContext { time, not_before } => {
            let days = days(not_before.as_secs(), time.as_secs());
            format!("is not valid yet, for another {days} days; check the clock")
        }
        CertificateError::Revoked => "has been revoked".into(),
        CertificateError::UnknownIssuer => {
            "is of an unknown issuer; trust its authority with ca_pem(), and check that intermediate certificates are sent"
                .into()
        }
        CertificateError::NotValidForName => "is for another name".into(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            format!("is for {}; not for {}", names(presented), expected.to_str())
        }
        CertificateError::BadSignature => "has a wrong signature; its authority may have another key by now".into(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not meant for this side of a connection (extended key usage)".into()
        }
        other if is_authority_as_itself(other) => {
            "is that of an authority, shown as a server's own; make it with basicConstraints CA:FALSE, or sign another with it"
                .into()
        }
        other => format!("is not accepted: {other}"),
    }
}

/// What `openssl req -x509` makes unless it is told otherwise; rustls has no variant for it.
fn is_authority_as_itself(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity"))
}

/// rustls writes names as `DnsName("a")` and `IpAddress(::1)`.
fn names(presented: &[String]) -> String {
    let mut names = String::new();
    for name in presented {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        let name = inner.unwrap_or(name).trim_matches('"');
        let comma = if names.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(names, "{comma}{name}");
    }
    if names.is_empty() {
        names.push_str("no name at all");
    }
    names
}

fn explain_alert(side: Side, alert: AlertDescription) -> String {
    let peer = side.peer();
    match (side, alert) {
        (Side::Client, AlertDescription::CertificateRequired) => {
            "the server wants a client certificate; give one with client_certificate()".into()
        }
        (Side::Client, AlertDescription::HandshakeFailure) => {
            "the server refused the TLS handshake; it may want a client certificate or other TLS versions and ciphers"
                .into()
        }
        (_, AlertDescription::UnknownCA) => format!("the {peer} does not know the issuer of our certificate"),
        (_, AlertDescription::BadCertificate | AlertDescription::CertificateUnknown) => {
            format!("the {peer} does not accept our certificate")
        }
        (_, AlertDescription::CertificateExpired) => format!("the {peer} says that our certificate has expired"),
        (_, AlertDescription::CertificateRevoked) => format!("the {peer} says that our certificate has been revoked"),
        (_, AlertDescription::ProtocolVersion) => format!("the {peer} speaks neither TLS 1.2 nor TLS 1.3"),
        (Side::Client, AlertDescription::UnrecognisedName) => {
            "the server has no certificate for this name; check the host or set server_name()".into()
        }
        (_, AlertDescription::NoApplicationProtocol) => format!("the {peer} does not speak HTTP/1.1 over TLS"),
        (_, other) => format!("the {peer} ended TLS with the alert {other:?}"),
    }
}

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::core::Query;

/// Whether a server is spoken to through TLS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Security {
    /// `http` and `ws`, and Unix sockets.
    Plain,
    /// `https` and `wss`.
    Tls,
}

/// Where a server listens.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Address {
    /// A TCP port of a host.
    Tcp {
        /// A name in ASCII or an IP address; an IPv6 address stands here without its brackets.
        host: String,
        /// The port, whether it was written or follows from the scheme.
        port: u16,
    },
    /// A Unix socket in the file system.
    Unix(PathBuf),
}

/// A server, as its URL names it.
///
/// | URL | meaning |
/// | --- | --- |
/// | `http://host`, `ws://host` | TCP, port 80 |
/// | `https://host`, `wss://host` | TLS over TCP, port 443 |
/// | `http://[::1]:3000` | an IPv6 address and a port |
/// | `https://user:password@host` | with an `Authorization: Basic` header (RFC 7617) |
/// | `http://host?token=x` | with parameters for the query of every request |
/// | `unix:/run/app.sock` | a Unix socket; everything behind `unix:` is its path, as it stands |
///
/// Whether the scheme says `http` or `ws` makes no difference: the transports are an option of the client. A path is
/// refused, because two things are meant by it: a namespace (`.namespace()`) or where the server is mounted
/// (`.path()`).
///
/// ```
/// use socketio_driver::net::Endpoint;
///
/// let endpoint: Endpoint = "https://example.com:8443/?room=a%20b".parse()?;
/// assert_eq!(endpoint.authority(), "example.com:8443");
/// assert_eq!(endpoint.query(), [("room".to_owned(), "a b".to_owned())]);
/// # Ok::<(), socketio_driver::net::UrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    security: Security,
    address: Address,
    authority: String,
    authorization: Option<String>,
    query: Vec<(String, String)>,
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// When it is not one of the forms above; the error's text says what to write instead.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let url = url.trim();
        if let Some(path) = url.strip_prefix("unix:") {
            return Self::parse_unix(path);
        }
        let parts = Parts::parse(url)?;
        let (security, default_port) = match parts.scheme.as_str() {
            "http" | "ws" => (Security::Plain, 80),
            "https" | "wss" => (Security::Tls, 443),
            _ => return Err(UrlError::UnknownScheme),
        };
        if !matches!(parts.path.as_str(), "" | "/") {
            return Err(UrlError::Path);
        }
        let port = parts.port.unwrap_or(default_port);
        Ok(Self {
            security,
            authority: authority(&parts.host, (port != default_port).then_some(port)),
            address: Address::Tcp {
                host: parts.host,
                port,
            },
            authorization: parts.authorization,
            query: parts.query,
        })
    }

    /// The server at a Unix socket.
    ///
    /// # Errors
    /// When the path is empty.
    pub fn unix(path: impl AsRef<Path>) -> Result<Self, UrlError> {
        let path = path.as_ref();
        if path.as_os_str().is_empty() {
            return Err(UrlError::UnixPath);
        }
        Ok(Self {
            security: Security::Plain,
            address: Address::Unix(path.to_owned()),
            authority: "localhost".to_owned(),
            authorization: None,
            query: Vec::new(),
        })
    }

    /// `unix:/path`, `unix:///path`.
    fn parse_unix(path: &str) -> Result<Self, UrlError> {
        let path = path.strip_prefix("//").unwrap_or(path);
        if !path.starts_with('/') {
            return Err(UrlError::UnixPath);
        }
        Self::unix(path)
    }

    /// Whether TLS is spoken.
    pub const fn security(&self) -> Security {
        self.security
    }

    /// Where the server listens.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// What belongs into the `Host` header (RFC 9110 section 7.2): the host, in brackets if it is an IPv6 address,
    /// and the port unless it is that of the scheme. `localhost` for a Unix socket.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The value of an `Authorization` header, when the URL names a user.
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// The parameters of the query, decoded, in their order.
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }
}

impl FromStr for Endpoint {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        Self::parse(url)
    }
}

impl TryFrom<&str> for Endpoint {
    type Error = UrlError;

    fn try_from(url: &str) -> Result<Self, UrlError> {
        Self::parse(url)
    }
}

impl TryFrom<String> for Endpoint {
    type Error = UrlError;

    fn try_from(url: String) -> Result<Self, UrlError> {
        Self::parse(&url)
    }
}

impl TryFrom<&String> for Endpoint {
    type Error = UrlError;

    fn try_from(url: &String) -> Result<Self, UrlError> {
        Self::parse(url)
    }
}

/// Scheme, host and port; what may be secret, user and query, is left out.
impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, self.security) {
            (Address::Unix(path), _) => write!(formatter, "unix:{}", path.display()),
            (Address::Tcp { .. }, Security::Plain) => write!(formatter, "http://{}", self.authority),
            (Address::Tcp { .. }, Security::Tls) => write!(formatter, "https://{}", self.authority),
        }
    }
}

/// As [`Display`](fmt::Display): queries and passwords have no place in a log.
impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Endpoint({self})")
    }
}

/// Why text does not name a server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum UrlError {
    /// There is no `scheme://`.
    MissingScheme,
    /// The scheme is none that is spoken here.
    UnknownScheme,
    /// There is no host.
    MissingHost,
    /// The host is neither a name nor an address.
    InvalidHost,
    /// The host has characters outside ASCII.
    NonAsciiHost,
    /// The port is not a number from 1 to 65535.
    InvalidPort,
    /// User or password hold an escape that is none, a control character, or the user a colon.
    InvalidCredentials,
    /// There is a path.
    Path,
    /// There is a fragment.
    Fragment,
    /// A `unix:` URL without an absolute path.
    UnixPath,
    /// Some character is not allowed in a URL.
    Malformed,
}

impl fmt::Display for UrlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::MissingScheme => "the URL has no scheme; write http://host, https://host or unix:/path",
            Self::UnknownScheme => "the URL's scheme is unknown; use http, https, ws, wss or unix",
            Self::MissingHost => "the URL has no host; write it as in http://host:3000",
            Self::InvalidHost => {
                "the URL's host is neither a name nor an address; write IPv6 addresses in brackets, as in http://[::1]:3000"
            }
            Self::NonAsciiHost => "the URL's host is not ASCII; write it in punycode, as in http://xn--bcher-kva.example",
            Self::InvalidPort => "the URL's port is not a number from 1 to 65535",
            Self::InvalidCredentials => {
                "the URL's user or password is malformed; escape special characters with % or set an Authorization header"
            }
            Self::Path => {
                "the URL has a path; name a namespace with .namespace(\"/chat\") and the server's mount point with .path(\"/socket.io/\")"
            }
            Self::Fragment => "the URL has a fragment, which no server sees; leave # and what follows out",
            Self::UnixPath => "the URL of a Unix socket needs an absolute path, as in unix:/run/app.sock",
            Self::Malformed => "the URL has a character that must be escaped with %",
        })
    }
}

impl std::error::Error for UrlError {}

/// A host as it stands before a port: an IPv6 address in brackets.
pub(super) fn authority(host: &str, port: Option<u16>) -> String {
    let host = match host.parse::<Ipv6Addr>() {
        Ok(_) => format!("[{host}]"),
        Err(_) => host.to_owned(),
    };
    match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

/// What stands in a URL with an authority, checked but not judged: servers and proxies differ in what they allow.
pub(super) struct Parts {
    /// In lower case.
    pub(super) scheme: String,
    /// In lower case, without brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// `Basic …`
    pub(super) authorization: Option<String>,
    pub(super) path: String,
    query: Vec<(String, String)>,
}

impl Parts {
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        let (_, rest) = url.split_once("://").ok_or(UrlError::MissingScheme)?;
        if url.contains('#') {
            return Err(UrlError::Fragment);
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        if !host.is_ascii() {
            return Err(UrlError::NonAsciiHost);
        }
        if host.is_empty() || host.starts_with(':') {
            return Err(UrlError::MissingHost);
        }
        let uri: ::http::Uri = url.parse().map_err(|_| UrlError::Malformed)?;
        let authority = uri.authority().ok_or(UrlError::MissingHost)?;
        let user = authority.as_str().rsplit_once('@').map(|(user, _)| user);
        let (host, port) = split_port(host)?;
        let query = Query::new(uri.query().unwrap_or_default());
        Ok(Self {
            scheme: uri.scheme_str().unwrap_or_default().to_ascii_lowercase(),
            host: check_host(host)?,
            port,
            authorization: user.map(basic).transpose()?,
            path: uri.path().to_owned(),
            query: query
                .iter()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        })
    }
}

/// `host:port`, `host:` and `host`; the colons of an IPv6 address stand in brackets.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), UrlError> {
    let end_of_host = authority.rfind(']').unwrap_or(0);
    match authority.rfind(':') {
        Some(colon) if colon > end_of_host => {
            let (host, port) = authority.split_at(colon);
            let port = port.trim_start_matches(':');
            if port.is_empty() {
                return Ok((host, None));
            }
            let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
            match port.parse() {
                Ok(port @ 1..) if is_number => Ok((host, Some(port))),
                _ => Err(UrlError::InvalidPort),
            }
        }
        _ => Ok((authority, None)),
    }
}

fn check_host(host: &str) -> Result<String, UrlError> {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().map_err(|_| UrlError::InvalidHost)?;
        return Ok(address.to_string());
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if !host.bytes().all(is_name) || host.starts_with('.') {
        return Err(UrlError::InvalidHost);
    }
    // A last label that is a number can only be an IPv4 address (RFC 3986 section 7.4: resolvers disagree on others).
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && host.parse::<IpAddr>().is_err() {
        return Err(UrlError::InvalidHost);
    }
    Ok(host.to_ascii_lowercase())
}

/// The header value for `user:password` of a URL (RFC 7617 section 2).
fn basic(user: &str) -> Result<String, UrlError> {
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let (user, password) = (unescape(user)?, unescape(password)?);
    let has_control = |text: &[u8]| text.iter().any(u8::is_ascii_control);
    if user.contains(&b':') || has_control(&user) || has_control(&password) {
        return Err(UrlError::InvalidCredentials);
    }
    Ok(basic_header(&user, &password))
}

pub(super) fn basic_header(user: &[u8], password: &[u8]) -> String {
    let credentials = [user, b":", password].concat();
    format!("Basic {}", STANDARD.encode(credentials))
}

/// Percent-decodes; unlike in a query, `+` is a plus here.
fn unescape(text: &str) -> Result<Vec<u8>, UrlError> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit(), digit());
                let byte = high
                    .zip(low)
                    .and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
                byte.ok_or(UrlError::InvalidCredentials)?
            }
            other => other,
        });
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(url: &str) -> (Security, String, u16, String) {
        let endpoint = Endpoint::parse(url).expect(url);
        let Address::Tcp { host, port } = endpoint.address().clone() else {
            panic!("{url} is not TCP");
        };
        (endpoint.security(), host, port, endpoint.authority().to_owned())
    }

    #[test]
    fn the_scheme_decides_on_security_and_default_port() {
        for (url, security, port) in [
            ("http://Example.com", Security::Plain, 80),
            ("WS://example.com/", Security::Plain, 80),
            ("https://example.com:", Security::Tls, 443),
            ("wss://example.com:443", Security::Tls, 443),
        ] {
            assert_eq!(
                tcp(url),
                (security, "example.com".into(), port, "example.com".into()),
                "{url}"
            );
        }
        assert_eq!(tcp("ws://a_b:3000").3, "a_b:3000");
        assert_eq!(tcp("http://10.0.0.1:80").3, "10.0.0.1");
    }

    #[test]
    fn ipv6_addresses_stand_in_brackets() {
        let expected = (Security::Plain, "::1".into(), 3000, "[::1]:3000".into());
        assert_eq!(tcp("http://[::1]:3000"), expected);
        assert_eq!(tcp("wss://[2001:DB8::1]/").3, "[2001:db8::1]");
        for url in [
            "http://::1:3000",
            "http://[::1",
            "http://[fe80::1%25eth0]",
            "http://[x]",
        ] {
            let error = Endpoint::parse(url).expect_err(url);
            assert!(
                matches!(
                    error,
                    UrlError::InvalidHost | UrlError::Malformed | UrlError::MissingHost
                ),
                "{url}: {error:?}"
            );
        }
    }

    #[test]
    fn a_unix_socket_is_everything_behind_its_scheme() {
        for url in ["unix:/run/a?b#c", "unix:///run/a?b#c"] {
            let endpoint = Endpoint::parse(url).expect(url);
            assert_eq!(endpoint.address(), &Address::Unix("/run/a?b#c".into()));
            assert_eq!(endpoint.authority(), "localhost");
        }
        assert_eq!(Endpoint::parse("unix:run/a"), Err(UrlError::UnixPath));
        assert_eq!(Endpoint::parse("unix:"), Err(UrlError::UnixPath));
    }

    #[test]
    fn users_become_a_basic_authorization_and_stay_out_of_logs() {
        let endpoint = Endpoint::parse("http://Aladdin:open%20sesame@host").expect("parses");
        assert_eq!(
            endpoint.authorization(),
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        );
        assert_eq!(
            format!("{endpoint:?} {endpoint}"),
            "Endpoint(http://host) http://host"
        );
        let endpoint = Endpoint::parse("http://u:p:q@host").expect("parses");
        assert_eq!(
            endpoint.authorization(),
            Some(&*format!("Basic {}", STANDARD.encode("u:p:q")))
        );
        for url in ["http://a%3Ab:c@host", "http://a%0a@host", "http://a%2@host"] {
            assert_eq!(Endpoint::parse(url), Err(UrlError::InvalidCredentials), "{url}");
        }
    }

    #[test]
    fn the_query_is_kept_decoded_and_in_order() {
        let endpoint = Endpoint::parse("http://h?b=%C3%A4+1&a&b={%22x%22}").expect("parses");
        let pairs: Vec<_> = endpoint
            .query()
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(pairs, [("b", "ä 1"), ("a", ""), ("b", "{\"x\"}")]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, error) in [
            ("", UrlError::MissingScheme),
            ("localhost:3000", UrlError::MissingScheme),
            ("ftp://host", UrlError::UnknownScheme),
            ("http://", UrlError::MissingHost),
            ("http://:80", UrlError::MissingHost),
            ("http://user@", UrlError::MissingHost),
            ("http://host:0", UrlError::InvalidPort),
            ("http://host:65536", UrlError::InvalidPort),
            ("http://host:+80", UrlError::InvalidPort),
            ("http://1.2.3", UrlError::InvalidHost),
            ("http://1.2.3.256", UrlError::InvalidHost),
            ("http://bücher.example", UrlError::NonAsciiHost),
            ("http://host/chat", UrlError::Path),
            ("http://host//", UrlError::Path),
            ("http://host/#top", UrlError::Fragment),
            ("http://ho st", UrlError::Malformed),
            ("http://host\r\nx: y", UrlError::Malformed),
        ] {
            assert_eq!(Endpoint::parse(url), Err(error), "{url}");
        }
    }
}

use std::fmt;

use super::no_proxy::NoProxy;
use super::url::{Parts, Security, UrlError, authority};

/// Through what a client reaches its server: an HTTP proxy that is asked for a tunnel (`CONNECT`, RFC 9110 section
/// 9.3.6), for `http` and `ws` too. Unix sockets are always reached directly.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Proxy {
    /// Directly.
    #[default]
    None,
    /// Through this one.
    Server(ProxyServer),
    /// As the environment said.
    Rules(ProxyRules),
}

impl Proxy {
    /// One proxy for everything: `http://host:port`, `http://user:password@host:port`, `https://…` to speak TLS with
    /// the proxy itself, or just `host:port`.
    ///
    /// # Errors
    /// When the text names no HTTP proxy.
    pub fn parse(url: &str) -> Result<Self, ProxyError> {
        ProxyServer::parse(url).map(Self::Server)
    }

    /// The proxies that the environment names at this moment, in lower or upper case:
    /// `https_proxy` for `https` and `wss`, `http_proxy` for `http` and `ws`, `all_proxy` for what has none, and
    /// `no_proxy` with what is reached directly (domains, addresses, networks, each perhaps with a port; `*`).
    ///
    /// `HTTP_PROXY` is not read where `REQUEST_METHOD` is set: in a CGI program it is a header of the request.
    ///
    /// # Errors
    /// When a variable names no HTTP proxy.
    pub fn from_env() -> Result<Self, ProxyError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let value = |name: &str| {
            lookup(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let either = |lower: &str| value(lower).or_else(|| value(&lower.to_ascii_uppercase()));
        let is_cgi = value("REQUEST_METHOD").is_some();
        let http = if is_cgi {
            value("http_proxy")
        } else {
            either("http_proxy")
        };
        let all = either("all_proxy");
        let server = |url: Option<String>| {
            url.or_else(|| all.clone())
                .map(|url| ProxyServer::parse(&url))
                .transpose()
        };
        let rules = ProxyRules {
            plain: server(http)?,
            tls: server(either("https_proxy"))?,
            except: NoProxy::parse(&either("no_proxy").unwrap_or_default()),
        };
        let is_empty = rules.plain.is_none() && rules.tls.is_none();
        Ok(if is_empty { Self::None } else { Self::Rules(rules) })
    }

    /// The proxy for a server, if there is one.
    pub(super) fn server_for(&self, security: Security, host: &str, port: u16) -> Option<&ProxyServer> {
        match self {
            Self::None => None,
            Self::Server(server) => Some(server),
            Self::Rules(rules) if rules.except.covers(host, port) => None,
            Self::Rules(rules) => match security {
                Security::Plain => rules.plain.as_ref(),
                Security::Tls => rules.tls.as_ref(),
            },
        }
    }
}

/// What [`Proxy::from_env`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProxyRules {
    plain: Option<ProxyServer>,
    tls: Option<ProxyServer>,
    except: NoProxy,
}

/// One HTTP proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyServer {
    security: Security,
    host: String,
    port: u16,
    authorization: Option<String>,
}

impl ProxyServer {
    /// Reads a URL as [`Proxy::parse`] does.
    ///
    /// # Errors
    /// When the text names no HTTP proxy.
    pub fn parse(url: &str) -> Result<Self, ProxyError> {
        let url = url.trim();
        let parts = if url.contains("://") {
            Parts::parse(url)?
        } else {
            Parts::parse(&format!("http://{url}"))?
        };
        let (security, default_port) = match parts.scheme.as_str() {
            "http" => (Security::Plain, 80),
            "https" => (Security::Tls, 443),
            "socks" | "socks4" | "socks4a" | "socks5" | "socks5h" => return Err(ProxyError::Socks),
            _ => return Err(ProxyError::UnknownScheme),
        };
        if !matches!(parts.path.as_str(), "" | "/") {
            return Err(ProxyError::Path);
        }
        Ok(Self {
            security,
            host: parts.host,
            port: parts.port.unwrap_or(default_port),
            authorization: parts.authorization,
        })
    }

    /// The same with credentials for the proxy (RFC 7617), in place of those in the URL. The user has no colon.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.authorization = Some(super::url::basic_header(user.as_bytes(), password.as_bytes()));
        self
    }

    pub(super) const fn security(&self) -> Security {
        self.security
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }
}

impl From<ProxyServer> for Proxy {
    fn from(server: ProxyServer) -> Self {
        Self::Server(server)
    }
}

/// Host and port, without credentials.
impl fmt::Display for ProxyServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&authority(&self.host, Some(self.port)))
    }
}

/// As [`Display`](fmt::Display): passwords have no place in a log.
impl fmt::Debug for ProxyServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ProxyServer({self})")
    }
}

/// Why text does not name an HTTP proxy.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ProxyError {
    /// It is not a URL.
    Url(UrlError),
    /// It names a SOCKS proxy.
    Socks,
    /// The scheme is neither `http` nor `https`.
    UnknownScheme,
    /// There is a path.
    Path,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Url(error) => return write!(formatter, "the proxy is not usable: {error}"),
            Self::Socks => {
                "SOCKS proxies are not supported; name an HTTP proxy, or give a connector of your own"
            }
            Self::UnknownScheme => "the proxy's scheme is unknown; use http or https",
            Self::Path => "the proxy's URL has a path; write it as in http://proxy:3128",
        })
    }
}

impl std::error::Error for ProxyError {}

impl From<UrlError> for ProxyError {
    fn from(error: UrlError) -> Self {
        Self::Url(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<Proxy, ProxyError> {
        Proxy::from_lookup(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn used(proxy: &Proxy, security: Security, host: &str) -> Option<String> {
        proxy.server_for(security, host, 80).map(ToString::to_string)
    }

    #[test]
    fn a_proxy_is_a_url_or_a_host_and_port() {
        for (url, display) in [
            ("http://proxy:3128", "proxy:3128"),
            ("proxy:3128", "proxy:3128"),
            ("https://[::1]/", "[::1]:443"),
            ("user:secret@proxy", "proxy:80"),
        ] {
            let server = ProxyServer::parse(url).expect(url);
            assert_eq!(server.to_string(), display);
            assert!(!format!("{server:?}").contains("secret"));
        }
        let url = ProxyServer::parse("http://Aladdin:open%20sesame@p").expect("parses");
        let explicit = ProxyServer::parse("p")
            .expect("parses")
            .credentials("Aladdin", "open sesame");
        assert_eq!(url, explicit);
        assert_eq!(url.authorization(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    }

    #[test]
    fn what_is_no_http_proxy_is_refused() {
        assert_eq!(Proxy::parse("socks5://p:1080"), Err(ProxyError::Socks));
        assert_eq!(Proxy::parse("ftp://p"), Err(ProxyError::UnknownScheme));
        assert_eq!(Proxy::parse("http://p/x"), Err(ProxyError::Path));
        assert_eq!(Proxy::parse(""), Err(ProxyError::Url(UrlError::MissingHost)));
        assert_eq!(from(&[("ALL_PROXY", "socks5://p")]), Err(ProxyError::Socks));
    }

    #[test]
    fn the_environment_names_a_proxy_for_each_scheme() {
        let proxy = from(&[
            ("HTTPS_PROXY", "secure:1"),
            ("all_proxy", "rest:2"),
            ("NO_PROXY", "near,far.org"),
        ]);
        let proxy = proxy.expect("parses");
        assert_eq!(used(&proxy, Security::Tls, "host").as_deref(), Some("secure:1"));
        assert_eq!(used(&proxy, Security::Plain, "host").as_deref(), Some("rest:2"));
        assert_eq!(used(&proxy, Security::Tls, "near"), None);
        assert_eq!(used(&proxy, Security::Plain, "x.far.org"), None);
    }

    #[test]
    fn lower_case_comes_first_and_cgi_programs_ignore_http_proxy_in_upper_case() {
        let both = [("http_proxy", "lower:1"), ("HTTP_PROXY", "upper:1")];
        let proxy = from(&both).expect("parses");
        assert_eq!(used(&proxy, Security::Plain, "h").as_deref(), Some("lower:1"));
        assert_eq!(used(&proxy, Security::Tls, "h"), None);
        let cgi = [("HTTP_PROXY", "upper:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(from(&cgi), Ok(Proxy::None));
        assert_eq!(from(&[("HTTP_PROXY", " ")]), Ok(Proxy::None));
    }
}

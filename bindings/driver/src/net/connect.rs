use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use super::dial::dial;
use super::failed::failed;
use super::proxy::{Proxy, ProxyServer};
use super::tls::TlsClient;
use super::tunnel;
use super::url::{Address, Endpoint, Security, authority};
use crate::engine::{BoxStream, Dial};

/// A connection that is being made. Dropping it gives the attempt up.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<BoxStream>> + Send>>;

/// How a client gets its connections. [`Direct`] is what clients use; one of your own may tunnel them, count them or
/// make them in memory.
///
/// The stream speaks HTTP/1.1 in the clear: TLS, if the endpoint asks for it, is the connector's. The client bounds
/// the time that one may take. The error's text reaches the application, so it should say what was attempted.
pub trait Connector: Send + Sync + 'static {
    /// Makes one connection to `endpoint`.
    fn connect(&self, endpoint: &Endpoint) -> Connecting;
}

impl<C: Connector + ?Sized> Connector for Arc<C> {
    fn connect(&self, endpoint: &Endpoint) -> Connecting {
        (**self).connect(endpoint)
    }
}

impl<C: Connector + ?Sized> Connector for Box<C> {
    fn connect(&self, endpoint: &Endpoint) -> Connecting {
        (**self).connect(endpoint)
    }
}

/// Connections by the runtime's sockets: TCP to the first address of the host that answers, or to a proxy, or a Unix
/// socket; then TLS if the URL says so.
#[derive(Clone, Debug)]
pub struct Direct<R> {
    runtime: R,
    /// What the system trusts, if nothing was set.
    tls: Option<TlsClient>,
    proxy: Arc<Proxy>,
}

impl<R: Dial> Direct<R> {
    /// Without a `TlsClient` the first connection by TLS makes [`TlsClient::system`](super::tls::TlsClient).
    pub fn new(runtime: R, tls: Option<TlsClient>, proxy: Proxy) -> Self {
        Self {
            runtime,
            tls,
            proxy: Arc::new(proxy),
        }
    }

    async fn run(self, endpoint: Endpoint) -> io::Result<BoxStream> {
        let (host, port) = match endpoint.address() {
            Address::Unix(path) => {
                let attempt = || format!("cannot connect to {}", path.display());
                return self
                    .runtime
                    .dial_unix(path)
                    .await
                    .map_err(|error| failed(attempt(), error));
            }
            Address::Tcp { host, port } => (host, *port),
        };
        let stream: BoxStream = match self.proxy.server_for(endpoint.security(), host, port) {
            Some(proxy) => self.tunnel(proxy, host, port).await?,
            None => Box::new(dial(&self.runtime, host, port).await?),
        };
        match endpoint.security() {
            Security::Plain => Ok(stream),
            Security::Tls => {
                let attempt = || format!("cannot speak TLS with {}", authority(host, Some(port)));
                let secured = secure(self.tls, host, stream).await;
                secured.map_err(|error| failed(attempt(), error))
            }
        }
    }

    async fn tunnel(&self, proxy: &ProxyServer, host: &str, port: u16) -> io::Result<BoxStream> {
        let attempt = || format!("proxy {proxy}");
        let stream = dial(&self.runtime, proxy.host(), proxy.port()).await;
        let mut stream: BoxStream = Box::new(stream.map_err(|error| failed(attempt(), error))?);
        if proxy.security() == Security::Tls {
            // The client's own settings are for its server.
            let secured = secure(None, proxy.host(), stream).await;
            stream = secured.map_err(|error| failed(attempt(), error))?;
        }
        let target = authority(host, Some(port));
        let opened = tunnel::open(&mut stream, &target, proxy.authorization()).await;
        opened.map_err(|error| failed(attempt(), error))?;
        Ok(stream)
    }
}

impl<R: Dial> Connector for Direct<R> {
    fn connect(&self, endpoint: &Endpoint) -> Connecting {
        Box::pin(self.clone().run(endpoint.clone()))
    }
}

#[cfg(feature = "tls")]
async fn secure(tls: Option<TlsClient>, host: &str, stream: BoxStream) -> io::Result<BoxStream> {
    let tls = match tls {
        Some(tls) => tls,
        None => TlsClient::system()?,
    };
    Ok(Box::new(tls.connect(host, stream).await?))
}

#[cfg(not(feature = "tls"))]
async fn secure(tls: Option<TlsClient>, _: &str, _: BoxStream) -> io::Result<BoxStream> {
    if let Some(tls) = tls {
        match tls {}
    }
    let text = "this was built without TLS; enable the cargo feature tls";
    std::future::ready(Err(io::Error::new(io::ErrorKind::Unsupported, text))).await
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::super::testing::{Outcome, TestNetwork};
    use super::{Connector, Direct, Endpoint, Proxy};

    fn attempt(network: &TestNetwork, url: &str, proxy: &str) -> Option<io::Result<()>> {
        let proxy = if proxy.is_empty() {
            Proxy::None
        } else {
            Proxy::parse(proxy).expect(proxy)
        };
        let direct = Direct::new(network.runtime(), None, proxy);
        let connecting = direct.connect(&Endpoint::parse(url).expect(url));
        network.task(async move { connecting.await.map(drop) }).poll()
    }

    fn failure(network: &TestNetwork, url: &str, proxy: &str) -> String {
        let outcome = attempt(network, url, proxy).expect("ends");
        outcome.expect_err("fails").to_string()
    }

    #[test]
    fn a_plain_server_is_reached_directly() {
        let network = TestNetwork::new(&[]);
        network.answer("127.0.0.1:3000", Outcome::Connected);
        assert!(
            attempt(&network, "http://127.0.0.1:3000", "")
                .expect("ends")
                .is_ok()
        );
        network.answer("127.0.0.1:9", Outcome::Refused);
        assert_eq!(
            failure(&network, "ws://127.0.0.1:9", ""),
            "cannot connect to 127.0.0.1:9: connection refused"
        );
    }

    #[test]
    fn a_proxy_is_asked_for_a_tunnel_also_for_http() {
        let network = TestNetwork::new(&[]);
        network.answer("10.0.0.1:3128", Outcome::Connected);
        network.script(b"HTTP/1.1 200 OK\r\n\r\n");
        assert!(
            attempt(&network, "http://host", "10.0.0.1:3128")
                .expect("ends")
                .is_ok()
        );
        assert_eq!(
            network.written(),
            "CONNECT host:80 HTTP/1.1\r\nHost: host:80\r\n\r\n"
        );
        assert_eq!(network.dialled(), ["10.0.0.1:3128"]);
    }

    #[test]
    fn errors_name_the_proxy() {
        let network = TestNetwork::new(&[]);
        network.answer("10.0.0.1:3128", Outcome::Connected);
        network.script(b"HTTP/1.1 403 Forbidden\r\n\r\n");
        assert_eq!(
            failure(&network, "http://host", "10.0.0.1:3128"),
            "proxy 10.0.0.1:3128: answered 403 Forbidden to CONNECT host:80; it does not allow this host and port"
        );
        network.answer("10.0.0.1:3128", Outcome::Refused);
        assert_eq!(
            failure(&network, "http://host", "10.0.0.1:3128"),
            "proxy 10.0.0.1:3128: cannot connect to 10.0.0.1:3128: connection refused"
        );
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_server_without_tls_is_found_out() {
        let network = TestNetwork::new(&["10.0.0.2:443"]);
        network.answer("10.0.0.2:443", Outcome::Connected);
        network.script(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let client = super::TlsClient::builder()
            .danger_accept_invalid_certificates()
            .build();
        let direct = Direct::new(network.runtime(), client.ok(), Proxy::None);
        let connecting = direct.connect(&Endpoint::parse("https://host").expect("parses"));
        let outcome = network.task(async move { connecting.await.map(drop) }).poll();
        assert_eq!(
            outcome.expect("ends").expect_err("fails").to_string(),
            "cannot speak TLS with host:443: the server does not speak TLS but plain HTTP; use http:// or ws://, or \
             the server's TLS port"
        );
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn tls_that_was_not_built_in_is_an_error() {
        let network = TestNetwork::new(&[]);
        network.answer("127.0.0.1:443", Outcome::Connected);
        assert_eq!(
            failure(&network, "https://127.0.0.1", ""),
            "cannot speak TLS with 127.0.0.1:443: this was built without TLS; enable the cargo feature tls"
        );
    }
}

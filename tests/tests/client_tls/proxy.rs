//! Through an HTTP proxy (`CONNECT`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use socketio_tests::binding::Binding;
use socketio_tests::live::{LocalServer, ScriptedServer};
use socketio_tokio::net::Proxy;
use socketio_tokio::{Arguments, Reply, Server, Transport};

use crate::{ORDERS, assert_echoes, once, refusal, serve_tls, trusting};
use socketio_tests::certificates::Authority;

socketio_tests::on_every_client![
    plain_connections_go_through_it,
    tls_goes_through_it,
    a_proxy_that_requires_credentials_gets_them,
    a_proxy_that_refuses_is_named,
    a_proxy_that_cannot_reach_the_server_is_named,
];

/// A proxy that counts the CONNECT requests that it accepts.
struct CountingProxy {
    proxy: ScriptedServer,
    connects: Arc<AtomicUsize>,
}

impl CountingProxy {
    /// `credentials` are the value of `Proxy-Authorization` that it requires.
    fn start(credentials: Option<&'static str>) -> Self {
        let connects = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connects);
        let proxy = ScriptedServer::start(move |client| {
            let Some(mut request) = client.request() else {
                return;
            };
            let line = request.head.lines().next().unwrap_or_default();
            let target = line
                .strip_prefix("CONNECT ")
                .and_then(|rest| rest.strip_suffix(" HTTP/1.1"));
            let target = target.map(|target| target.replace("localhost", "127.0.0.1"));
            let Some(target) = target.and_then(|target| target.parse::<SocketAddr>().ok()) else {
                client.respond("405 Method Not Allowed", "", "only CONNECT");
                return;
            };
            if credentials.is_some() && request.header("proxy-authorization") != credentials {
                let challenge = "Proxy-Authenticate: Basic realm=\"proxy\"\r\n";
                client.respond(
                    "407 Proxy Authentication Required",
                    challenge,
                    "credentials are missing",
                );
                return;
            }
            counted.fetch_add(1, Ordering::SeqCst);
            client.send("HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n");
            // This request is the proxy's alone.
            request.head.clear();
            let _ = client.forward(target, &request);
        });
        Self { proxy, connects }
    }

    fn url(&self, credentials: &str) -> String {
        format!("http://{credentials}{}", self.proxy.address())
    }

    fn connects(&self) -> usize {
        self.connects.load(Ordering::SeqCst)
    }
}

fn echo_server() -> LocalServer {
    LocalServer::open(Server::builder().on("echo", |arguments: Arguments| Reply(arguments)))
}

fn plain_connections_go_through_it(binding: Binding) {
    binding.run_test(|| async {
        let server = echo_server();
        for (order, transport) in ORDERS {
            let counting_proxy = CountingProxy::start(None);
            let proxy = Proxy::parse(&counting_proxy.url("")).expect("it is one");
            assert_echoes(
                binding,
                once(&server.url()).transports(order).proxy(proxy),
                transport,
            )
            .await;
            let expected = match transport {
                Transport::WebSocket => 1..=4,
                _ => 2..=8,
            };
            assert!(
                expected.contains(&counting_proxy.connects()),
                "{} connects",
                counting_proxy.connects()
            );
        }
    });
}

fn tls_goes_through_it(binding: Binding) {
    binding.run_test(|| async {
        let authority = Authority::new("ours");
        let (_running, port) = serve_tls(binding, &authority.server(&["localhost"]));
        let counting_proxy = CountingProxy::start(None);
        for (order, transport) in ORDERS {
            let proxy = Proxy::parse(&counting_proxy.url("")).expect("it is one");
            let builder = once(&format!("https://localhost:{port}")).tls(trusting(&authority));
            assert_echoes(binding, builder.transports(order).proxy(proxy), transport).await;
        }
        assert!(
            counting_proxy.connects() >= 4,
            "{} connects",
            counting_proxy.connects()
        );
    });
}

fn a_proxy_that_requires_credentials_gets_them(binding: Binding) {
    binding.run_test(|| async {
        let server = echo_server();
        // `ada:secret` in base64.
        let counting_proxy = CountingProxy::start(Some("Basic YWRhOnNlY3JldA=="));
        let proxy = Proxy::parse(&counting_proxy.url("ada:secret@")).expect("it is one");
        assert_echoes(binding, once(&server.url()).proxy(proxy), Transport::WebSocket).await;
        assert!(counting_proxy.connects() >= 1);
    });
}

fn a_proxy_that_refuses_is_named(binding: Binding) {
    binding.run_test(|| async {
        let server = echo_server();
        let counting_proxy = CountingProxy::start(Some("Basic YWRhOnNlY3JldA=="));
        let proxy = Proxy::parse(&counting_proxy.url("")).expect("it is one");
        let why = refusal(binding, once(&server.url()).proxy(proxy)).await;
        assert!(why.contains("407") && why.contains("proxy"), "{why}");
        assert_eq!(counting_proxy.connects(), 0);
    });
}

fn a_proxy_that_cannot_reach_the_server_is_named(binding: Binding) {
    binding.run_test(|| async {
        let proxy = ScriptedServer::start(|client| {
            let _ = client.request();
            client.respond("502 Bad Gateway", "", "");
        });
        let through = Proxy::parse(&proxy.url()).expect("it is one");
        let why = refusal(binding, once("http://127.0.0.1:1").proxy(through)).await;
        assert!(why.contains("502") && why.contains("proxy"), "{why}");
    });
}

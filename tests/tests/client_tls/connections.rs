//! Connections over TLS and Unix sockets that succeed.

use std::path::PathBuf;
use std::time::Duration;

use socketio_tests::binding::{Binding, RunningServer};
use socketio_tests::live::{Peer, PeerOptions, within};
use socketio_tokio::client::{Client, TransportOrder};
use socketio_tokio::net::TlsClient;
use socketio_tokio::{Bytes, Transport};

use crate::{ORDERS, assert_echoes, once, serve_requiring, serve_tls, server, trusting};
use socketio_tests::certificates::Authority;

socketio_tests::on_every_client![
    https_and_wss,
    half_a_megabyte_of_bytes_over_tls,
    a_client_with_a_certificate,
    a_name_that_is_not_that_of_the_url,
    any_certificate_where_the_danger_is_accepted,
    a_unix_socket,
    node_over_https,
];

fn https_and_wss(binding: Binding) {
    binding.run_test(|| async {
        let authority = Authority::new("ours");
        let (_running, port) = serve_tls(binding, &authority.server(&["localhost", "127.0.0.1"]));
        for scheme in ["https", "wss"] {
            for (order, transport) in ORDERS {
                for host in ["localhost", "127.0.0.1"] {
                    let builder = once(&format!("{scheme}://{host}:{port}"));
                    assert_echoes(
                        binding,
                        builder.transports(order).tls(trusting(&authority)),
                        transport,
                    )
                    .await;
                }
            }
        }
    });
}

fn half_a_megabyte_of_bytes_over_tls(binding: Binding) {
    binding.run_test(|| async {
        let authority = Authority::new("ours");
        let (_running, port) = serve_tls(binding, &authority.server(&["localhost"]));
        for (order, _) in ORDERS {
            let client = connect(binding, port, order, &authority).await;
            let bytes: Bytes = (0..500_000_u32)
                .map(|index| u8::try_from(index % 256).unwrap_or(0))
                .collect();
            for _ in 0..3 {
                let echo: Bytes = within("an echo", client.call("echo", &bytes))
                    .await
                    .expect("it answers");
                assert!(echo == bytes);
            }
        }
    });
}

fn a_client_with_a_certificate(binding: Binding) {
    binding.run_test(|| async {
        let (ours, clients) = (Authority::new("ours"), Authority::new("of clients"));
        let (_running, port) = serve_requiring(binding, &ours, &clients);
        let own = clients.client();
        let tls = TlsClient::builder()
            .only_ca_pem(ours.pem.as_str())
            .client_certificate(own.pem, own.key);
        let tls = tls.build().expect("it can be used");
        for (order, transport) in ORDERS {
            let builder = once(&format!("https://localhost:{port}"))
                .transports(order)
                .tls(tls.clone());
            assert_echoes(binding, builder, transport).await;
        }
    });
}

fn a_name_that_is_not_that_of_the_url(binding: Binding) {
    binding.run_test(|| async {
        let authority = Authority::new("ours");
        let (_running, port) = serve_tls(binding, &authority.server(&["example.org"]));
        let tls = TlsClient::builder()
            .only_ca_pem(authority.pem.as_str())
            .server_name("example.org");
        let builder = once(&format!("https://127.0.0.1:{port}")).tls(tls.build().expect("it can be used"));
        assert_echoes(binding, builder, Transport::WebSocket).await;
    });
}

fn any_certificate_where_the_danger_is_accepted(binding: Binding) {
    binding.run_test(|| async {
        let (_running, port) = serve_tls(
            binding,
            &Authority::new("nobody").expired_server(&["example.org"]),
        );
        let tls = TlsClient::builder().danger_accept_invalid_certificates();
        let builder = once(&format!("https://localhost:{port}")).tls(tls.build().expect("it can be used"));
        assert_echoes(binding, builder, Transport::WebSocket).await;
    });
}

fn a_unix_socket(binding: Binding) {
    binding.run_test(|| async {
        let folder = temporary(binding, "unix");
        let path = folder.join("server.sock");
        std::fs::create_dir_all(&folder).expect("temporary files can be made");
        // It may be left from an earlier run.
        let _ = std::fs::remove_file(&path);
        let running = RunningServer::start_unix(binding.test_runtime(), server(), &path);
        for (order, transport) in ORDERS {
            let builder = once(&format!("unix:{}", path.display())).transports(order);
            assert_echoes(binding, builder, transport).await;
        }
        drop(running);
        std::fs::remove_dir_all(&folder).expect("it can be removed");
    });
}

/// A folder that no other test has.
fn temporary(binding: Binding, name: &str) -> PathBuf {
    let process = std::process::id();
    std::env::temp_dir().join(format!("socketio-{process}-{name}-{}", binding.name()))
}

/// The published server behind node's own TLS.
fn node_over_https(binding: Binding) {
    let authority = Authority::new("ours");
    let certificate = authority.server(&["localhost"]);
    let folder = temporary(binding, "node");
    std::fs::create_dir_all(&folder).expect("temporary files can be made");
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, &certificate.pem).expect("it can be written");
    std::fs::write(&key, &certificate.key).expect("it can be written");
    let options = PeerOptions::default().with("--cert", cert).with("--key", key);
    let started = Peer::Node.start(options);
    let _ = std::fs::remove_dir_all(&folder);
    let Ok(server) = started else { return };
    let port = server.address().port();
    binding.run_test(|| async {
        for (order, transport) in ORDERS {
            let client = connect(binding, port, order, &authority).await;
            socketio_tests::live::eventually("the transport", || client.transport() == Some(transport)).await;
            let echo = within(
                "an echo",
                client.call::<u32>("echo-ack", &1).timeout(Duration::from_secs(5)),
            )
            .await;
            assert_eq!(echo, Ok(1));
        }
    });
}

/// A client of `localhost` that trusts this authority only.
async fn connect(binding: Binding, port: u16, order: TransportOrder, authority: &Authority) -> Client {
    let builder = once(&format!("https://localhost:{port}"))
        .transports(order)
        .tls(trusting(authority));
    within("the connection", binding.connect(builder))
        .await
        .expect("it connects")
}

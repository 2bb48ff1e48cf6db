//! Servers and clients without the right certificate, and addresses without a server: the error names the reason.

use std::time::Duration;

use socketio_tests::binding::{Binding, RunningServer};
use socketio_tests::live::{LocalServer, within};
use socketio_tokio::client::TransportOrder;
use socketio_tokio::net::TlsClient;
use socketio_tokio::net::tls::TlsServer;
use socketio_tokio::{Limits, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{ORDERS, once, refusal, serve_requiring, serve_tls, trusting};
use socketio_tests::certificates::Authority;

socketio_tests::on_every_client![
    a_certificate_for_another_name,
    a_certificate_that_has_expired,
    a_certificate_of_an_unknown_authority,
    a_client_without_the_certificate_that_is_required,
    a_server_that_speaks_no_tls,
    a_server_that_speaks_only_tls,
    a_port_without_a_listener,
    a_socket_that_does_not_exist,
    a_client_that_never_finishes_its_handshake_is_closed_like_one_without_a_request,
];

/// The refusal over each transport.
async fn refusals(binding: Binding, url: &str, tls: TlsClient) -> Vec<String> {
    let mut refusals = Vec::new();
    for (order, _) in ORDERS {
        refusals.push(refusal(binding, once(url).transports(order).tls(tls.clone())).await);
    }
    refusals
}

#[track_caller]
fn assert_say(refusals: &[String], what: &[&str]) {
    for refusal in refusals {
        for what in what {
            assert!(refusal.contains(what), "{refusal:?} does not contain {what:?}");
        }
    }
}

fn a_certificate_for_another_name(binding: Binding) {
    binding.run_test(|| async {
        let authority = Authority::new("ours");
        let (_running, port) = serve_tls(binding, &authority.server(&["example.org"]));
        let url = format!("https://localhost:{port}");
        assert_say(
            &refusals(binding, &url, trusting(&authority)).await,
            &["example.org", "localhost"],
        );
    });
}

fn a_certificate_that_has_expired(binding: Binding) {
    binding.run_test(|| async {
        let authority = Authority::new("ours");
        let (_running, port) = serve_tls(binding, &authority.expired_server(&["localhost"]));
        let url = format!("https://localhost:{port}");
        assert_say(&refusals(binding, &url, trusting(&authority)).await, &["expired"]);
    });
}

fn a_certificate_of_an_unknown_authority(binding: Binding) {
    binding.run_test(|| async {
        let (_running, port) = serve_tls(binding, &Authority::new("theirs").server(&["localhost"]));
        let url = format!("https://localhost:{port}");
        assert_say(
            &refusals(binding, &url, trusting(&Authority::new("ours"))).await,
            &["unknown issuer"],
        );
        assert_say(&[refusal(binding, once(&url)).await], &["unknown issuer"]);
    });
}

fn a_client_without_the_certificate_that_is_required(binding: Binding) {
    binding.run_test(|| async {
        let (ours, clients) = (Authority::new("ours"), Authority::new("of clients"));
        let (_running, port) = serve_requiring(binding, &ours, &clients);
        let url = format!("https://localhost:{port}");
        assert_say(&refusals(binding, &url, trusting(&ours)).await, &["certificate"]);
        let stranger = Authority::new("of others").client();
        let tls = TlsClient::builder()
            .only_ca_pem(ours.pem.as_str())
            .client_certificate(stranger.pem, stranger.key);
        assert_say(
            &refusals(binding, &url, tls.build().expect("it can be used")).await,
            &["certificate"],
        );
    });
}

fn a_server_that_speaks_no_tls(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(Server::builder());
        let url = format!("https://localhost:{}", server.address.port());
        let authority = Authority::new("ours");
        assert_say(&refusals(binding, &url, trusting(&authority)).await, &["TLS"]);
    });
}

fn a_server_that_speaks_only_tls(binding: Binding) {
    binding.run_test(|| async {
        let (_running, port) = serve_tls(binding, &Authority::new("ours").server(&["localhost"]));
        for order in [TransportOrder::Polling, TransportOrder::WebSocket] {
            let why = refusal(
                binding,
                once(&format!("http://localhost:{port}")).transports(order),
            )
            .await;
            assert!(!why.is_empty());
        }
    });
}

fn a_port_without_a_listener(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(Server::builder());
        let url = server.url();
        server.close();
        socketio_tests::live::eventually("the port is released", || {
            std::net::TcpListener::bind(url.trim_start_matches("http://")).is_ok()
        })
        .await;
        assert_say(&[refusal(binding, once(&url)).await], &["refused"]);
    });
}

fn a_socket_that_does_not_exist(binding: Binding) {
    binding.run_test(|| async {
        assert_say(
            &[refusal(binding, once("unix:/nonexistent/server.sock")).await],
            &["No such file"],
        );
    });
}

fn a_client_that_never_finishes_its_handshake_is_closed_like_one_without_a_request(binding: Binding) {
    binding.run_test(|| async {
        let certificate = Authority::new("ours").server(&["localhost"]);
        let tls = TlsServer::builder(certificate.pem.as_str(), certificate.key.as_str());
        let tls = tls.build().expect("the certificate can be used");
        let mut limits = Limits::default();
        limits.head_timeout = Duration::from_millis(200);
        let server = Server::builder().limits(limits).build();
        let running = RunningServer::start_with(binding.test_runtime(), server, Some(tls));
        // Nothing, and the beginning of a record that never ends.
        for beginning in [&b""[..], &[22, 3, 1, 1, 0, 1]] {
            let mut stream = TcpStream::connect(running.address).await.expect("it listens");
            stream.write_all(beginning).await.expect("the server reads");
            let mut rest = Vec::new();
            // How it ends does not matter.
            let _ = within("the end", stream.read_to_end(&mut rest)).await;
        }
    });
}

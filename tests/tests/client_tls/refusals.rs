//! Servers that are not who they should be, and servers that do not know the client: the error says which.

use std::net::Ipv4Addr;
use std::time::Duration;

use socketio_tests::live::{House, Scheduler, within};
use socketio_tokio::client::TransportOrder;
use socketio_tokio::net::TlsClient;
use socketio_tokio::net::tls::TlsServer;
use socketio_tokio::{Limits, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::certificates::Authority;
use crate::{ORDERS, once, refusal, serve_tls, serve_with, trusting};

/// The refusal over each transport.
async fn refusals(url: &str, tls: TlsClient) -> Vec<String> {
    let mut refusals = Vec::new();
    for (order, _) in ORDERS {
        refusals.push(refusal(once(url).transports(order).tls(tls.clone())).await);
    }
    refusals
}

#[track_caller]
fn assert_say(refusals: &[String], what: &[&str]) {
    for refusal in refusals {
        for what in what {
            assert!(refusal.contains(what), "{refusal:?} does not say {what:?}");
        }
    }
}

#[test]
fn a_certificate_for_another_name() {
    Scheduler::both(|| async {
        let authority = Authority::new("ours");
        let port = serve_tls(&authority.server(&["example.org"])).await;
        let url = format!("https://localhost:{port}");
        assert_say(
            &refusals(&url, trusting(&authority)).await,
            &["example.org", "localhost"],
        );
    });
}

#[test]
fn a_certificate_that_has_expired() {
    Scheduler::both(|| async {
        let authority = Authority::new("ours");
        let port = serve_tls(&authority.expired_server(&["localhost"])).await;
        let url = format!("https://localhost:{port}");
        assert_say(&refusals(&url, trusting(&authority)).await, &["expired"]);
    });
}

#[test]
fn a_certificate_of_an_unknown_authority() {
    Scheduler::both(|| async {
        let port = serve_tls(&Authority::new("theirs").server(&["localhost"])).await;
        let url = format!("https://localhost:{port}");
        assert_say(
            &refusals(&url, trusting(&Authority::new("ours"))).await,
            &["unknown issuer"],
        );
        assert_say(&[refusal(once(&url)).await], &["unknown issuer"]);
    });
}

#[test]
fn a_client_without_the_certificate_that_is_required() {
    Scheduler::both(|| async {
        let (ours, clients) = (Authority::new("ours"), Authority::new("of clients"));
        let certificate = ours.server(&["localhost"]);
        let tls = TlsServer::builder(certificate.pem, certificate.key)
            .require_client_certificate(clients.pem.as_str());
        let port = serve_with(tls.build().expect("it can be used")).await;
        let url = format!("https://localhost:{port}");
        assert_say(&refusals(&url, trusting(&ours)).await, &["certificate"]);
        let stranger = Authority::new("of others").client();
        let tls = TlsClient::builder()
            .only_ca_pem(ours.pem.as_str())
            .client_certificate(stranger.pem, stranger.key);
        assert_say(
            &refusals(&url, tls.build().expect("it can be used")).await,
            &["certificate"],
        );
    });
}

#[test]
fn a_server_that_speaks_no_tls() {
    Scheduler::both(|| async {
        let house = House::open(Server::builder());
        let url = format!("https://localhost:{}", house.address.port());
        let authority = Authority::new("ours");
        assert_say(&refusals(&url, trusting(&authority)).await, &["TLS"]);
    });
}

#[test]
fn a_server_that_speaks_only_tls() {
    Scheduler::both(|| async {
        let port = serve_tls(&Authority::new("ours").server(&["localhost"])).await;
        for order in [TransportOrder::Polling, TransportOrder::WebSocket] {
            let why = refusal(once(&format!("http://localhost:{port}")).transports(order)).await;
            assert!(!why.is_empty());
        }
    });
}

#[test]
fn a_port_nobody_listens_at() {
    Scheduler::both(|| async {
        let house = House::open(Server::builder());
        let url = house.url();
        house.close();
        socketio_tests::live::eventually("the port is given up", || {
            std::net::TcpListener::bind(url.trim_start_matches("http://")).is_ok()
        })
        .await;
        assert_say(&[refusal(once(&url)).await], &["refused"]);
    });
}

#[test]
fn a_socket_that_does_not_exist() {
    Scheduler::both(|| async {
        assert_say(
            &[refusal(once("unix:/nonexistent/server.sock")).await],
            &["No such file"],
        );
    });
}

#[test]
fn a_client_that_never_makes_its_handshake_is_cut_off_like_one_that_never_asks() {
    Scheduler::both(|| async {
        let certificate = Authority::new("ours").server(&["localhost"]);
        let tls = TlsServer::builder(certificate.pem.as_str(), certificate.key.as_str());
        let tls = tls.build().expect("the certificate can be used");
        let mut limits = Limits::default();
        limits.head_timeout = Duration::from_millis(200);
        let server = Server::builder().limits(limits).build();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(socketio_tokio::serve(tls.wrap(listener), server));
        // Nothing, and the beginning of a record that never ends.
        for beginning in [&b""[..], &[22, 3, 1, 1, 0, 1]] {
            let mut stream = TcpStream::connect(address).await.expect("it listens");
            stream.write_all(beginning).await.expect("it takes it");
            let mut rest = Vec::new();
            // However it ends, it does.
            let _ = within("the end", stream.read_to_end(&mut rest)).await;
        }
    });
}

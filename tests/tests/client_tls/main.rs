//! TLS, Unix sockets and proxies, over real sockets.

mod connections;
mod proxy;
mod refusals;

use std::time::Duration;

use socketio_tests::binding::{Binding, RunningServer};
use socketio_tests::certificates::{Authority, Certificate};
use socketio_tests::live::within;
use socketio_tokio::client::{Attempts, Client, ClientBuilder, ConnectError, Reconnection, TransportOrder};
use socketio_tokio::net::TlsClient;
use socketio_tokio::net::tls::TlsServer;
use socketio_tokio::{Arguments, Async, Reply, Server, Transport};

const ORDERS: [(TransportOrder, Transport); 3] = [
    (TransportOrder::Polling, Transport::Polling),
    (TransportOrder::WebSocket, Transport::WebSocket),
    (TransportOrder::PollingFirst, Transport::WebSocket),
];

/// The server of all tests.
fn server() -> Server {
    Server::builder()
        .on("echo", |arguments: Arguments| Reply(arguments))
        .build()
}

/// Serves over TLS with this certificate, on the binding; also returns the port.
fn serve_tls(binding: Binding, certificate: &Certificate) -> (RunningServer, u16) {
    let tls = TlsServer::builder(certificate.pem.as_str(), certificate.key.as_str());
    serve_with(binding, tls.build().expect("the certificate can be used"))
}

/// A server that takes only clients with a certificate of `clients`.
fn serve_requiring(binding: Binding, ours: &Authority, clients: &Authority) -> (RunningServer, u16) {
    let certificate = ours.server(&["localhost"]);
    let tls =
        TlsServer::builder(certificate.pem, certificate.key).require_client_certificate(clients.pem.as_str());
    serve_with(binding, tls.build().expect("it can be used"))
}

fn serve_with(binding: Binding, tls: TlsServer) -> (RunningServer, u16) {
    let running = RunningServer::start_with(binding.test_runtime(), server(), Some(tls));
    let port = running.address.port();
    (running, port)
}

/// Trusts this authority alone.
fn trusting(authority: &Authority) -> TlsClient {
    let builder = TlsClient::builder().only_ca_pem(authority.pem.as_str());
    builder.build().expect("the authority can be used")
}

/// A client that does not retry.
fn once(url: &str) -> ClientBuilder<Async> {
    let mut reconnection = Reconnection::default();
    reconnection.attempts = Attempts::AtMost(0);
    Client::builder(url)
        .reconnection(reconnection)
        .connect_timeout(Duration::from_secs(5))
}

/// Connects, waits for the transport and has something echoed.
async fn assert_echoes(binding: Binding, builder: ClientBuilder<Async>, transport: Transport) {
    let client = within("the connection", binding.connect(builder)).await;
    let client = client.unwrap_or_else(|error| panic!("could not connect: {error}"));
    socketio_tests::live::eventually("the transport is the one wanted", || {
        client.transport() == Some(transport)
    })
    .await;
    let large = "x".repeat(300_000);
    let echo = within("an echo", client.call::<String>("echo", &large))
        .await
        .expect("it answers");
    assert!(echo == large);
    client.disconnect();
    within("the end", client.closed()).await;
}

/// Why the connection could not be made.
async fn refusal(binding: Binding, builder: ClientBuilder<Async>) -> String {
    let outcome = within("the refusal", binding.connect(builder)).await;
    match outcome {
        Ok(_) => panic!("it connected"),
        Err(ConnectError::Failed(reason)) => reason.to_string(),
        Err(other) => panic!("{other}"),
    }
}

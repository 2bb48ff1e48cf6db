//! TLS, Unix sockets and proxies, over real sockets.

mod certificates;
mod proxy;
mod refusals;
mod trips;

use std::net::Ipv4Addr;
use std::time::Duration;

use certificates::{Authority, Certificate};
use socketio_tests::live::within;
use socketio_tokio::client::{Attempts, Client, ClientBuilder, ConnectError, Reconnection, TransportOrder};
use socketio_tokio::net::TlsClient;
use socketio_tokio::net::tls::TlsServer;
use socketio_tokio::{Arguments, Async, Reply, Server, Transport};
use tokio::net::TcpListener;

const ORDERS: [(TransportOrder, Transport); 3] = [
    (TransportOrder::Polling, Transport::Polling),
    (TransportOrder::WebSocket, Transport::WebSocket),
    (TransportOrder::PollingFirst, Transport::WebSocket),
];

/// What everybody serves.
fn server() -> Server {
    Server::builder()
        .on("echo", |arguments: Arguments| Reply(arguments))
        .build()
}

/// Serves over TLS with this certificate, on the test's runtime; says at which port.
async fn serve_tls(certificate: &Certificate) -> u16 {
    let tls = TlsServer::builder(certificate.pem.as_str(), certificate.key.as_str());
    serve_with(tls.build().expect("the certificate can be used")).await
}

async fn serve_with(tls: TlsServer) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(socketio_tokio::serve(tls.wrap(listener), server()));
    port
}

/// Trusts this authority and nobody else.
fn trusting(authority: &Authority) -> TlsClient {
    let builder = TlsClient::builder().only_ca_pem(authority.pem.as_str());
    builder.build().expect("the authority can be used")
}

/// A client that does not try again.
fn once(url: &str) -> ClientBuilder<Async> {
    let mut reconnection = Reconnection::default();
    reconnection.attempts = Attempts::AtMost(0);
    Client::builder(url)
        .reconnection(reconnection)
        .connect_timeout(Duration::from_secs(5))
}

/// Connects, waits for the transport and has something echoed.
async fn assert_echoes(builder: ClientBuilder<Async>, transport: Transport) {
    let client = within("the connection", socketio_tokio::connect(builder)).await;
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
async fn refusal(builder: ClientBuilder<Async>) -> String {
    let outcome = within("the refusal", socketio_tokio::connect(builder)).await;
    match outcome {
        Ok(_) => panic!("it connected"),
        Err(ConnectError::Failed(reason)) => reason.to_string(),
        Err(other) => panic!("{other}"),
    }
}

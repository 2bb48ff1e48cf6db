//! Handshakes of TLS that are never finished.

use std::sync::Arc;

use socketio_tests::binding::Binding;
use socketio_tests::certificates::Authority;
use socketio_tests::live::{Scheduler, within};
use socketio_tests::testbed::Target;
use socketio_tokio::client::{Attempts, Client, TransportOrder};
use socketio_tokio::net::tls::{TlsClient, TlsServer};
use tokio::runtime::Runtime;

use crate::honest_clients::HonestClients;
use crate::raw_connection::RawConnection;
use crate::server_under_attack::{AttackContext, ServerUnderAttack};

mod on_tokio {
    socketio_tests::on_one_binding!(Tokio: handshakes_that_are_never_finished_delay_nobody);
}
mod on_smol {
    socketio_tests::on_one_binding!(Smol: handshakes_that_are_never_finished_delay_nobody);
}
mod on_async_std {
    socketio_tests::on_one_binding!(AsyncStd: handshakes_that_are_never_finished_delay_nobody);
}
mod on_blocking {
    socketio_tests::on_one_binding!(Blocking: handshakes_that_are_never_finished_delay_nobody);
}

/// A record that announces more than comes, one that is none, and HTTP without TLS.
const BEGINNINGS: [&[u8]; 5] = [
    b"",
    b"\x16",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    &[0xff; 2_000],
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
];

/// The echoes of an honest client over TLS, which does not reconnect.
fn echoes(
    runtime: &Arc<Runtime>,
    url: &str,
    tls: TlsClient,
    order: TransportOrder,
) -> Box<dyn FnMut(usize) + Send> {
    let builder = Client::builder(url)
        .tls(tls)
        .transports(order)
        .reconnection_attempts(Attempts::AtMost(0));
    let connecting = within("the connection", async { socketio_tokio::connect(builder).await });
    let client = runtime.block_on(connecting).expect("it is connected");
    let runtime = Arc::clone(runtime);
    Box::new(move |number| {
        let answer = runtime.block_on(within("an echo", client.call::<usize>("echo-ack", &number)));
        assert_eq!(answer, Ok(number));
    })
}

fn handshakes_that_are_never_finished_delay_nobody(binding: Binding) {
    let authority = Authority::new("the authority of a test");
    let certificate = authority.server(&["127.0.0.1"]);
    let tls = TlsServer::builder(certificate.pem, certificate.key)
        .build()
        .expect("it is a certificate");
    let runtime = Arc::new(Scheduler::MultiThread.runtime());
    let connect = |target: &Target| {
        let url = format!("https://{}", target.address);
        let orders = [TransportOrder::WebSocket, TransportOrder::Polling];
        HonestClients::of(
            orders
                .into_iter()
                .map(|order| {
                    let trust = TlsClient::builder().ca_pem(authority.pem.clone()).build();
                    echoes(&runtime, &url, trust.expect("it is a certificate"), order)
                })
                .collect(),
        )
    };
    let attack = |context: &AttackContext| {
        let mut connections: Vec<_> = (0..300).map(|_| RawConnection::open(&context.target)).collect();
        for (connection, beginning) in connections.iter_mut().zip(BEGINNINGS.iter().cycle()) {
            connection.write_some(beginning);
        }
        connections
    };
    ServerUnderAttack::with_tls(binding, tls, connect)
        .assert_withstands(&[("beginnings of handshakes", attack)]);
}

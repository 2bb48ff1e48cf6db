//! Handshakes of TLS that are never finished.

use std::sync::Arc;

use socketio_tests::binding::Binding;
use socketio_tests::live::{Scheduler, within};
use socketio_tests::testbed::Target;
use socketio_tokio::client::{Attempts, Client, TransportOrder};
use socketio_tokio::net::tls::{TlsClient, TlsServer};
use tokio::runtime::Runtime;

use crate::fortress::{Fortress, Siege};
use crate::guests::Guests;
use crate::line::Line;

#[path = "../client_tls/certificates.rs"]
#[allow(dead_code)]
mod certificates;

use certificates::Authority;

mod on_tokio {
    socketio_tests::on_one_binding!(Tokio: handshakes_that_are_never_finished_hold_nobody_up);
}
mod on_smol {
    socketio_tests::on_one_binding!(Smol: handshakes_that_are_never_finished_hold_nobody_up);
}
mod on_async_std {
    socketio_tests::on_one_binding!(AsyncStd: handshakes_that_are_never_finished_hold_nobody_up);
}
mod on_blocking {
    socketio_tests::on_one_binding!(Blocking: handshakes_that_are_never_finished_hold_nobody_up);
}

/// A record that announces more than comes, one that is none, and HTTP to the wrong door.
const BEGINNINGS: [&[u8]; 5] = [
    b"",
    b"\x16",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    &[0xff; 2_000],
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
];

/// An honest client over TLS, which would notice if it had to connect again.
fn guest(
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
    let client = runtime.block_on(connecting).expect("it is let in");
    let runtime = Arc::clone(runtime);
    Box::new(move |number| {
        let answer = runtime.block_on(within("an echo", client.call::<usize>("echo-ack", &number)));
        assert_eq!(answer, Ok(number));
    })
}

fn handshakes_that_are_never_finished_hold_nobody_up(binding: Binding) {
    let authority = Authority::new("the authority of a test");
    let certificate = authority.server(&["127.0.0.1"]);
    let tls = TlsServer::builder(certificate.pem, certificate.key)
        .build()
        .expect("it is a certificate");
    let runtime = Arc::new(Scheduler::MultiThread.runtime());
    let invite = |target: &Target| {
        let url = format!("https://{}", target.address);
        let orders = [TransportOrder::WebSocket, TransportOrder::Polling];
        Guests::of(
            orders
                .into_iter()
                .map(|order| {
                    let trust = TlsClient::builder().ca_pem(authority.pem.clone()).build();
                    guest(&runtime, &url, trust.expect("it is a certificate"), order)
                })
                .collect(),
        )
    };
    let attack = |siege: &Siege| {
        let mut lines: Vec<_> = (0..300).map(|_| Line::open(&siege.target)).collect();
        for (line, beginning) in lines.iter_mut().zip(BEGINNINGS.iter().cycle()) {
            line.offer(beginning);
        }
        lines
    };
    Fortress::with_tls(binding, tls, invite).withstand(&[("beginnings of handshakes", attack)]);
}

//! A server with small limits that says whom it refused and why its sockets left.

use std::net::IpAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use socketio_tests::binding::{Ground, Serving};
use socketio_tests::kit::{DEADLINE, HttpConnection, Request, Response};
use socketio_tests::testbed::{App, Target};
use socketio_tokio::{Async, Limits, Peer, Reason, RefusalContext, Refused, Server, ServerBuilder, Socket};

pub(crate) const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

pub(crate) struct House {
    pub(crate) target: Target,
    pub(crate) server: Server,
    refused: Receiver<Refused>,
    reasons: Receiver<Reason>,
    _serving: Serving,
}

impl House {
    pub(crate) fn start(ground: Ground, change: impl FnOnce(&mut Limits)) -> Self {
        Self::with(ground, change, |builder| builder)
    }

    pub(crate) fn with(
        ground: Ground,
        change: impl FnOnce(&mut Limits),
        describe: impl FnOnce(ServerBuilder<Async>) -> ServerBuilder<Async>,
    ) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        let (tell_refused, refused) = channel();
        let (tell_reason, reasons): (Sender<Reason>, _) = channel();
        let builder = Server::builder()
            .limits(limits)
            .namespace("/chat", |chat| chat)
            .on_disconnect(move |_: Socket, reason: Reason| {
                let _ = tell_reason.send(reason);
            })
            .on_refused(move |refused| drop(tell_refused.send(refused.clone())));
        let server = describe(builder).build();
        let serving = Serving::start(ground, server.clone());
        let started = Instant::now();
        while server.sockets().is_err() {
            assert!(started.elapsed() < DEADLINE, "it is not served");
            std::thread::yield_now();
        }
        let address = serving.address;
        Self {
            target: Target {
                address,
                app: App::Lab,
            },
            server,
            refused,
            reasons,
            _serving: serving,
        }
    }

    pub(crate) fn connect(&self) -> HttpConnection {
        HttpConnection::open(&self.target)
    }

    /// A handshake on a connection of its own, which goes on.
    pub(crate) fn handshake(&self) -> (HttpConnection, Response) {
        let mut connection = self.connect();
        connection.send(&Request::get(POLLING));
        let response = connection.response();
        (connection, response)
    }

    /// Whom the application is told of next; it is somebody of this machine.
    #[track_caller]
    pub(crate) fn refused(&self) -> RefusalContext {
        self.refusal().context
    }

    #[track_caller]
    pub(crate) fn refusal(&self) -> Refused {
        let refused = self.refused.recv_timeout(DEADLINE).expect("somebody was refused");
        let Peer::Address(address) = refused.peer else {
            panic!("{refused}");
        };
        assert_eq!(address.ip(), IpAddr::from([127, 0, 0, 1]));
        refused
    }

    /// Nobody else was refused.
    #[track_caller]
    pub(crate) fn assert_nobody_else(&self) {
        assert_eq!(self.refused.try_recv().ok(), None);
    }

    /// Why a socket left.
    #[track_caller]
    pub(crate) fn reason(&self) -> Reason {
        self.reasons.recv_timeout(DEADLINE).expect("a socket left")
    }
}

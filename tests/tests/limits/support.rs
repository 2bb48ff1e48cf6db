//! A server with small limits that reports whom it refused and why its sockets disconnected.

use std::net::IpAddr;
use std::sync::mpsc::{Receiver, Sender, channel};

use socketio_tests::binding::{RunningServer, TestRuntime};
use socketio_tests::kit::{DEADLINE, HttpConnection, Request, Response, wait_until};
use socketio_tests::testbed::Target;
use socketio_tokio::{Async, Limits, Peer, Reason, RefusalContext, Refused, Server, ServerBuilder, Socket};

pub(crate) const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

pub(crate) struct LimitedServer {
    pub(crate) target: Target,
    pub(crate) handle: Server,
    refused: Receiver<Refused>,
    reasons: Receiver<Reason>,
    _running: RunningServer,
}

impl LimitedServer {
    pub(crate) fn start(runtime: TestRuntime, change: impl FnOnce(&mut Limits)) -> Self {
        Self::with(runtime, change, |builder| builder)
    }

    pub(crate) fn with(
        runtime: TestRuntime,
        change: impl FnOnce(&mut Limits),
        describe: impl FnOnce(ServerBuilder<Async>) -> ServerBuilder<Async>,
    ) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        let (refused_sender, refused) = channel();
        let (reason_sender, reasons): (Sender<Reason>, _) = channel();
        let builder = Server::builder()
            .limits(limits)
            .namespace("/chat", |chat| chat)
            .on_disconnect(move |_: Socket, reason: Reason| {
                let _ = reason_sender.send(reason);
            })
            .on_refused(move |refused| drop(refused_sender.send(refused.clone())));
        let handle = describe(builder).build();
        let running = RunningServer::start(runtime, handle.clone());
        wait_until("the server is served", || handle.sockets().is_ok());
        Self {
            target: running.target(),
            handle,
            refused,
            reasons,
            _running: running,
        }
    }

    pub(crate) fn connect(&self) -> HttpConnection {
        HttpConnection::open(&self.target)
    }

    /// A handshake on a connection of its own, which stays open.
    pub(crate) fn handshake(&self) -> (HttpConnection, Response) {
        let mut connection = self.connect();
        connection.send(&Request::get(POLLING));
        let response = connection.response();
        (connection, response)
    }

    /// What the next client was refused for; its address is this machine's.
    #[track_caller]
    pub(crate) fn refused(&self) -> RefusalContext {
        self.refusal().context
    }

    #[track_caller]
    pub(crate) fn refusal(&self) -> Refused {
        let refused = self.refused.recv_timeout(DEADLINE).expect("a client was refused");
        let Peer::Address(address) = refused.peer else {
            panic!("{refused}");
        };
        assert_eq!(address.ip(), IpAddr::from([127, 0, 0, 1]));
        refused
    }

    /// No other client was refused.
    #[track_caller]
    pub(crate) fn assert_no_other_refusal(&self) {
        assert_eq!(self.refused.try_recv().ok(), None);
    }

    /// Why a socket disconnected.
    #[track_caller]
    pub(crate) fn reason(&self) -> Reason {
        self.reasons
            .recv_timeout(DEADLINE)
            .expect("a socket disconnected")
    }
}

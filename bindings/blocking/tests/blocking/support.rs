use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use socketio_blocking::{Blocking, Server, ServerBuilder, Serving, Threads};

/// Nothing here takes so long unless it is broken.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A listener and its URL.
pub(crate) fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    let address = listener.local_addr().expect("is bound");
    (listener, format!("http://{address}"))
}

/// A server on threads of its own, until it is dropped.
pub(crate) struct Started {
    pub(crate) url: String,
    pub(crate) server: Server,
    pub(crate) serving: Serving,
}

pub(crate) fn started(builder: ServerBuilder<Blocking>) -> Started {
    started_on(&Threads::builder().build().expect("starts"), builder)
}

pub(crate) fn started_on(threads: &Threads, builder: ServerBuilder<Blocking>) -> Started {
    let (listener, url) = listen();
    let server = builder.build();
    let serving = threads.start_server(listener, server.clone()).expect("starts");
    Started { url, server, serving }
}

/// What handlers tell a test.
pub(crate) struct News<T>(Sender<T>, Receiver<T>);

impl<T> News<T> {
    pub(crate) fn new() -> Self {
        let (teller, hearer) = channel();
        Self(teller, hearer)
    }

    pub(crate) fn teller(&self) -> Sender<T> {
        self.0.clone()
    }

    pub(crate) fn next(&self) -> T {
        self.1.recv_timeout(LONG).expect("is told")
    }
}

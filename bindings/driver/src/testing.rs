//! Sockets and events for unit tests: the one place where tests make what the core would make.

use std::cell::RefCell;
use std::future::Pending;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::BytesMut;
use socketio_core::OutBuf;
use socketio_core::eio::ConnId;
use socketio_core::sio::packet::{Packet, PacketLimits, decode};
use socketio_core::sio::{Event, SocketIo};
use socketio_core::wire::Wire;

use crate::core::{self, Encoded, EventName, NamespaceId, Peer};
use crate::engine::{self, Listener, Runtime, Stream};
use crate::error::HandlerError;
use crate::handle::{Server, Socket};
use crate::handler::{EventContext, EventOutcome, Step};
use crate::inner::Inner;
use crate::router::{Async, ServerBuilder};

/// A builder whose failed handlers end up in the list.
pub(crate) fn builder() -> (ServerBuilder<Async>, Arc<Mutex<Vec<String>>>) {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let list = failures.clone();
    let builder = Server::builder().on_error(move |report| list.lock().unwrap().push(report.to_string()));
    (builder, failures)
}

/// A server that runs, as far as its handles can tell.
pub(crate) fn running(builder: ServerBuilder<Async>) -> Server {
    let server = builder.build();
    let mut serving = Box::pin(engine::serve(IdleRuntime, SilentListener, server.clone()));
    let mut task = Context::from_waker(Waker::noop());
    assert!(serving.as_mut().poll(&mut task).is_pending());
    // Dropping it would end the server.
    std::mem::forget(serving);
    server
}

/// A runtime without connections, whose tasks never run.
#[derive(Clone)]
pub(crate) struct IdleRuntime;

impl Runtime for IdleRuntime {
    type Stream = NoStream;
    type Sleep = Pending<()>;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, _: Instant) -> Self::Sleep {
        std::future::pending()
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {}

    fn seed(&self) -> io::Result<[u8; 32]> {
        Ok([7; 32])
    }
}

/// A listener that nobody connects to.
pub(crate) struct SilentListener;

impl<R> Listener<R> for SilentListener {
    type Stream = NoStream;

    fn accept(&mut self) -> impl Future<Output = io::Result<(NoStream, Peer)>> + Send {
        std::future::pending()
    }
}

/// The connection that never comes.
pub(crate) enum NoStream {}

impl Stream for NoStream {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut BytesMut) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_write(&mut self, _: &mut Context<'_>, _: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}

thread_local! {
    /// The client's end of each socket this test has made.
    static CLIENTS: RefCell<Vec<(Socket, Client)>> = const { RefCell::new(Vec::new()) };
}

/// One WebSocket connection as its client sees it, without a network.
struct Client {
    connection: ConnId,
    wire: Wire<SocketIo>,
}

impl Client {
    fn open(core: &mut core::Server, now: Instant) -> Self {
        let connection = core.open(now, Peer::default());
        let wire = Wire::new(core.engine_config().wire(), core.codec());
        let mut client = Self { connection, wire };
        let request = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        client.handle(core, now, request.as_bytes());
        client
    }

    /// Sends a text message in a frame whose mask changes nothing.
    fn send(&mut self, core: &mut core::Server, now: Instant, text: &str) {
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend_from_slice(&(text.len() as u16).to_be_bytes());
        if text.len() < 126 {
            frame.truncate(1);
            frame.push(0x80 | text.len() as u8);
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(text.as_bytes());
        self.handle(core, now, &frame);
    }

    fn handle(&mut self, core: &mut core::Server, now: Instant, bytes: &[u8]) {
        self.wire.handle_input(&mut BytesMut::from(bytes));
        while let Some(item) = self.wire.poll_item() {
            core.handle_item(now, self.connection, item);
            while let Some(connection) = core.poll_ready() {
                core.poll_transmit(connection, &mut self.wire);
            }
        }
    }

    /// The bytes sent to this client since the last time. The core is asked again after they are written,
    /// as a driver does, because volatile packets only go where nothing is left to write.
    fn flush(&mut self, inner: &Arc<Inner>) -> Vec<u8> {
        inner
            .with_core(|core, _| core.poll_transmit(self.connection, &mut self.wire))
            .unwrap();
        let bytes = self.written();
        inner
            .with_core(|core, _| core.poll_transmit(self.connection, &mut self.wire))
            .unwrap();
        bytes
    }

    /// Takes all bytes that are to be written; the wire learns that they were when it is asked for more.
    fn written(&mut self) -> Vec<u8> {
        let (mut output, mut bytes) = (OutBuf::new(), Vec::new());
        loop {
            let _ = self.wire.poll_output(&mut output);
            let chunk = output.chunk().to_vec();
            if chunk.is_empty() {
                return bytes;
            }
            output.advance(chunk.len());
            bytes.extend_from_slice(&chunk);
        }
    }

    /// The messages in the frames sent to this client, each shorter than 126 bytes.
    fn received(&mut self, inner: &Arc<Inner>) -> Vec<String> {
        let bytes = self.flush(inner);
        let mut messages = Vec::new();
        let mut rest = bytes.as_slice();
        while let [0x81, length @ 0..126, tail @ ..] = rest {
            let (message, tail) = tail.split_at(usize::from(*length));
            messages.push(String::from_utf8_lossy(&message[1..]).into_owned());
            rest = tail;
        }
        assert!(rest.is_empty(), "an unexpected frame");
        messages
    }
}

/// A socket of `server` in `namespace`, whose client sent `auth`.
///
/// The core takes JSON objects only, so `auth` is wrapped in one and unwrapped by [`auth_of`].
pub(crate) fn socket_with(server: &Server, namespace: &str, auth: Option<&str>) -> Socket {
    let inner = server.inner();
    let opened = inner.with_core(|core, now| {
        let mut client = Client::open(core, now);
        client.send(core, now, &format!("40{namespace},{}", auth.unwrap_or_default()));
        while let Some(event) = core.poll_event() {
            if let Event::Connect { socket, namespace } = event {
                let (sid, handshake) = (core.sid(socket), core.handshake(socket));
                assert!(core.accept(now, socket));
                return (client, socket, namespace, sid, handshake);
            }
        }
        panic!("the client did not get in");
    });
    let (client, id, namespace, sid, handshake) = opened.unwrap();
    let socket = Socket::new(inner.clone(), id, namespace, sid.unwrap(), handshake.unwrap());
    let mut client = client;
    client.flush(inner);
    CLIENTS.with_borrow_mut(|clients| clients.push((socket.clone(), client)));
    socket
}

/// A socket of `server` in `/`.
pub(crate) fn socket(server: &Server) -> Socket {
    socket_with(server, "/", None)
}

/// An event with the argument list `arguments` (without its brackets) that may ask for an acknowledgement.
pub(crate) fn event(socket: &Socket, name: &str, arguments: &str, ack: Option<u64>) -> EventContext {
    let ack = ack.map(|id| id.to_string()).unwrap_or_default();
    let comma = if arguments.is_empty() { "" } else { "," };
    let packet = format!(
        "42{},{ack}[\"{name}\"{comma}{arguments}]",
        socket.namespace_name()
    );
    let event = CLIENTS.with_borrow_mut(|clients| {
        let (_, client) = clients
            .iter_mut()
            .rfind(|(known, _)| known == socket)
            .expect("it is connected");
        socket.inner().with_core(|core, now| {
            client.send(core, now, &packet);
            core.poll_event()
        })
    });
    match event.unwrap() {
        Some(Event::Event {
            name, arguments, ack, ..
        }) => EventContext::new(socket.clone(), name, arguments, ack),
        other => panic!("no event but {other:?}"),
    }
}

/// The client of `socket` sends `packet`; calls that it answers are completed.
pub(crate) fn client_sends(socket: &Socket, packet: &str) {
    CLIENTS.with_borrow_mut(|clients| {
        let (_, client) = clients
            .iter_mut()
            .rfind(|(known, _)| known == socket)
            .expect("it is connected");
        let sent = socket
            .inner()
            .with_core(|core, now| client.send(core, now, packet));
        sent.expect("the server runs");
    });
}

/// Dispatches an event and runs its handler to its end.
pub(crate) fn dispatch(context: EventContext) -> EventOutcome {
    let router = context.socket.server();
    let mut task = Context::from_waker(Waker::noop());
    match router.router().event(context, &mut task) {
        Step::Done(outcome) => outcome,
        Step::Pending(rest) => ready(rest),
    }
}

/// The output of a future that never waits for anything but being polled again.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut task = Context::from_waker(Waker::noop());
    for _ in 0..100 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut task) {
            return output;
        }
    }
    panic!("the future does not end");
}

/// A future that is pending once.
pub(crate) async fn pending_once() {
    let mut polled = false;
    std::future::poll_fn(|task| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The reply's bytes as text.
pub(crate) fn reply(outcome: EventOutcome) -> String {
    match outcome {
        EventOutcome::Reply { packet, .. } => text(&packet),
        other => panic!("no reply but {other:?}"),
    }
}

/// The error of a failed handler.
pub(crate) fn failure(outcome: EventOutcome) -> HandlerError {
    match outcome {
        EventOutcome::Failed(report) => report.error().clone(),
        other => panic!("no failure but {other:?}"),
    }
}

/// The Socket.IO packets that clients have been sent since the last time.
pub(crate) fn received(server: &Server) -> Vec<String> {
    CLIENTS.with_borrow_mut(|clients| {
        let inner = server.inner();
        let clients = clients
            .iter_mut()
            .filter(|(socket, _)| Arc::ptr_eq(socket.inner(), inner));
        clients.flat_map(|(_, client)| client.received(inner)).collect()
    })
}

/// A Socket.IO packet as text.
pub(crate) fn text(packet: &Encoded) -> String {
    let text = String::from_utf8_lossy(&packet.packet()).into_owned();
    text[1..].to_owned()
}

/// The name of an event, as a packet brings it.
pub(crate) fn event_name(name: &str) -> EventName {
    let packet = core::Text::from(format!("2[\"{name}\"]"));
    match decode(packet, &PacketLimits::default()) {
        Ok(Packet::Event { name, .. }) => name,
        other => panic!("no event but {other:?}"),
    }
}

/// The ids that a core gives to its first namespaces.
pub(crate) fn namespace_ids(count: usize) -> Vec<NamespaceId> {
    let mut core = core::Server::new(core::Config::default(), [7; 32], Instant::now());
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(core.add_namespace(&format!("/{number}")).expect("it has a name"));
    }
    ids
}

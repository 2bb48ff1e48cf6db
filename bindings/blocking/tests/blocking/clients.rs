//! Clients that are waited for, iterated over, and dropped.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use socketio_blocking::client::{ConnectionEvent, Offline, RecvError, TransportOrder};
use socketio_blocking::{
    Arg, Args, Auth, Client, Error, Refusal, Reply, Server, SimpleClient, Socket, Threads, Wait,
    connect_simple, start_server,
};

use crate::support::{Channel, Latch, TIMEOUT, connected, listen, started};

#[test]
fn a_simple_client_takes_events_one_after_the_other() {
    let server = started(
        Server::builder()
            .on("count", |socket: Socket, Arg(most): Arg<i64>| {
                for number in 0..most {
                    socket.emit("number", &number)?;
                }
                Ok::<_, Error>(())
            })
            .on("leave", |socket: Socket| socket.disconnect())
            .on("sum", |Arg(numbers): Arg<Vec<i64>>| {
                Reply(numbers.iter().sum::<i64>())
            })
            .namespace("/other", |ns| {
                ns.on("sum", |Args((a, b)): Args<(i64, i64)>| Reply(a + b))
            }),
    );
    let builder = SimpleClient::builder(server.url.as_str())
        .namespace("/")
        .namespace("/other");
    let client = connect_simple(builder).expect("connects");
    assert_eq!(
        client.recv_timeout(Duration::from_millis(20)).err(),
        Some(RecvError::TimedOut)
    );
    client.emit("count", &3).expect("is sent");
    let event = client.recv().expect("comes");
    assert_eq!((event.name(), event.arg::<i64>()), ("number", Ok(0)));
    assert_eq!(client.recv_timeout(TIMEOUT).expect("comes").arg::<i64>(), Ok(1));
    assert_eq!(
        client.call::<i64>("sum", &[1, 2, 3]).timeout(TIMEOUT).wait(),
        Ok(6)
    );
    let other = client.in_ns("/other");
    assert_eq!(other.call::<i64>("sum", &(1, 2)).timeout(TIMEOUT).wait(), Ok(3));
    client.emit("leave", &()).expect("is sent");
    let rest: Vec<i64> = client
        .iter()
        .map(|event| event.expect("is none but events").arg().expect("is a number"))
        .take(1)
        .collect();
    assert_eq!(rest, [2]);
    client.disconnect();
    assert_eq!(client.recv().err(), Some(RecvError::Disconnected));
    assert!(client.into_iter().next().is_none());
    assert_eq!(client.emit("count", &1), Err(Error::Disconnected));
}

#[test]
fn a_simple_client_waits_for_its_connection() {
    let builder = || Server::builder().on("echo", |Arg(number): Arg<i64>| Reply(number));
    let first = started(builder());
    let settings = SimpleClient::builder(first.url.as_str())
        .reconnection_delay(Duration::from_millis(10), Duration::from_millis(20));
    let client = connect_simple(settings).expect("connects");
    let mut events = client.events();
    drop(first.serving);
    let lost = events.find(|event| matches!(event, ConnectionEvent::Disconnected { .. }));
    assert!(lost.is_some());
    let asking = std::thread::spawn(move || client.call::<i64>("echo", &5).timeout(TIMEOUT).wait());
    let failed = events.find(|event| matches!(event, ConnectionEvent::AttemptFailed { .. }));
    assert!(failed.is_some());
    let listener = TcpListener::bind(first.url.trim_start_matches("http://")).expect("binds");
    let again = start_server(listener, builder().build()).expect("starts");
    assert_eq!(asking.join().expect("ends"), Ok(5));
    drop(again);
}

#[test]
fn connection_events_are_an_iterator_that_ends_with_the_client() {
    let server = started(Server::builder());
    let builder = Client::builder(server.url.as_str()).transports(TransportOrder::WebSocket);
    let client = socketio_blocking::connect(builder).expect("connects");
    let mut events = client.events();
    assert_eq!(
        events.recv_timeout(Duration::from_millis(20)),
        Err(RecvError::TimedOut)
    );
    assert!(client.closed_timeout(Duration::from_millis(20)).is_none());
    client.disconnect();
    let reason = client.closed();
    assert_eq!(client.closed_timeout(TIMEOUT), Some(reason));
    drop(client);
    let rest: Vec<_> = events.by_ref().collect();
    assert!(
        matches!(rest.last(), Some(ConnectionEvent::Closed { .. })),
        "{rest:?}"
    );
    assert_eq!(events.recv_timeout(TIMEOUT), Err(RecvError::Disconnected));
}

#[test]
fn the_drop_of_the_last_handle_sends_what_is_queued_and_waits_until_the_client_is_closed() {
    let seen = Channel::new();
    let (sender, last) = (seen.sender(), seen.sender());
    let server = started(
        Server::builder()
            .on("number", move |Arg(number): Arg<i64>| sender.send(number))
            .on_disconnect(move || last.send(-1)),
    );
    let client = connected(&server.url);
    let (events, other) = (client.events(), client.clone());
    let socket = client.of("/").expect("is known");
    drop(client);
    other.emit("number", &1).expect("is sent");
    drop(other);
    socket.emit("number", &2).expect("is sent");
    drop(socket);
    // It is over by now, so this does not wait.
    let before = Instant::now();
    assert!(matches!(events.last(), Some(ConnectionEvent::Closed { .. })));
    assert!(before.elapsed() < Duration::from_secs(1));
    assert_eq!([seen.recv(), seen.recv(), seen.recv()], [1, 2, -1]);
}

#[test]
fn the_drop_of_a_client_whose_server_is_silent_ends_in_time() {
    let (listener, url) = listen();
    let builder = Client::builder(url.as_str()).close_timeout(Duration::from_millis(300));
    // Its threads end with it.
    let threads = Threads::builder().build().expect("starts");
    let client = threads.start(builder).expect("starts");
    drop(threads);
    let (stream, _) = listener.accept().expect("is asked");
    let before = Instant::now();
    drop(client);
    assert!(
        before.elapsed() < Duration::from_secs(2),
        "{:?}",
        before.elapsed()
    );
    drop(stream);
}

#[test]
fn a_client_may_be_dropped_by_its_own_handler() {
    let server = started(Server::builder().on("go", |socket: Socket| socket.emit("gone", &())));
    let (handle, place) = std::sync::mpsc::channel::<Client>();
    let place = std::sync::Mutex::new(place);
    let dropped = Channel::new();
    let sender = dropped.sender();
    let builder = Client::builder(server.url.as_str()).on("gone", move || {
        let client = place.lock().expect("is whole").recv().expect("is given");
        drop(client);
        sender.send(());
    });
    let client = socketio_blocking::connect(builder).expect("connects");
    let events = client.events();
    client.emit("go", &()).expect("is sent");
    handle.send(client).expect("is wanted");
    dropped.recv();
    assert!(matches!(events.last(), Some(ConnectionEvent::Closed { .. })));
}

#[test]
fn callbacks_are_plain_functions_that_may_block() {
    let server = started(
        Server::builder().guard(|Auth(auth): Auth<BTreeMap<String, String>>| {
            match auth.get("token").map(String::as_str) {
                Some("fresh") => Ok(()),
                _ => Err(Refusal::new("who?")),
            }
        }),
    );
    let (latch, asked) = (Latch::default(), Channel::new());
    let (handler_latch, sender) = (latch.clone(), asked.sender());
    let builder = Client::builder(server.url.as_str()).auth_with(move || {
        sender.send(());
        handler_latch.wait();
        Ok::<_, std::convert::Infallible>(BTreeMap::from([("token", "fresh")]))
    });
    let client = socketio_blocking::start(builder).expect("starts");
    asked.recv();
    // Meanwhile other clients are served on the same threads.
    let mut others = BTreeMap::new();
    others.insert("token", "fresh");
    let other = socketio_blocking::connect(Client::builder(server.url.as_str()).auth(&others));
    assert!(other.expect("connects").connected());
    let mut events = client.events();
    latch.open();
    let joined = events.find(|event| matches!(event, ConnectionEvent::Joined { .. }));
    assert!(joined.is_some());
    others.insert("token", "stale");
    let refused = socketio_blocking::connect(Client::builder(server.url.as_str()).auth(&others));
    assert!(refused.expect_err("is refused").to_string().contains("who?"));
}

#[test]
fn a_client_may_be_dropped_by_a_thread_that_is_ending() {
    thread_local! {
        static CLIENT: RefCell<Option<Client>> = const { RefCell::new(None) };
    }
    let (left, server) = (Channel::new(), Server::builder());
    let sender = left.sender();
    let server = started(server.on_disconnect(move || sender.send(())));
    let url = server.url;
    let thread = std::thread::spawn(move || {
        // Before anything of this crate, so that it is destroyed after that.
        CLIENT.with_borrow_mut(|place| *place = None);
        CLIENT.set(Some(connected(&url)));
    });
    thread.join().expect("ends");
    left.recv();
}

#[test]
fn the_error_hook_is_called_on_a_worker_whatever_failed() {
    let (listener, url) = listen();
    let messages = Channel::new();
    let sender = messages.sender();
    let builder = Client::builder(url)
        .offline(Offline::Buffer {
            packets: 1,
            bytes: 1_000,
        })
        .on_error(move |_: &_| sender.send(std::thread::current().name().map(str::to_owned)));
    let client = socketio_blocking::start(builder).expect("starts");
    client.emit("never", &()).expect("is kept");
    // It was never accepted.
    drop(listener);
    let thread = messages.recv().expect("has a name");
    assert!(thread.contains("worker"), "{thread}");
}

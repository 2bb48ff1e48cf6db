//! The end of servers and of their threads.

use std::time::{Duration, Instant};

use socketio_blocking::{Client, Reason, Reply, Server, Threads, Wait, start_server};

use crate::support::{Channel, Latch, TIMEOUT, connected, listen, started, started_on};
#[cfg(target_os = "linux")]
use crate::support::{await_threads, count_threads};

/// Threads with names of their own, to be counted.
fn threads(name: &str) -> Threads {
    let builder = Threads::builder()
        .name(name)
        .end_timeout(Duration::from_millis(500));
    builder.build().expect("starts")
}

#[cfg(target_os = "linux")]
#[test]
fn serve_returns_after_the_shutdown_with_its_threads_joined() {
    let threads = threads("ends-a");
    let left = Channel::new();
    let sender = left.sender();
    let (listener, url) = listen();
    let server = Server::builder()
        .on("work", || Reply(()))
        .on("end", |server: Server| server.shutdown(Duration::from_secs(5)))
        .on_disconnect(move || sender.send(()))
        .build();
    let serving = std::thread::spawn(move || threads.serve(listener, server));
    let clients: Vec<_> = (0..20).map(|_| connected(&url)).collect();
    for client in &clients {
        assert_eq!(client.call::<()>("work", &()).timeout(TIMEOUT).wait(), Ok(()));
    }
    assert!(count_threads("ends-a-io") == 1 && count_threads("ends-a-worker") >= 1);
    let before = Instant::now();
    clients[0].emit("end", &()).expect("is sent");
    assert!(serving.join().expect("ends").is_ok());
    assert!(before.elapsed() < Duration::from_secs(5));
    await_threads("ends-a", 0);
    for _ in &clients {
        left.recv();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_serving_that_is_dropped_ends_in_time_even_if_clients_and_handlers_do_not() {
    let threads = threads("ends-b");
    let (latch, blocked) = (Latch::default(), Channel::new());
    let (handler_latch, sender) = (latch.clone(), blocked.sender());
    let server = started_on(
        &threads,
        Server::builder().on("block", move || {
            sender.send(());
            handler_latch.wait();
        }),
    );
    drop(threads);
    let client = connected(&server.url);
    client.emit("block", &()).expect("is sent");
    blocked.recv();
    // A silent connection that stays open.
    let silent = std::net::TcpStream::connect(server.url.trim_start_matches("http://")).expect("connects");
    let before = Instant::now();
    drop(server);
    assert!(
        before.elapsed() < Duration::from_secs(4),
        "{:?}",
        before.elapsed()
    );
    // The handler that blocks is not waited for.
    await_threads("ends-b", 1);
    latch.open();
    drop(silent);
}

#[cfg(target_os = "linux")]
#[test]
fn a_serving_may_be_dropped_by_a_handler_of_its_server() {
    let threads = threads("ends-c");
    let (handle, place) = std::sync::mpsc::channel();
    let place = std::sync::Mutex::new(place);
    let dropped = Channel::new();
    let sender = dropped.sender();
    let server = started_on(
        &threads,
        Server::builder().on("end", move || {
            let serving = place.lock().expect("is whole").recv().expect("is given");
            drop::<socketio_blocking::Serving>(serving);
            sender.send(());
        }),
    );
    drop(threads);
    let client = connected(&server.url);
    client.emit("end", &()).expect("is sent");
    handle.send(server.serving).expect("is wanted");
    dropped.recv();
    let deadline = Instant::now() + TIMEOUT;
    while count_threads("ends-c") > 0 {
        assert!(Instant::now() < deadline, "the threads do not end");
        std::thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn threads_serve_several_and_end_with_the_last() {
    let threads = threads("ends-d");
    let echo = || Server::builder().on("echo", || Reply(1));
    let (first, second) = (started_on(&threads, echo()), started_on(&threads, echo()));
    let clients = [&first, &second].map(|server| {
        let client = threads.connect(Client::builder(server.url.as_str()));
        client.expect("connects")
    });
    drop(threads);
    for client in &clients {
        assert_eq!(client.call::<i64>("echo", &()).timeout(TIMEOUT).wait(), Ok(1));
    }
    drop(first);
    drop(clients);
    let client = connected(&second.url);
    assert_eq!(client.call::<i64>("echo", &()).timeout(TIMEOUT).wait(), Ok(1));
    await_threads("ends-d-io", 1);
    drop(second);
    await_threads("ends-d", 0);
}

#[test]
fn errors_of_starting_a_server_are_returned_at_once() {
    let server = started(Server::builder());
    let (listener, _) = listen();
    let again = start_server(listener, server.server.clone());
    assert!(
        again
            .expect_err("is served")
            .to_string()
            .contains("served already")
    );
    drop(server.serving);
    assert!(server.server.emit("too late", &()).is_ok());
}

#[test]
fn waiting_calls_end_with_the_server() {
    let (latch, outcomes) = (Latch::default(), Channel::new());
    let (handler_latch, sender) = (latch.clone(), outcomes.sender());
    let server = started(
        Server::builder().on("ask", move |socket: socketio_blocking::Socket| {
            sender.send(None);
            sender.send(socket.call::<()>("never", &()).timeout(TIMEOUT).wait().err());
        }),
    );
    let builder = Client::builder(server.url.as_str()).on("never", move || handler_latch.wait());
    let client = socketio_blocking::connect(builder).expect("connects");
    client.emit("ask", &()).expect("is sent");
    assert_eq!(outcomes.recv(), None);
    drop(server);
    assert_eq!(outcomes.recv(), Some(socketio_blocking::CallError::Disconnected));
    latch.open();
}

#[test]
fn a_join_that_is_refused_shuts_the_server_down() {
    let threads = Threads::builder().workers(1).build().expect("starts");
    let (handle, place) = std::sync::mpsc::channel();
    let place = std::sync::Mutex::new(place);
    let (joined, left) = (Channel::new(), Channel::new());
    let (sender, left_sender) = (joined.sender(), left.sender());
    let builder = Server::builder()
        .on("join", move || {
            let serving = place.lock().expect("is whole").recv().expect("is given");
            sender.send(socketio_blocking::Serving::join(serving).is_err());
        })
        .on_disconnect(move |reason: Reason| left_sender.send(reason));
    let server = started_on(&threads, builder);
    let client = connected(&server.url);
    client.emit("join", &()).expect("is sent");
    handle.send(server.serving).expect("is wanted");
    assert!(joined.recv());
    assert_eq!(left.recv().as_str(), "server shutting down");
}

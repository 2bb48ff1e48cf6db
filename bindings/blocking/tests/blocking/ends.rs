//! The end of servers and of their threads.

use std::time::{Duration, Instant};

use socketio_blocking::{Client, Reason, Reply, Server, Threads, Wait, start_server};

use crate::support::{LONG, Latch, Reports, connected, listen, started, started_on};
#[cfg(target_os = "linux")]
use crate::support::{living, remain};

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
    let left = Reports::new();
    let reporter = left.reporter();
    let (listener, url) = listen();
    let server = Server::builder()
        .on("work", || Reply(()))
        .on("end", |server: Server| server.shutdown(Duration::from_secs(5)))
        .on_disconnect(move || reporter.report(()))
        .build();
    let serving = std::thread::spawn(move || threads.serve(listener, server));
    let clients: Vec<_> = (0..20).map(|_| connected(&url)).collect();
    for client in &clients {
        assert_eq!(client.call::<()>("work", &()).timeout(LONG).wait(), Ok(()));
    }
    assert!(living("ends-a-io") == 1 && living("ends-a-worker") >= 1);
    let before = Instant::now();
    clients[0].emit("end", &()).expect("is sent");
    assert!(serving.join().expect("ends").is_ok());
    assert!(before.elapsed() < Duration::from_secs(5));
    remain("ends-a", 0);
    for _ in &clients {
        left.next();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_serving_that_is_dropped_ends_in_time_even_if_clients_and_handlers_do_not() {
    let threads = threads("ends-b");
    let (latch, blocked) = (Latch::default(), Reports::new());
    let (blocked_on, reporter) = (latch.clone(), blocked.reporter());
    let server = started_on(
        &threads,
        Server::builder().on("block", move || {
            reporter.report(());
            blocked_on.wait();
        }),
    );
    drop(threads);
    let client = connected(&server.url);
    client.emit("block", &()).expect("is sent");
    blocked.next();
    // Somebody who says nothing and stays.
    let silent = std::net::TcpStream::connect(server.url.trim_start_matches("http://")).expect("connects");
    let before = Instant::now();
    drop(server);
    assert!(
        before.elapsed() < Duration::from_secs(4),
        "{:?}",
        before.elapsed()
    );
    // The handler that blocks is left to itself.
    remain("ends-b", 1);
    latch.open();
    drop(silent);
}

#[cfg(target_os = "linux")]
#[test]
fn a_serving_may_be_dropped_by_a_handler_of_its_server() {
    let threads = threads("ends-c");
    let (handle, place) = std::sync::mpsc::channel();
    let place = std::sync::Mutex::new(place);
    let dropped = Reports::new();
    let reporter = dropped.reporter();
    let server = started_on(
        &threads,
        Server::builder().on("end", move || {
            let serving = place.lock().expect("is whole").recv().expect("is given");
            drop::<socketio_blocking::Serving>(serving);
            reporter.report(());
        }),
    );
    drop(threads);
    let client = connected(&server.url);
    client.emit("end", &()).expect("is sent");
    handle.send(server.serving).expect("is wanted");
    dropped.next();
    let deadline = Instant::now() + LONG;
    while living("ends-c") > 0 {
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
        assert_eq!(client.call::<i64>("echo", &()).timeout(LONG).wait(), Ok(1));
    }
    drop(first);
    drop(clients);
    let client = connected(&second.url);
    assert_eq!(client.call::<i64>("echo", &()).timeout(LONG).wait(), Ok(1));
    remain("ends-d-io", 1);
    drop(second);
    remain("ends-d", 0);
}

#[test]
fn what_keeps_a_server_from_being_served_is_told_at_once() {
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
    let (latch, outcomes) = (Latch::default(), Reports::new());
    let (blocked_on, reporter) = (latch.clone(), outcomes.reporter());
    let server = started(
        Server::builder().on("ask", move |socket: socketio_blocking::Socket| {
            reporter.report(None);
            reporter.report(socket.call::<()>("never", &()).timeout(LONG).wait().err());
        }),
    );
    let builder = Client::builder(server.url.as_str()).on("never", move || blocked_on.wait());
    let client = socketio_blocking::connect(builder).expect("connects");
    client.emit("ask", &()).expect("is sent");
    assert_eq!(outcomes.next(), None);
    drop(server);
    assert_eq!(outcomes.next(), Some(socketio_blocking::CallError::Disconnected));
    latch.open();
}

#[test]
fn a_join_that_is_refused_shuts_the_server_down() {
    let threads = Threads::builder().workers(1).build().expect("starts");
    let (handle, place) = std::sync::mpsc::channel();
    let place = std::sync::Mutex::new(place);
    let (joined, left) = (Reports::new(), Reports::new());
    let (reporter, leaver) = (joined.reporter(), left.reporter());
    let builder = Server::builder()
        .on("join", move || {
            let serving = place.lock().expect("is whole").recv().expect("is given");
            reporter.report(socketio_blocking::Serving::join(serving).is_err());
        })
        .on_disconnect(move |reason: Reason| leaver.report(reason));
    let server = started_on(&threads, builder);
    let client = connected(&server.url);
    client.emit("join", &()).expect("is sent");
    handle.send(server.serving).expect("is wanted");
    assert!(joined.next());
    assert_eq!(left.next().as_str(), "server shutting down");
}

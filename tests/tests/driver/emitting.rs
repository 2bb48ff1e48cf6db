//! Emitting from anywhere, and rooms.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::wait_until;
use socketio_tokio::{Arg, Reason, Reply, Server, Socket};

use crate::support::{Log, TestServer};

crate::on_every_runtime![
    broadcasts_of_several_threads_reach_all_clients_in_the_order_of_each_thread,
    a_socket_may_be_used_on_a_thread_without_a_runtime,
    a_whole_client_may_be_disconnected_on_a_thread_without_a_runtime,
    rooms_that_handlers_join_can_be_addressed_from_anywhere,
    volatile_events_leave_again_when_all_before_has_left,
];

fn broadcasts_of_several_threads_reach_all_clients_in_the_order_of_each_thread(runtime: TestRuntime) {
    const THREADS: usize = 4;
    const MESSAGES: usize = 500;
    let server = TestServer::start(runtime, Server::builder());
    let clients: Vec<_> = (0..8).map(|_| server.join()).collect();
    let emitting: Vec<_> = (0..THREADS)
        .map(|thread| {
            let server = server.handle.clone();
            thread::spawn(move || {
                for number in 0..MESSAGES {
                    server.emit("e", &(thread, number)).expect("it is served");
                }
            })
        })
        .collect();
    for mut client in clients {
        let mut next = [0; THREADS];
        for _ in 0..THREADS * MESSAGES {
            let text = client.text();
            let numbers = text
                .strip_prefix("42[\"e\",")
                .and_then(|rest| rest.strip_suffix(']'));
            let (thread, number) = numbers
                .and_then(|rest| rest.split_once(','))
                .expect("two numbers");
            let thread: usize = thread.parse().expect("a thread");
            assert_eq!(number, next[thread].to_string());
            next[thread] += 1;
        }
    }
    for thread in emitting {
        thread.join().expect("it emits");
    }
}

fn volatile_events_leave_again_when_all_before_has_left(runtime: TestRuntime) {
    let server = TestServer::start(runtime, Server::builder());
    let mut client = server.join();
    for round in 0..10 {
        // Nothing but this one wakes the connection.
        server.handle.emit("usual", &round).expect("it is served");
        client.expect_text(&format!("42[\"usual\",{round}]"));
        let has_come = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                // The client may receive the one before earlier than the server knows that it is sent.
                for _ in 0..1_000 {
                    if has_come.load(Ordering::SeqCst) {
                        return;
                    }
                    let volatile = server.handle.volatile();
                    volatile.emit("volatile", &round).expect("it is served");
                    thread::sleep(Duration::from_millis(20));
                }
            });
            let text = client.text();
            has_come.store(true, Ordering::SeqCst);
            assert_eq!(text, format!("42[\"volatile\",{round}]"));
        });
        // More of them may have been sent.
        server.handle.emit("last", &round).expect("it is served");
        while client.text() != format!("42[\"last\",{round}]") {}
    }
}

fn a_socket_may_be_used_on_a_thread_without_a_runtime(runtime: TestRuntime) {
    let log = Log::new();
    let left = log.clone();
    let server = TestServer::start(
        runtime,
        Server::builder().on_disconnect(move |reason: Reason| left.push(reason.to_string())),
    );
    let mut client = server.join();
    let socket = server.handle.sockets().expect("it is served").remove(0);
    socket.join("room").expect("it is connected");
    server.handle.to("room").emit("e", &1).expect("it is served");
    client.expect_text("42[\"e\",1]");
    // Disconnecting runs on_disconnect, which needs the runtime that this thread does not have.
    socket.disconnect().expect("it is connected");
    client.expect_text("41");
    assert_eq!(log.wait_for(1), ["server namespace disconnect"]);
}

fn a_whole_client_may_be_disconnected_on_a_thread_without_a_runtime(runtime: TestRuntime) {
    let log = Log::new();
    let (left, other_left) = (log.clone(), log.clone());
    let server = TestServer::start(
        runtime,
        Server::builder()
            .on_disconnect(move || left.push("/"))
            .namespace("/other", |other| {
                other.on_disconnect(move || other_left.push("/other"))
            }),
    );
    let mut client = server.join();
    client.send("40/other,");
    assert!(client.text().starts_with("40/other,"));
    let socket = server.handle.sockets().expect("it is served").remove(0);
    socket.disconnect_client().expect("it is connected");
    client.closed();
    let mut names = log.wait_for(2);
    names.sort_unstable();
    assert_eq!(names, ["/", "/other"]);
}

fn rooms_that_handlers_join_can_be_addressed_from_anywhere(runtime: TestRuntime) {
    let server = TestServer::start(
        runtime,
        Server::builder()
            .on_connect(|socket: Socket| socket.join("lobby"))
            .on("join", |socket: Socket, Arg(room): Arg<String>| {
                socket.join(&room).map(|()| Reply(()))
            })
            .on("leave", async |socket: Socket, Arg(room): Arg<String>| {
                tokio::task::yield_now().await;
                socket.leave(&room).map(|()| Reply(socket.rooms().len()))
            })
            .on("say", |socket: Socket, Arg(room): Arg<String>| {
                socket.to(&room).emit("said", &room)
            }),
    );
    let ((mut first, id), (mut second, _)) = (server.join_with(""), server.join_with(""));
    first.send("421[\"join\",\"den\"]");
    first.expect_text("431[]");
    let den = server.handle.of("/").sockets_in("den").expect("it is served");
    assert_eq!(den.len(), 1);
    assert_eq!(den[0].id().as_str(), id);
    assert_eq!(server.handle.sockets().expect("it is served").len(), 2);
    let found = server.handle.of("/").socket(&id).expect("it is served");
    assert_eq!(found.as_ref(), den.first());
    second.send("42[\"say\",\"den\"]");
    first.expect_text("42[\"said\",\"den\"]");
    first.send("42[\"say\",\"lobby\"]");
    second.expect_text("42[\"said\",\"lobby\"]");
    first.send("422[\"leave\",\"den\"]");
    first.expect_text("432[2]");
    server.handle.close_room("lobby").expect("it is served");
    server
        .handle
        .to(["den", "lobby"])
        .emit("nobody", &())
        .expect("it is served");
    server.handle.to(&id).emit("own", &()).expect("it is served");
    first.expect_text("42[\"own\"]");
    server.handle.emit("all", &()).expect("it is served");
    second.expect_text("42[\"all\"]");
    drop((first, second));
    wait_until("no socket is left", || {
        server.handle.sockets().is_ok_and(|all| all.is_empty())
    });
    assert_eq!(
        server.handle.of("/").sockets_in("lobby").expect("it is served"),
        []
    );
}

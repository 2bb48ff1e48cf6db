//! Calls of the server to its clients.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::wait_until;
use socketio_tokio::{Arg, CallError, Error, Limits, Reply, Server, Socket};

use crate::support::{Log, TestServer, block_on};

crate::on_every_runtime![
    handlers_may_call_their_client_while_another_call_waits,
    on_connect_may_call_its_client,
    a_call_that_is_not_answered_times_out_and_a_late_answer_is_nobodys,
    a_call_ends_as_disconnected_when_the_client_leaves,
    a_call_ends_as_disconnected_when_the_server_ends,
    a_call_that_is_dropped_makes_room_for_another,
    a_call_may_be_made_from_another_thread,
];

const SHORT: Duration = Duration::from_millis(50);

fn handlers_may_call_their_client_while_another_call_waits(runtime: TestRuntime) {
    let server = TestServer::start(
        runtime,
        Server::builder()
            .on("outer", async |socket: Socket| {
                socket
                    .call::<u32>("first", &())
                    .await
                    .map(|answer| Reply(answer + 1))
            })
            .on("inner", async |socket: Socket| {
                let answer = socket.call::<u32>("second", &()).await?;
                socket.call::<u32>("third", &answer).await.map(Reply)
            }),
    );
    let mut client = server.join();
    client.send("421[\"outer\"]");
    client.expect_text("420[\"first\"]");
    // Answering the first question needs the answer to a question of the client's own.
    client.send("422[\"inner\"]");
    client.expect_text("421[\"second\"]");
    client.send("431[20]");
    client.expect_text("422[\"third\",20]");
    client.send("432[30]");
    client.expect_text("432[30]");
    client.send("430[40]");
    client.expect_text("431[41]");
}

fn on_connect_may_call_its_client(runtime: TestRuntime) {
    let log = Log::new();
    let noted = log.clone();
    let server = TestServer::start(
        runtime,
        Server::builder().on_connect(move |socket: Socket| {
            let log = noted.clone();
            async move { log.push(socket.call::<String>("who", &()).await) }
        }),
    );
    let mut client = server.join();
    client.expect_text("420[\"who\"]");
    client.send("430[\"me\"]");
    assert_eq!(log.wait_for(1), [Ok("me".to_owned())]);
}

fn a_call_that_is_not_answered_times_out_and_a_late_answer_is_nobodys(runtime: TestRuntime) {
    let server = TestServer::start(
        runtime,
        Server::builder().on("ask", async |socket: Socket| {
            let outcome = socket.call::<u32>("question", &()).timeout(SHORT).await;
            Reply(outcome == Err(CallError::TimedOut))
        }),
    );
    let mut client = server.join();
    for round in 0..3 {
        client.send(&format!("42{round}[\"ask\"]"));
        client.expect_text(&format!("42{round}[\"question\"]"));
        client.expect_text(&format!("43{round}[true]"));
        client.send(&format!("43{round}[1]"));
    }
}

fn a_call_ends_as_disconnected_when_the_client_leaves(runtime: TestRuntime) {
    let log = Log::new();
    let noted = log.clone();
    let server = TestServer::start(
        runtime,
        Server::builder().on("ask", move |socket: Socket| {
            let log = noted.clone();
            async move { log.push(socket.call::<u32>("question", &()).await) }
        }),
    );
    for leaves_by_packet in [true, false] {
        let mut client = server.join();
        client.send("42[\"ask\"]");
        assert!(client.text().ends_with("[\"question\"]"));
        if leaves_by_packet {
            client.send("41");
        }
    }
    assert_eq!(
        log.wait_for(2),
        [Err(CallError::Disconnected), Err(CallError::Disconnected)]
    );
}

fn a_call_ends_as_disconnected_when_the_server_ends(runtime: TestRuntime) {
    for is_aborted in [true, false] {
        let log = Log::new();
        let noted = log.clone();
        let server = TestServer::start(
            runtime,
            Server::builder().on("ask", move |socket: Socket| {
                let log = noted.clone();
                async move { log.push(socket.call::<u32>("question", &()).await) }
            }),
        );
        let mut client = server.join();
        client.send("42[\"ask\"]");
        client.expect_text("420[\"question\"]");
        if is_aborted {
            server.abort();
        } else {
            server
                .handle
                .shutdown(Duration::from_secs(1))
                .expect("it is served");
        }
        assert_eq!(
            log.wait_for(1),
            [Err(CallError::Disconnected)],
            "aborted: {is_aborted}"
        );
    }
}

fn a_call_that_is_dropped_makes_room_for_another(runtime: TestRuntime) {
    let mut limits = Limits::default();
    limits.pending_acks = 2;
    let server = TestServer::start(runtime, Server::builder().limits(limits));
    let mut client = server.join();
    let socket = server.handle.sockets().expect("it is served").remove(0);
    let mut task = Context::from_waker(Waker::noop());
    for round in 0..100 {
        let mut first = pin!(socket.call::<u32>("a", &round));
        let mut second = pin!(socket.call::<u32>("b", &round));
        assert!(first.as_mut().poll(&mut task).is_pending());
        assert!(second.as_mut().poll(&mut task).is_pending());
        let third = block_on(socket.call::<u32>("c", &round));
        assert_eq!(third, Err(CallError::NotSent(Error::TooManyCalls)));
    }
    for _ in 0..200 {
        assert!(client.text().contains(']'));
    }
    assert!(socket.connected());
}

fn a_call_may_be_made_from_another_thread(runtime: TestRuntime) {
    let server = TestServer::start(
        runtime,
        Server::builder().on("add", |Arg(number): Arg<u32>| Reply(number)),
    );
    let mut client = server.join();
    let socket = server.handle.sockets().expect("it is served").remove(0);
    let asking = std::thread::spawn(move || block_on(socket.call::<Vec<u32>>("question", &(1, 2))));
    client.expect_text("420[\"question\",1,2]");
    client.send("430[[3]]");
    assert_eq!(asking.join().expect("it asks"), Ok(vec![3]));
    wait_until("the socket is still there", || {
        server.handle.sockets().is_ok_and(|all| all.len() == 1)
    });
}

//! Guards: who may join, and the data that they give to handlers.

use serde::{Deserialize, Serialize};
use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::{WebSocketClient, wait_until};
use socketio_tests::latch::Latch;
use socketio_tokio::{
    Async, Auth, Data, Handshake, Reason, Refusal, Reply, Server, ServerBuilder, Stage, State,
};

use crate::support::{Log, TestServer};

crate::on_every_runtime![
    what_a_guard_learned_is_there_in_every_handler,
    a_refused_client_gets_message_and_data_and_no_handler_runs,
    a_guard_that_panics_refuses_and_is_reported_to_the_error_hook,
    auth_that_cannot_be_read_refuses,
    a_client_that_leaves_while_a_guard_waits_reaches_no_handler,
];

#[derive(Deserialize)]
struct Token {
    token: String,
}

struct User(String);

struct Database;

impl Database {
    fn find(&self, token: String) -> Result<User, Refusal> {
        match token.as_str() {
            "panic" => panic!("no such table"),
            "bad" => Err(Refusal::new("go away").with_data(&Details { code: 7 })),
            _ => Ok(User(token)),
        }
    }
}

#[derive(Serialize)]
struct Details {
    code: u32,
}

/// A server whose handlers note the name of their client's user.
fn builder(log: &Log<String>) -> ServerBuilder<Async> {
    let (connect, sync, later, left, failed) =
        (log.clone(), log.clone(), log.clone(), log.clone(), log.clone());
    Server::builder()
        .state(Database)
        .on_connect(move |Data(user): Data<User>| connect.push(format!("connect {}", user.0)))
        .on("sync", move |Data(user): Data<User>| {
            sync.push(format!("sync {}", user.0));
            Reply(user.0.clone())
        })
        .on("async", move |Data(user): Data<User>| {
            let log = later.clone();
            async move {
                tokio::task::yield_now().await;
                log.push(format!("async {}", user.0));
            }
        })
        .on_disconnect(move |Data(user): Data<User>, reason: Reason| {
            left.push(format!("disconnect {} {reason}", user.0));
        })
        .on_error(move |report| {
            assert_eq!((report.stage(), report.event()), (Stage::Guard, None));
            failed.push(format!("failed {}", report.error()));
        })
}

fn guarded_in_place(log: &Log<String>) -> ServerBuilder<Async> {
    builder(log).guard(|Auth(auth): Auth<Token>, State(database): State<Database>| database.find(auth.token))
}

fn guarded_later(log: &Log<String>) -> ServerBuilder<Async> {
    builder(log).guard(
        async |Auth(auth): Auth<Token>, State(database): State<Database>| {
            tokio::task::yield_now().await;
            database.find(auth.token)
        },
    )
}

fn each_guard(runtime: TestRuntime, test: impl Fn(TestServer, Log<String>)) {
    for build in [guarded_in_place, guarded_later] {
        let log = Log::new();
        test(TestServer::start(runtime, build(&log)), log);
    }
}

fn what_a_guard_learned_is_there_in_every_handler(runtime: TestRuntime) {
    each_guard(runtime, |server, log| {
        let (mut client, _) = server.join_with("{\"token\":\"ann\"}");
        client.send("421[\"sync\"]");
        client.expect_text("431[\"ann\"]");
        client.send("42[\"async\"]");
        assert_eq!(log.wait_for(3), ["connect ann", "sync ann", "async ann"]);
        client.send("41");
        assert_eq!(log.wait_for(4)[3], "disconnect ann client namespace disconnect");
    });
}

fn a_refused_client_gets_message_and_data_and_no_handler_runs(runtime: TestRuntime) {
    each_guard(runtime, |server, log| {
        let (mut client, _) = WebSocketClient::open_session(&server.target);
        client.send("40{\"token\":\"bad\"}");
        client.expect_text("44{\"message\":\"go away\",\"data\":{\"code\":7}}");
        // It may try again on the same connection.
        client.send("40{\"token\":\"bob\"}");
        assert!(client.text().starts_with("40{"));
        client.send("421[\"sync\"]");
        client.expect_text("431[\"bob\"]");
        assert_eq!(log.entries(), ["connect bob", "sync bob"]);
        assert_eq!(server.handle.sockets().expect("it is served").len(), 1);
    });
}

fn a_guard_that_panics_refuses_and_is_reported_to_the_error_hook(runtime: TestRuntime) {
    each_guard(runtime, |server, log| {
        let (mut client, _) = WebSocketClient::open_session(&server.target);
        client.send("40{\"token\":\"panic\"}");
        client.expect_text("44{\"message\":\"not allowed\"}");
        assert_eq!(log.wait_for(1), ["failed the handler panicked: no such table"]);
        let (mut other, _) = server.join_with("{\"token\":\"ann\"}");
        other.send("421[\"sync\"]");
        other.expect_text("431[\"ann\"]");
    });
}

fn auth_that_cannot_be_read_refuses(runtime: TestRuntime) {
    each_guard(runtime, |server, log| {
        let (mut client, _) = WebSocketClient::open_session(&server.target);
        client.send("40{\"wrong\":1}");
        client.expect_text("44{\"message\":\"not allowed\"}");
        assert!(log.wait_for(1)[0].starts_with("failed the auth payload has another shape"));
    });
}

fn a_client_that_leaves_while_a_guard_waits_reaches_no_handler(runtime: TestRuntime) {
    let (log, latch) = (Log::new(), Latch::closed());
    let (asked, passed, joined, left) = (log.clone(), latch.clone(), log.clone(), log.clone());
    let server = TestServer::start(
        runtime,
        Server::builder()
            .guard(move |_: Handshake| {
                let (log, latch) = (asked.clone(), passed.clone());
                async move {
                    log.push("asked");
                    latch.wait().await;
                    log.push("admitted");
                }
            })
            .on_connect(move || joined.push("joined"))
            .on_disconnect(move || left.push("left")),
    );
    let (mut client, _) = WebSocketClient::open_session(&server.target);
    client.send("40");
    log.wait_for(1);
    drop(client);
    wait_until("the server notices that the client left", || {
        server.handle.counts().is_ok_and(|counts| counts.connections == 0)
    });
    latch.open();
    log.wait_for(2);
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert_eq!(log.entries(), ["asked", "admitted"]);
}

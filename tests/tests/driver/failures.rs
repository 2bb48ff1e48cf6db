//! Handlers that fail do not disturb others.

use serde::{Serialize, Serializer};
use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::{Frame, RawWebSocket};
use socketio_tokio::{Arg, Async, ErrorReport, Refusal, Reply, Server, ServerBuilder, Socket, Stage};

use crate::support::{Log, TestServer};

crate::on_every_runtime![
    a_handler_that_panics_goes_to_the_error_hook_and_the_connection_lives,
    serial_handlers_go_on_after_a_panic,
    arguments_of_another_shape_go_to_the_error_hook_and_get_no_answer,
    failures_of_on_connect_and_on_disconnect_are_reported_to_the_error_hook,
    an_error_hook_that_panics_does_no_harm,
    what_a_handler_sends_before_it_replies_arrives_before_its_reply,
    serialisation_may_emit_and_panic,
    data_that_panics_when_it_is_dropped_does_not_end_its_connection,
];

fn note(log: &Log<String>) -> impl Fn(&ErrorReport) + Send + Sync + 'static {
    let log = log.clone();
    move |report| {
        let event = report.event().unwrap_or("-");
        log.push(format!("{:?} {event} {}", report.stage(), report.error()));
    }
}

fn builder(log: &Log<String>) -> ServerBuilder<Async> {
    Server::builder()
        .on("sync", || -> () { panic!("in place") })
        .on("async", async || -> () { panic!("at once") })
        .on("later", async || -> () {
            tokio::task::yield_now().await;
            panic!("after waiting")
        })
        .on("error", || Err::<(), _>("not today"))
        .on("echo", |Arg(number): Arg<u32>| Reply(number))
        .on_error(note(log))
}

#[track_caller]
fn assert_alive(client: &mut socketio_tests::kit::WebSocketClient) {
    client.send("429[\"echo\",9]");
    client.expect_text("439[9]");
}

fn a_handler_that_panics_goes_to_the_error_hook_and_the_connection_lives(runtime: TestRuntime) {
    let log = Log::new();
    let server = TestServer::start(runtime, builder(&log));
    let (mut client, mut other) = (server.join(), server.join());
    let expected = [
        "Event sync the handler panicked: in place",
        "Event async the handler panicked: at once",
        "Event later the handler panicked: after waiting",
        "Event error the handler returned an error: not today",
    ];
    for (index, expected) in expected.into_iter().enumerate() {
        let name = expected.split(' ').nth(1).unwrap_or_default();
        client.send(&format!("42{index}[\"{name}\"]"));
        assert_eq!(log.wait_for(index + 1)[index], expected);
        assert_alive(&mut client);
        assert_alive(&mut other);
    }
}

fn serial_handlers_go_on_after_a_panic(runtime: TestRuntime) {
    let log = Log::new();
    let server = TestServer::start(runtime, builder(&log).serial());
    let mut client = server.join();
    for _ in 0..10 {
        client.send("42[\"later\"]");
        client.send("42[\"async\"]");
    }
    assert_alive(&mut client);
    assert_eq!(log.len(), 20);
}

fn arguments_of_another_shape_go_to_the_error_hook_and_get_no_answer(runtime: TestRuntime) {
    let log = Log::new();
    let server = TestServer::start(runtime, builder(&log));
    let mut client = server.join();
    client.send("421[\"echo\",\"text\"]");
    client.send("422[\"echo\"]");
    // Handlers of one client that do not wait answer in order: nothing came before.
    assert_alive(&mut client);
    let reports = log.wait_for(2);
    assert!(
        reports
            .iter()
            .all(|report| report.starts_with("Event echo the arguments have another shape")),
        "{reports:?}"
    );
}

fn failures_of_on_connect_and_on_disconnect_are_reported_to_the_error_hook(runtime: TestRuntime) {
    let log = Log::new();
    let server = TestServer::start(
        runtime,
        builder(&log)
            .on_connect(|| -> () { panic!("welcome") })
            .on_disconnect(async || -> () {
                tokio::task::yield_now().await;
                panic!("farewell")
            }),
    );
    let mut client = server.join();
    assert_eq!(log.wait_for(1), ["Connect - the handler panicked: welcome"]);
    assert_alive(&mut client);
    drop(client);
    assert_eq!(log.wait_for(2)[1], "Disconnect - the handler panicked: farewell");
}

fn an_error_hook_that_panics_does_no_harm(runtime: TestRuntime) {
    let log = Log::new();
    let server = TestServer::start(
        runtime,
        builder(&log).on_error(|report| {
            assert_eq!(report.stage(), Stage::Event);
            panic!("the hook itself")
        }),
    );
    let mut client = server.join();
    client.send("42[\"sync\"]");
    client.send("42[\"later\"]");
    assert_alive(&mut client);
}

fn what_a_handler_sends_before_it_replies_arrives_before_its_reply(runtime: TestRuntime) {
    let server = TestServer::start(
        runtime,
        Server::builder()
            .on("sync", |socket: Socket| {
                socket.emit("first", &1).map(|()| Reply(2))
            })
            .on("async", async |socket: Socket| {
                socket.emit("first", &1)?;
                tokio::task::yield_now().await;
                socket.emit("second", &2).map(|()| Reply(3))
            }),
    );
    let mut client = server.join();
    for _ in 0..50 {
        client.send("421[\"sync\"]");
        client.expect_text("42[\"first\",1]");
        client.expect_text("431[2]");
        client.send("421[\"async\"]");
        client.expect_text("42[\"first\",1]");
        client.expect_text("42[\"second\",2]");
        client.expect_text("431[3]");
    }
}

/// A value that emits another while it is serialised.
struct EmitsWhenSerialised(Socket);

impl Serialize for EmitsWhenSerialised {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.emit("inner", &1).map_err(serde::ser::Error::custom)?;
        serializer.serialize_u32(2)
    }
}

/// A value that cannot be serialised.
struct PanicsWhenSerialised;

impl Serialize for PanicsWhenSerialised {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("not today")
    }
}

fn serialisation_may_emit_and_panic(runtime: TestRuntime) {
    let log = Log::new();
    let server = TestServer::start(
        runtime,
        builder(&log)
            .on("nest", |socket: Socket| {
                socket.emit("outer", &EmitsWhenSerialised(socket.clone()))
            })
            .on("panic", |socket: Socket| {
                socket.emit("outer", &(1, PanicsWhenSerialised))
            })
            .on("reply", || Reply((1, PanicsWhenSerialised))),
    );
    let mut client = server.join();
    client.send("42[\"nest\"]");
    client.expect_text("42[\"inner\",1]");
    client.expect_text("42[\"outer\",2]");
    client.send("42[\"panic\"]");
    client.send("427[\"reply\"]");
    assert_alive(&mut client);
    assert_eq!(
        log.wait_for(2),
        [
            "Event panic the handler panicked: not today",
            "Event reply the handler panicked: not today"
        ]
    );
}

/// Data of a socket that panics when it is dropped.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("the socket's data was dropped");
    }
}

fn data_that_panics_when_it_is_dropped_does_not_end_its_connection(runtime: TestRuntime) {
    let log = Log::new();
    let guard = || Ok::<_, Refusal>(PanicsWhenDropped);
    let (in_a, in_b) = (note_end(&log), note_end(&log));
    let server = TestServer::start(
        runtime,
        Server::builder()
            .namespace("/a", move |namespace| namespace.guard(guard).on_disconnect(in_a))
            .namespace("/b", move |namespace| namespace.guard(guard).on_disconnect(in_b))
            .on("echo", |Arg(number): Arg<u32>| Reply(number)),
    );
    let mut client = RawWebSocket::open_session(&server.target);
    for name in ["", "/a,", "/b,"] {
        client.send(&Frame::text(&format!("40{name}")));
        assert!(client.message().payload.starts_with(b"40"));
    }
    let together = ["41/a,", "41/b,", "421[\"echo\",9]"].map(|packet| Frame::text(packet).encode());
    client.connection.send_bytes(&together.concat());
    assert_eq!(client.message().payload, b"431[9]");
    assert_eq!(log.wait_for(2).len(), 2);
}

fn note_end(log: &Log<String>) -> impl Fn() + Clone + Send + Sync + 'static {
    let log = log.clone();
    move || log.push("gone".to_owned())
}

//! What a client may use in its namespaces, and the application for it.

use std::future::{Future as _, pending, poll_fn};
use std::task::Poll;

use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::WebSocketClient;
use socketio_tests::kit::socketio::join_main;
use socketio_tokio::{
    CallError, Error, Handshake, Refusal, RefusalContext as Context, RequestError, RoomError,
};

use crate::support::LimitedServer;

crate::on_every_runtime!(one_namespace_too_many_is_refused_and_the_session_stays);

fn one_namespace_too_many_is_refused_and_the_session_stays(runtime: TestRuntime) {
    let server = LimitedServer::start(runtime, |limits| limits.namespaces_per_client = 1);
    let (mut client, _) = join_main(&server.target);
    client.send("40/chat,");
    client.expect_text(r#"44/chat,{"message":"Too many namespaces"}"#);
    let refused = server.refusal();
    assert_eq!(refused.context, Context::TooManyNamespaces);
    assert_eq!(
        refused.error,
        RequestError::Forbidden("Too many namespaces".to_owned())
    );
    client.send("41");
    client.send("40/chat,");
    assert!(client.text().starts_with(r#"40/chat,{"sid":"#));
}

#[test]
fn credentials_that_are_too_large_are_refused() {
    let server = LimitedServer::start(TestRuntime::MultiThread, |limits| limits.auth_bytes = 20);
    let (mut client, _) = WebSocketClient::open_session(&server.target);
    client.send(r#"40{"token":"0123456789"}"#);
    client.expect_text(r#"44{"message":"Auth payload too large"}"#);
    assert_eq!(server.refused(), Context::AuthTooLarge);
    client.send("40");
    assert!(client.text().starts_with(r#"40{"sid":"#));
}

#[test]
fn guards_of_clients_that_are_gone_count_as_sockets() {
    let server = LimitedServer::with(
        TestRuntime::MultiThread,
        |limits| limits.sockets = 3,
        |builder| builder.guard(async |_: Handshake| pending::<Result<(), Refusal>>().await),
    );
    for _ in 0..3 {
        let (mut client, _) = WebSocketClient::open_session(&server.target);
        client.send("40");
        // Answered after the guard was asked, in the same namespace's client.
        client.send("40/nowhere,");
        client.expect_text(r#"44/nowhere,{"message":"Invalid namespace"}"#);
    }
    let (mut client, _) = WebSocketClient::open_session(&server.target);
    client.send("40");
    client.expect_text(r#"44{"message":"Too many sockets"}"#);
    assert_eq!(server.refused(), Context::TooManySockets);
}

#[test]
fn rooms_and_calls_beyond_the_limits_are_errors() {
    let server = LimitedServer::start(TestRuntime::MultiThread, |limits| {
        limits.rooms_per_socket = 1;
        limits.room_name_bytes = 10;
        limits.pending_acks = 1;
    });
    let (_client, _) = join_main(&server.target);
    let socket = server.handle.sockets().expect("it is served").remove(0);
    socket.join("room").expect("one is allowed");
    assert_eq!(socket.join("other"), Err(Error::Room(RoomError::TooManyRooms)));
    assert_eq!(
        socket.join("a long name"),
        Err(Error::Room(RoomError::NameTooLong))
    );
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let outcome = runtime.expect("a runtime can be made").block_on(async {
        // A call is sent when it is first polled; the first to end is the one that is not sent.
        let mut calls = [(); 2].map(|()| Box::pin(socket.call::<()>("ask", &())));
        poll_fn(|task| {
            let ended = calls.iter_mut().find_map(|call| match call.as_mut().poll(task) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            });
            ended.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    });
    assert_eq!(outcome, Err(CallError::NotSent(Error::TooManyCalls)));
    assert!(Error::TooManyCalls.to_string().contains("Limits::pending_acks"));
}

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::*;
use crate::error::{CallError, Error};
use crate::testing::{builder, client_sends, received, running, socket, socket_with};

fn server() -> Server {
    running(builder().0.namespace("/chat", |ns| ns))
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn calls_end_as_disconnected_when_the_server_ends() {
    let server = server();
    let mut task = Context::from_waker(Waker::noop());
    let mut call = pin!(socket(&server).emit_with_ack("e", &1));
    assert!(call.as_mut().poll(&mut task).is_pending());
    server.shutdown(Duration::ZERO).unwrap();
    assert_eq!(
        call.as_mut().poll(&mut task),
        Poll::Ready(Err(CallError::Disconnected))
    );
}

#[test]
fn handles_are_send_sync_and_cheap_to_clone() {
    fn check<T: Clone + Send + Sync + 'static>() {}
    check::<Server>();
    check::<Socket>();
    check::<Namespace>();
    check::<Broadcast>();
    fn sent<T: Send>() {}
    sent::<Call<String>>();
}

#[test]
fn emit_sends_one_argument_unless_it_is_a_tuple() {
    let server = server();
    let socket = socket(&server);
    socket.emit("a", &[1, 2]).unwrap();
    socket.emit("a", &(1, "b")).unwrap();
    socket.emit("a", "text").unwrap();
    // The packets before it have not left yet, so it is dropped.
    socket.volatile().emit("dropped", &()).unwrap();
    assert_eq!(
        received(&server),
        ["2[\"a\",[1,2]]", "2[\"a\",1,\"b\"]", "2[\"a\",\"text\"]"]
    );
    socket.volatile().emit("a", &()).unwrap();
    assert_eq!(received(&server), ["2[\"a\"]"]);
}

#[test]
fn broadcasts_reach_whom_they_name() {
    let server = server();
    let (first, second) = (socket(&server), socket(&server));
    let name = String::from("both");
    first.join(["first", "both"]).unwrap();
    second.join(&name).unwrap();
    server.to(["first", "both"]).emit("once", &1).unwrap();
    server.to(&name).except(vec!["first"]).emit("second", &1).unwrap();
    first.broadcast().emit("second", &2).unwrap();
    second.to(&["both"][..]).emit("first", &1).unwrap();
    server.to(second.id()).emit("second", &3).unwrap();
    server.of("/chat").emit("nobody", &1).unwrap();
    server.close_room("both").unwrap();
    server.to("both").emit("nobody", &1).unwrap();
    let to_first = ["2[\"once\",1]", "2[\"first\",1]"];
    let to_second = [
        "2[\"once\",1]",
        "2[\"second\",1]",
        "2[\"second\",2]",
        "2[\"second\",3]",
    ];
    assert_eq!(received(&server), [&to_first[..], &to_second[..]].concat());
}

#[test]
fn rooms_are_joined_and_left() {
    let server = server();
    let socket = socket(&server);
    socket.join(["a", "b"]).unwrap();
    socket.leave("a").unwrap();
    let mut rooms = socket.rooms();
    rooms.sort_by_key(String::len);
    assert_eq!(rooms, ["b".to_owned(), socket.id().to_string()]);
}

#[test]
fn errors_say_what_is_missing() {
    let server = server();
    assert_eq!(server.of("/nowhere").emit("e", &1), Err(Error::UnknownNamespace));
    assert!(matches!(server.emit("connect", &1), Err(Error::Encode(_))));
    assert_eq!(Server::builder().build().emit("e", &1), Err(Error::NotServing));
    let socket = socket_with(&server, "/chat", None);
    assert!(socket.connected());
    socket.disconnect().unwrap();
    assert_eq!(socket.emit("e", &1), Err(Error::Disconnected));
    assert_eq!(socket.join("a"), Err(Error::Disconnected));
    assert!(!socket.connected());
    let mut task = Context::from_waker(Waker::noop());
    let outcome = pin!(socket.emit_with_ack("e", &1)).poll(&mut task);
    assert_eq!(outcome, Poll::Ready(Err(CallError::Disconnected)));
}

#[test]
fn a_call_is_sent_when_polled_and_ends_with_the_answer() {
    let server = server();
    let socket = socket(&server);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut task = Context::from_waker(&waker);
    let mut call = pin!(socket.call::<String>("who", &1));
    assert!(received(&server).is_empty());
    assert!(call.as_mut().poll(&mut task).is_pending());
    assert_eq!(received(&server), ["20[\"who\",1]"]);
    client_sends(&socket, "430[\"me\",2]");
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert_eq!(call.as_mut().poll(&mut task), Poll::Ready(Ok("me".to_owned())));
}

fn answered<T: serde::de::DeserializeOwned>(packet: &str) -> Result<T, CallError> {
    let server = server();
    let socket = socket(&server);
    let mut task = Context::from_waker(Waker::noop());
    let mut call = pin!(socket.call::<T>("who", &()));
    assert!(call.as_mut().poll(&mut task).is_pending());
    client_sends(&socket, packet);
    match call.as_mut().poll(&mut task) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it was answered"),
    }
}

#[test]
fn calls_end_in_every_way() {
    assert_eq!(answered::<u8>("430[7,8]"), Ok(7));
    assert_eq!(answered::<()>("430[]"), Ok(()));
    assert_eq!(answered::<Option<u8>>("430[]"), Ok(None));
    assert!(matches!(answered::<u8>("430[]"), Err(CallError::Answer(_))));
    assert!(matches!(answered::<u8>("430[\"a\"]"), Err(CallError::Answer(_))));
    assert_eq!(answered::<u8>("41"), Err(CallError::Disconnected));
}

#[test]
fn a_dropped_call_is_forgotten() {
    let server = server();
    let socket = socket(&server);
    let mut task = Context::from_waker(Waker::noop());
    let mut call = Box::pin(socket.emit_with_ack("e", &1));
    assert!(call.as_mut().poll(&mut task).is_pending());
    drop(call);
    drop(socket.emit_with_ack("never polled", &3));
    assert_eq!(received(&server), ["20[\"e\",1]"]);
    assert_eq!(server.inner().with_core(|core, _| core.counts().acks), Ok(0));
    // An answer that comes late is nobody's.
    client_sends(&socket, "430[]");
    assert!(socket.connected());
}

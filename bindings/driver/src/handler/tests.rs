use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use super::*;
use crate::core::Raw;
use crate::error::{Error, HandlerError};
use crate::testing::{
    builder, dispatch, event, failure, pending_once, ready, received, reply, running, socket,
};
use crate::{Ack, Arg, Args, Arguments, Attachments, Event, Refusal, Server, Socket, State};

fn named(Arg(number): Arg<i64>) -> Reply<i64> {
    Reply(number + 1)
}

async fn named_async(Arg(number): Arg<i64>) -> Reply<i64> {
    pending_once().await;
    Reply(number + 1)
}

fn outcome_of<M>(handler: impl Handler<EventContext, M>, arguments: &str) -> EventOutcome
where
    M: crate::RunsOn<crate::Async>,
{
    let (builder, _) = builder();
    let server = running(builder.state(7_u8).on("e", handler));
    dispatch(event(&socket(&server), "e", arguments, Some(3)))
}

#[test]
fn functions_and_closures_of_both_shapes_are_handlers() {
    assert_eq!(reply(outcome_of(named, "1")), "33[2]");
    assert_eq!(reply(outcome_of(named_async, "1")), "33[2]");
    assert_eq!(
        reply(outcome_of(
            |Arg(v): Arg<Vec<i64>>| Reply(v.iter().sum::<i64>()),
            "[1,2]"
        )),
        "33[3]"
    );
    assert_eq!(reply(outcome_of(async |Arg(v): Arg<i64>| Reply(v), "5")), "33[5]");
    assert_eq!(reply(outcome_of(|| Reply(()), "")), "33[]");
    assert_eq!(reply(outcome_of(async || Reply((1, "a")), "")), "33[1,\"a\"]");
    assert!(matches!(outcome_of(|| (), ""), EventOutcome::Nothing));
    let captured = Arc::new(4);
    let shared = captured.clone();
    assert_eq!(
        reply(outcome_of(move |Arg(v): Arg<i64>| Reply(v + *shared), "1")),
        "33[5]"
    );
    let with_block = move |Arg(v): Arg<i64>| {
        let captured = captured.clone();
        async move { Reply(v + *captured) }
    };
    assert_eq!(reply(outcome_of(with_block, "1")), "33[5]");
}

#[test]
fn eight_extractors_are_allowed() {
    let all = |_: Socket,
               _: Server,
               State(seven): State<u8>,
               _: Event,
               _: Args<(i64,)>,
               raw: Raw,
               _: Attachments,
               _: Arguments| Reply((*seven, raw.as_str().len()));
    assert_eq!(reply(outcome_of(all, "1")), "33[7,1]");
}

#[test]
fn an_async_closure_may_call_the_handles() {
    let (builder, failures) = builder();
    let server = running(builder.on(
        "say",
        async |socket: Socket, Args((room, text)): Args<(String, String)>| socket.emit("said", &(room, text)),
    ));
    assert!(matches!(
        dispatch(event(&socket(&server), "say", "\"r\",\"hi\"", None)),
        EventOutcome::Nothing
    ));
    assert_eq!(received(&server), ["2[\"said\",\"r\",\"hi\"]"]);
    assert!(failures.lock().unwrap().is_empty());
}

#[test]
fn options_and_results_of_replies_are_outcomes() {
    let maybe = |Arg(number): Arg<i64>| (number > 0).then_some(Reply(number));
    assert_eq!(reply(outcome_of(maybe, "1")), "33[1]");
    assert!(matches!(outcome_of(maybe, "0"), EventOutcome::Nothing));
    let fallible = |Arg(number): Arg<i64>| {
        if number > 0 {
            Ok(Reply(number))
        } else {
            Err("too small")
        }
    };
    assert_eq!(reply(outcome_of(fallible, "1")), "33[1]");
    assert_eq!(
        failure(outcome_of(fallible, "0")),
        HandlerError::Returned("too small".into())
    );
    let verb = |socket: Socket| socket.join("lobby");
    assert!(matches!(outcome_of(verb, ""), EventOutcome::Nothing));
    let _: fn(Socket) -> Result<(), Error> = verb;
}

#[test]
fn panics_become_failures() {
    let panicked = |message: &str| HandlerError::Panicked(message.to_owned());
    let literal = |Arg(fail): Arg<bool>| {
        if fail {
            panic!("plain")
        }
    };
    assert_eq!(failure(outcome_of(literal, "true")), panicked("plain"));
    let formatted = async |Arg(n): Arg<i64>| {
        if n > 0 {
            panic!("n = {n}")
        }
    };
    assert_eq!(failure(outcome_of(formatted, "1")), panicked("n = 1"));
    let late = async |Arg(n): Arg<i64>| {
        pending_once().await;
        if n > 0 {
            panic!("late")
        }
    };
    assert_eq!(failure(outcome_of(late, "1")), panicked("late"));
    let before_its_future = |Arg(n): Arg<i64>| {
        assert!(n == 0, "early");
        async {}
    };
    assert_eq!(failure(outcome_of(before_its_future, "1")), panicked("early"));
    let odd = |Arg(n): Arg<i64>| {
        if n > 0 {
            std::panic::panic_any(n)
        }
    };
    assert_eq!(failure(outcome_of(odd, "1")), panicked("a value that is no text"));
}

#[test]
fn a_handler_works_again_after_it_panicked() {
    let (builder, _) = builder();
    let server = running(builder.on("e", async |Arg(n): Arg<i64>| {
        assert!(n > 0, "zero");
        Reply(n)
    }));
    let socket = socket(&server);
    for _ in 0..40 {
        failure(dispatch(event(&socket, "e", "0", Some(1))));
        assert_eq!(reply(dispatch(event(&socket, "e", "2", Some(1)))), "31[2]");
    }
}

/// Counts how often it was serialised.
struct Counted(Arc<AtomicUsize>);

impl serde::Serialize for Counted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        serializer.serialize_u8(1)
    }
}

#[test]
fn a_reply_nobody_asked_for_is_not_serialised() {
    let count = Arc::new(AtomicUsize::new(0));
    let (builder, _) = builder();
    let counted = count.clone();
    let server = running(builder.on("e", move || Reply(Counted(counted.clone()))));
    let socket = socket(&server);
    assert!(matches!(
        dispatch(event(&socket, "e", "", None)),
        EventOutcome::Nothing
    ));
    assert_eq!(count.load(Ordering::Relaxed), 0);
    assert_eq!(reply(dispatch(event(&socket, "e", "", Some(0)))), "30[1]");
}

/// Cannot be written as JSON, one way or the other.
enum Bad {
    Refuses,
    Panics,
}

impl serde::Serialize for Bad {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Refuses => Err(serde::ser::Error::custom("no")),
            Self::Panics => panic!("in Serialize"),
        }
    }
}

#[test]
fn a_reply_that_cannot_be_written_is_a_failure() {
    assert!(matches!(
        failure(outcome_of(|| Reply(Bad::Refuses), "")),
        HandlerError::Encode(_)
    ));
    let panicked = HandlerError::Panicked("in Serialize".into());
    assert_eq!(failure(outcome_of(|| Reply(Bad::Panics), "")), panicked);
    assert_eq!(failure(outcome_of(async || Reply(Bad::Panics), "")), panicked);
}

#[test]
fn arguments_that_do_not_fit_keep_the_handler_from_running() {
    let never = |_: Arg<i64>| -> () { panic!("must not run") };
    assert!(matches!(
        failure(outcome_of(never, "\"a\"")),
        HandlerError::Extract(_)
    ));
    let also_never = async |_: Arg<i64>| -> () { panic!("must not run") };
    assert!(matches!(
        failure(outcome_of(also_never, "")),
        HandlerError::Extract(_)
    ));
}

#[test]
fn taking_the_ack_silences_the_reply() {
    let (builder, _) = builder();
    let server = running(builder.on("e", |ack: Ack| {
        assert!(ack.is_wanted());
        ack.send(&(1, 2)).map(|()| Reply(3))
    }));
    assert!(matches!(
        dispatch(event(&socket(&server), "e", "", Some(9))),
        EventOutcome::Nothing
    ));
    assert_eq!(received(&server), ["39[1,2]"]);
}

#[test]
fn a_suspended_handler_keeps_no_read_buffer() {
    let (builder, _) = builder();
    let server = running(builder.on("e", async |event: Event, raw: Raw| {
        pending_once().await;
        Reply((event.name().as_ptr() as usize, raw.as_str().as_ptr() as usize))
    }));
    let context = event(&socket(&server), "e", "1", Some(0));
    let (name, text) = (context.name.clone(), context.arguments.clone());
    let mut task = Context::from_waker(Waker::noop());
    let Step::Pending(rest) = server.router().event(context, &mut task) else {
        panic!("it waits")
    };
    let answer = reply(ready(rest));
    assert!(!answer.contains(&(name.as_str().as_ptr() as usize).to_string()));
    assert!(!answer.contains(&(text.text().as_ptr() as usize).to_string()));
}

#[test]
fn sync_handlers_do_not_allocate() {
    let (builder, _) = builder();
    let server = running(
        builder
            .state(7_u8)
            .on("e", |raw: Raw, _: Socket, _: State<u8>, _: Attachments| {
                (!raw.as_str().is_empty()).then_some(())
            }),
    );
    let socket = socket(&server);
    let contexts: Vec<_> = (0..100).map(|_| event(&socket, "e", "1", None)).collect();
    // A buffer becomes a shared one when it is first cloned; those that packets arrive in are from the start.
    let buffers: Vec<_> = contexts.iter().map(|context| context.arguments.clone()).collect();
    let mut task = Context::from_waker(Waker::noop());
    let counted = allocation_counter::measure(|| {
        for context in contexts {
            assert!(matches!(
                server.router().event(context, &mut task),
                Step::Done(EventOutcome::Nothing)
            ));
        }
    });
    assert_eq!(counted.count_total, 0);
    drop(buffers);
}

#[test]
fn guards_may_refuse_with_anything_that_makes_a_refusal() {
    fn is_guard<M>(_: impl Handler<GuardContext, M>) {}
    is_guard(|| Err::<(), _>("text"));
    is_guard(|| Err::<u8, _>(Refusal::new("text")));
    is_guard(async |_: crate::Handshake| Err::<String, _>(String::from("text")));
    is_guard(|| ());
}

#[test]
fn a_sync_echo_does_not_allocate() {
    let (builder, _) = builder();
    let server = running(builder.on("e", |raw: Raw| Reply(raw)));
    let socket = socket(&server);
    let contexts: Vec<_> = (0..150)
        .map(|id| event(&socket, "e", "\"0123456789abcdef\"", Some(id)))
        .collect();
    // A buffer becomes a shared one when it is first cloned.
    let buffers: Vec<_> = contexts.iter().map(|context| context.arguments.clone()).collect();
    let mut contexts = contexts.into_iter();
    let mut task = Context::from_waker(Waker::noop());
    let mut echo = |count| {
        for context in contexts.by_ref().take(count) {
            let step = server.router().event(context, &mut task);
            assert!(matches!(step, Step::Done(EventOutcome::Reply { .. })));
        }
    };
    echo(50);
    assert_eq!(allocation_counter::measure(|| echo(100)).count_total, 0);
    drop(buffers);
}

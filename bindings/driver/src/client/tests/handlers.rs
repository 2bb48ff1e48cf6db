use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use super::{built, polled, reason};
use crate::client::inner::ClientInner;
use crate::client::{Client, ClientReason, ClientSocket};
use crate::core::{Arguments, ClientEmitError, ClientReasonKind, Raw, Rejoins};
use crate::error::{CallError, Error, ExtractError};
use crate::handler::{ConnectContext, DisconnectContext, EventContext, EventOutcome, LifecycleOutcome, Step};
use crate::testing::{event_name, namespace_ids, pending_once, ready};
use crate::{Ack, Arg, Args, Async, Attachments, ClientBuilder, Event, Reply, State};

fn builder() -> ClientBuilder<Async> {
    Client::builder("http://127.0.0.1:3000")
}

/// Runs the handler of the event `e` with these arguments.
fn run(inner: &Arc<ClientInner>, arguments: &[u32]) -> EventOutcome<ClientSocket> {
    let arguments = Arguments::from_values(arguments).unwrap();
    let socket = inner.socket(0).unwrap().clone();
    let context = EventContext::new(socket, event_name("e"), arguments, None);
    match inner
        .router()
        .event(context, &mut Context::from_waker(Waker::noop()))
    {
        Step::Done(outcome) => outcome,
        Step::Pending(rest) => ready(rest),
    }
}

#[test]
fn handlers_of_clients_take_the_extractors_of_events() {
    let builder = builder().state("shared").on(
        "e",
        |Arg(first): Arg<u32>,
         Args((one, two)): Args<(u32, u32)>,
         raw: Raw,
         all: Arguments,
         attachments: Attachments,
         event: Event,
         ack: Ack,
         State(state): State<&str>| {
            assert_eq!((first, one, two, raw.as_str(), all.text()), (1, 1, 2, "1", "1,2"));
            assert!(attachments.is_empty() && !ack.is_wanted());
            assert_eq!((event.name(), *state), ("e", "shared"));
            Reply(())
        },
    );
    assert!(matches!(
        run(&built(builder).unwrap(), &[1, 2]),
        EventOutcome::Nothing
    ));
}

#[test]
fn extractors_that_may_fail_and_async_handlers_work_on_clients() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = seen.clone();
    let builder = builder().on(
        "e",
        move |socket: ClientSocket, text: Option<Arg<String>>, number: Result<Arg<u32>, ExtractError>| {
            let list = list.clone();
            async move {
                pending_once().await;
                list.lock().unwrap().push((
                    socket.namespace_name().to_owned(),
                    text.is_none(),
                    number.is_ok(),
                ));
            }
        },
    );
    run(&built(builder).unwrap(), &[1]);
    assert_eq!(*seen.lock().unwrap(), [("/".to_owned(), true, true)]);
}

#[test]
fn failures_of_handlers_name_the_event_and_the_namespace() {
    let builder = builder().on("e", |Arg(_): Arg<String>| ());
    let EventOutcome::Failed(report) = run(&built(builder).unwrap(), &[1]) else {
        panic!("the argument has another shape");
    };
    assert!(
        report
            .to_string()
            .starts_with("event \"e\" of / for socket not joined: the arguments"),
        "{report}"
    );
}

#[test]
fn lifecycle_handlers_run_with_the_reason() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (first, second) = (seen.clone(), seen.clone());
    let builder = builder()
        .on_connect(move |_: ClientSocket| first.lock().unwrap().push("connect".to_owned()))
        .on_disconnect(move |reason: ClientReason, _: State<u8>| {
            second
                .lock()
                .unwrap()
                .push(format!("{} {reason}", reason.will_reconnect()));
        })
        .state(1_u8);
    let inner = built(builder).unwrap();
    let socket = inner.socket(0).unwrap().clone();
    let mut task = Context::from_waker(Waker::noop());
    let step = inner
        .router()
        .connect(ConnectContext::new(socket.clone()), &mut task);
    assert!(matches!(step, Step::Done(LifecycleOutcome::Done)));
    let context = DisconnectContext::new(socket, reason(Rejoins::Later));
    let step = inner.router().disconnect(context, &mut task);
    assert!(matches!(step, Step::Done(LifecycleOutcome::Done)));
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0], "connect");
    assert!(seen[1].starts_with("true the server disconnected"), "{}", seen[1]);
}

#[test]
fn events_that_could_not_be_sent_after_all_go_to_the_error_hook() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let list = reports.clone();
    let inner =
        built(builder().on_error(move |report| list.lock().unwrap().push(report.to_string()))).unwrap();
    inner.undeliverable(namespace_ids(1)[0], ClientEmitError::TooLarge { limit: 9 });
    let reports = reports.lock().unwrap();
    assert!(reports[0].starts_with("emit of / for socket"), "{}", reports[0]);
    assert!(reports[0].contains("at most 9 bytes"), "{}", reports[0]);
}

#[test]
fn verbs_say_when_there_is_no_connection_and_when_there_is_no_client() {
    let inner = built(builder()).unwrap();
    let socket = inner.socket(0).unwrap().clone();
    assert_eq!(socket.emit("e", &1), Err(Error::NotConnected));
    assert!(matches!(socket.emit("connect", &1), Err(Error::Encode(_))));
    let mut call = socket.call::<u8>("e", &1).timeout(Duration::MAX);
    let not_sent = CallError::NotSent(Error::NotConnected);
    assert_eq!(polled(&mut call), std::task::Poll::Ready(Err(not_sent.clone())));
    assert!(matches!(
        polled(&mut socket.deliver("e", &1).retries(1)),
        std::task::Poll::Ready(Err(error)) if error == not_sent
    ));
    assert!(!socket.connected() && socket.id().is_none() && socket.transport().is_none());
    drop(inner);
    assert_eq!(socket.emit("e", &1), Err(Error::Disconnected));
    let mut call = socket.emit_with_ack("e", &1);
    assert!(matches!(
        polled(&mut call),
        std::task::Poll::Ready(Err(CallError::Disconnected))
    ));
}

#[test]
fn handles_are_send_sync_and_cheap_to_clone() {
    fn check<T: Clone + Send + Sync + 'static>() {}
    check::<Client>();
    check::<ClientSocket>();
    fn sent<T: Send + Sync + 'static>() {}
    sent::<crate::client::SimpleClient>();
    sent::<crate::client::ConnectionEvents>();
    sent::<crate::client::Deliver>();
}

#[test]
fn a_socket_of_the_client_keeps_it_and_one_of_handlers_does_not() {
    let inner = built(builder()).unwrap();
    let weak = Arc::downgrade(&inner);
    let of_handlers = inner.socket(0).unwrap().clone();
    let client = Client::new(inner).unwrap();
    let kept = client.of("/").unwrap();
    assert_eq!(kept, of_handlers);
    drop(client);
    assert!(weak.upgrade().is_some());
    drop(kept);
    assert!(weak.upgrade().is_none());
    assert_eq!(of_handlers.emit("e", &()), Err(Error::Disconnected));
}

#[test]
fn reasons_are_one_line_with_everything_that_is_known() {
    let detail = "\"a\" said\nno".to_owned();
    let reason = ClientReason::new(ClientReasonKind::ServerDisconnect, Some(detail), Rejoins::Never);
    assert!(reason.to_string().ends_with(": \"a\" said\\nno"), "{reason}");
    let error = crate::client::ConnectError::Failed(reason);
    assert!(
        error.to_string().starts_with("the server disconnected"),
        "{error}"
    );
}

use std::collections::BTreeMap;
use std::task::{Context, Waker};

use super::*;
use crate::core::Reason;
use crate::error::{BuildError, HandlerError, Stage};
use crate::handle::Server;
use crate::handler::{EventOutcome, LifecycleOutcome, Reply};
use crate::testing::{
    builder, dispatch, event, failure, pending_once, ready, reply, running, socket, socket_with,
};
use crate::{Auth, Data, Event, Refusal, Socket, State};

struct User(&'static str);
struct Level(u8);

fn error(builder: ServerBuilder<Async>) -> BuildError {
    builder.try_build().expect_err("the builder contradicts itself")
}

#[test]
fn an_event_has_one_handler() {
    let twice = Server::builder().on("a", || ()).on("a", || ());
    assert_eq!(
        error(twice),
        BuildError::DuplicateEvent {
            namespace: "/".into(),
            event: "a".into()
        }
    );
    let elsewhere = Server::builder()
        .on("a", || ())
        .namespace("/b", |ns| ns.on("a", || ()));
    assert!(elsewhere.try_build().is_ok());
}

#[test]
fn a_namespace_has_one_of_each_other_handler() {
    let duplicate = |method| BuildError::DuplicateHandler {
        namespace: "/".into(),
        method,
    };
    assert_eq!(
        error(Server::builder().on_connect(|| ()).on_connect(|| ())),
        duplicate("on_connect")
    );
    assert_eq!(
        error(Server::builder().on_any(|| ()).on_any(|| ())),
        duplicate("on_any")
    );
    let twice = Server::builder().on_disconnect(|| ()).on_disconnect(|| ());
    assert_eq!(error(twice), duplicate("on_disconnect"));
}

#[test]
fn reserved_events_and_odd_namespaces_are_refused() {
    let reserved = BuildError::ReservedEvent {
        namespace: "/".into(),
        event: "disconnect".into(),
    };
    assert_eq!(error(Server::builder().on("disconnect", || ())), reserved);
    for name in ["chat", "/a,b", "/a?b", ""] {
        let odd = BuildError::InvalidNamespace {
            namespace: name.into(),
        };
        assert_eq!(error(Server::builder().namespace(name, |ns| ns)), odd);
    }
}

#[test]
fn state_must_be_given_once() {
    let missing = BuildError::MissingState {
        handler: "on(\"a\") of /".into(),
        state: "u8",
    };
    assert_eq!(error(Server::builder().on("a", async |_: State<u8>| ())), missing);
    assert!(
        Server::builder()
            .on("a", |_: State<u8>| ())
            .state(1_u8)
            .try_build()
            .is_ok()
    );
    assert_eq!(
        error(Server::builder().state(1_u8).state(2_u8)),
        BuildError::DuplicateState { state: "u8" }
    );
}

#[test]
fn data_must_be_what_the_last_guard_leaves() {
    let reads = |ns: NamespaceBuilder<Async>| ns.on("a", |_: Data<User>| ());
    assert!(matches!(
        error(Server::builder().namespace("/", reads)),
        BuildError::MissingData { .. }
    ));
    let guarded = |ns: NamespaceBuilder<Async>| reads(ns).guard(|| Ok::<_, Refusal>(User("a"))).guard(|| ());
    assert!(Server::builder().namespace("/", guarded).try_build().is_ok());
    let replaced =
        |ns: NamespaceBuilder<Async>| guarded(ns).guard(|_: Data<User>| Ok::<_, Refusal>(Level(1)));
    assert!(matches!(
        error(Server::builder().namespace("/", replaced)),
        BuildError::MissingData { .. }
    ));
}

#[test]
#[should_panic(expected = "the server cannot be built: event \"a\" of / has two handlers")]
fn build_panics_with_the_contradiction() {
    let _ = Server::builder().on("a", || ()).on("a", || ()).build();
}

#[test]
fn events_go_to_their_handler_or_to_the_catch_all_of_their_namespace() {
    let (builder, _) = builder();
    let builder = builder.on("a", || Reply("main")).namespace("/b", |ns| {
        ns.on("a", || Reply("b"))
            .on_any(|event: Event| Reply(event.name().to_owned()))
    });
    let server = running(builder);
    let (main, other) = (socket(&server), socket_with(&server, "/b", None));
    assert_eq!(reply(dispatch(event(&main, "a", "", Some(0)))), "30[\"main\"]");
    assert!(matches!(
        dispatch(event(&main, "x", "", Some(0))),
        EventOutcome::Nothing
    ));
    assert_eq!(reply(dispatch(event(&other, "a", "", Some(0)))), "3/b,0[\"b\"]");
    assert_eq!(reply(dispatch(event(&other, "x", "", Some(0)))), "3/b,0[\"x\"]");
}

#[test]
fn a_namespace_may_be_described_in_parts() {
    let builder = Server::builder()
        .namespace("/b", |ns| ns.on("a", || ()))
        .namespace("/c", |ns| ns)
        .namespace("/b", |ns| ns.on("b", || ()).serial());
    let server = running(builder);
    let router = server.router();
    assert_eq!(router.namespaces().collect::<Vec<_>>(), ["/", "/b", "/c"]);
    assert!(router.is_serial(socket_with(&server, "/b", None).namespace_id()));
    assert!(!router.is_serial(socket(&server).namespace_id()));
}

#[test]
fn observers_see_every_event_and_cannot_break_it() {
    let (builder, failures) = builder();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let list = seen.clone();
    let builder = builder
        .observe(move |event| {
            list.lock()
                .unwrap()
                .push((event.name().to_owned(), event.wants_ack()))
        })
        .observe(|event| assert!(event.name() != "a", "observed"))
        .on("a", || Reply(1));
    let server = running(builder);
    let socket = socket(&server);
    assert_eq!(reply(dispatch(event(&socket, "a", "", Some(0)))), "30[1]");
    dispatch(event(&socket, "b", "", None));
    assert_eq!(
        *seen.lock().unwrap(),
        [("a".to_owned(), true), ("b".to_owned(), false)]
    );
    let line = format!(
        "event \"a\" of / for socket {}: the handler panicked: observed",
        socket.id()
    );
    assert_eq!(*failures.lock().unwrap(), [line]);
}

#[test]
fn guards_run_in_order_and_the_last_data_stays() {
    let (builder, _) = builder();
    let builder = builder
        .guard(async |Auth(name): Auth<Option<BTreeMap<String, u8>>>| {
            pending_once().await;
            match name {
                Some(_) => Ok(User("known")),
                None => Err(Refusal::new("who are you?")),
            }
        })
        .guard(|user: Data<User>| {
            if user.0.0 == "known" {
                Ok(Level(3))
            } else {
                Err("unknown")
            }
        })
        .guard(|level: Data<Level>| assert_eq!(level.0.0, 3))
        .on("level", |Data(level): Data<Level>| Reply(level.0));
    let server = running(builder);
    let known = socket_with(&server, "/", Some("{\"me\":1}"));
    assert!(matches!(ready(Admission::new(known.clone())), Verdict::Admit));
    assert_eq!(reply(dispatch(event(&known, "level", "", Some(0)))), "30[3]");
    let unknown = socket_with(&server, "/", None);
    let Verdict::Refuse(refusal) = ready(Admission::new(unknown.clone())) else {
        panic!("let in")
    };
    assert_eq!(refusal.message(), "who are you?");
    failure(dispatch(event(&unknown, "level", "", None)));
}

#[test]
fn a_refusal_may_carry_data_and_loses_what_cannot_be_sent() {
    let (builder, failures) = builder();
    let builder = builder.guard(|Auth(auth): Auth<BTreeMap<String, u8>>| {
        // JSON has no keys that are lists.
        let map = BTreeMap::from([([1], 1)]);
        let refusal = Refusal::new("no");
        Err::<(), _>(if auth.is_empty() {
            refusal.with_data(&1)
        } else {
            refusal.with_data(&map)
        })
    });
    let server = running(builder);
    let packet = |auth| {
        let socket = socket_with(&server, "/", Some(auth));
        let Verdict::Refuse(refusal) = ready(Admission::new(socket)) else {
            panic!("let in")
        };
        crate::testing::text(&crate::encoding::refusal("/", &refusal).unwrap())
    };
    assert_eq!(packet("{}"), "4{\"message\":\"no\",\"data\":1}");
    assert!(failures.lock().unwrap().is_empty());
    assert_eq!(packet("{\"broken\":1}"), "4{\"message\":\"no\"}");
    assert_eq!(failures.lock().unwrap().len(), 1);
}

#[test]
fn a_failing_guard_refuses_without_telling_why() {
    let (builder, failures) = builder();
    let server = running(builder.guard(|Auth(auth): Auth<BTreeMap<String, u8>>| {
        assert!(auth.is_empty(), "secret");
    }));
    for auth in [None, Some("{\"level\":1}")] {
        let Verdict::Refuse(refusal) = ready(Admission::new(socket_with(&server, "/", auth))) else {
            panic!("let in");
        };
        assert_eq!(refusal.message(), "not allowed");
    }
    assert_eq!(failures.lock().unwrap().len(), 2);
}

#[test]
fn connect_and_disconnect_handlers_report_their_errors() {
    let (builder, _) = builder();
    let builder = builder
        .on_connect(async |socket: Socket| socket.join("lobby"))
        .on_disconnect(|reason: Reason| Err::<(), _>(format!("left: {reason}")));
    let server = running(builder);
    let socket = socket(&server);
    let mut task = Context::from_waker(Waker::noop());
    let connected = server
        .router()
        .connect(ConnectContext::new(socket.clone()), &mut task);
    assert!(matches!(connected, Step::Done(LifecycleOutcome::Done)));
    let left = DisconnectContext::new(socket, Reason::ClientNamespaceDisconnect);
    let Step::Done(LifecycleOutcome::Failed(report)) = server.router().disconnect(left, &mut task) else {
        panic!("no failure");
    };
    assert_eq!(report.stage(), Stage::Disconnect);
    assert_eq!(
        report.error(),
        &HandlerError::Returned("left: client namespace disconnect".into())
    );
}

#[test]
fn a_panicking_error_hook_is_ignored() {
    let builder = Server::builder()
        .on_error(|_| panic!("hook"))
        .on("a", || Err::<(), _>("no"));
    let server = running(builder);
    let EventOutcome::Failed(report) = dispatch(event(&socket(&server), "a", "", None)) else {
        panic!("no failure");
    };
    server.router().report(&report);
}

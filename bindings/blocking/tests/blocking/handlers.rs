//! What handlers may do: call back and forth, block, panic, and what order they keep.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use socketio_blocking::client::{ClientSocket, Offline};
use socketio_blocking::http::StatusCode;
use socketio_blocking::{Arg, Args, CallError, Client, Reply, RequestHead, Response, Server, Socket, Wait};

use crate::support::{LONG, Latch, Reporter, Reports, connected, started};

type Answer = Result<Reply<i64>, CallError>;

/// Asks the other side for what follows, and adds one.
fn server_asks(next: &'static str) -> impl Fn(Socket, Arg<i64>) -> Answer + Send + Sync + 'static {
    move |socket, Arg(number)| Ok(Reply(socket.call::<i64>(next, &number).timeout(LONG).wait()? + 1))
}

fn client_asks(next: &'static str) -> impl Fn(ClientSocket, Arg<i64>) -> Answer + Send + Sync + 'static {
    move |socket, Arg(number)| Ok(Reply(socket.call::<i64>(next, &number).timeout(LONG).wait()? + 1))
}

#[test]
fn calls_nest_in_both_directions() {
    let server = started(
        Server::builder()
            .on("first", server_asks("second"))
            .on("third", server_asks("fourth"))
            .on("fifth", |Arg(number): Arg<i64>| Reply(number * 100)),
    );
    let builder = Client::builder(server.url.as_str())
        .on("second", client_asks("third"))
        .on("fourth", client_asks("fifth"));
    let client = socketio_blocking::connect(builder).expect("connects");
    assert_eq!(client.call::<i64>("first", &7).timeout(LONG).wait(), Ok(704));

    let sockets = server.server.sockets().expect("is served");
    let [socket] = sockets.as_slice() else {
        panic!("there is one client")
    };
    assert_eq!(socket.call::<i64>("second", &7).timeout(LONG).wait(), Ok(703));
}

#[test]
fn events_overtake_a_handler_that_waits_but_not_in_a_serial_namespace() {
    let begun = Reports::new();
    let (first, second) = (begun.reporter(), begun.reporter());
    let ask = |socket: Socket| {
        let answer = socket.call::<()>("answer", &()).timeout(LONG).wait();
        socket.emit("done", &("ask", answer.is_ok()))
    };
    let other = |reporter: Reporter<()>| {
        move |socket: Socket| {
            reporter.report(());
            socket.emit("done", &("other", true))
        }
    };
    let server = started(
        Server::builder()
            .on("ask", ask)
            .on("other", other(first))
            .namespace("/serial", |ns| {
                ns.serial().on("ask", ask).on("other", other(second))
            }),
    );
    for (namespace, expected) in [("/", ["other", "ask"]), ("/serial", ["ask", "other"])] {
        let (latch, asked, done) = (Latch::default(), Reports::new(), Reports::new());
        let (blocked_on, asker, reporter) = (latch.clone(), asked.reporter(), done.reporter());
        let builder = Client::builder(server.url.as_str()).namespace(namespace, |ns| {
            ns.on("answer", move || {
                asker.report(());
                blocked_on.wait();
                Reply(())
            })
            .on("done", move |Args((name, is_ok)): Args<(String, bool)>| {
                assert!(is_ok);
                reporter.report(name);
            })
        });
        let client = socketio_blocking::connect(builder).expect("connects");
        let socket = client.of(namespace).expect("is known");
        socket.emit("ask", &()).expect("is sent");
        socket.emit("other", &()).expect("is sent");
        asked.next();
        if namespace == "/" {
            begun.next();
        }
        latch.open();
        assert_eq!([done.next(), done.next()], expected, "{namespace}");
    }
}

#[test]
fn handlers_that_block_do_not_hold_others_up() {
    let (latch, blocked) = (Latch::default(), Reports::new());
    let (blocked_on, reporter) = (latch.clone(), blocked.reporter());
    let server = started(
        Server::builder()
            .on("block", move || {
                reporter.report(());
                blocked_on.wait();
                Reply(())
            })
            .on("echo", |Arg(number): Arg<i64>| Reply(number)),
    );
    // More than there are processors, so that others have to be made for those who want to run.
    let slow: Vec<_> = (0..40).map(|_| connected(&server.url)).collect();
    for client in &slow {
        client.emit("block", &()).expect("is sent");
    }
    for _ in &slow {
        blocked.next();
    }
    let quick = connected(&server.url);
    for number in 0..50 {
        assert_eq!(
            quick.call::<i64>("echo", &number).timeout(LONG).wait(),
            Ok(number)
        );
    }
    latch.open();
    for client in &slow {
        assert_eq!(client.call::<i64>("echo", &1).timeout(LONG).wait(), Ok(1));
    }
}

#[test]
fn a_handler_that_panics_is_told_and_ends_nothing() {
    let reports = Reports::new();
    let reporter = reports.reporter();
    let server = started(
        Server::builder()
            .on_error(move |report| reporter.report(report.error().to_string()))
            .on("panic", || -> () { panic!("on purpose") })
            .on("echo", |Arg(number): Arg<i64>| Reply(number)),
    );
    let client = connected(&server.url);
    for number in 0..5 {
        client.emit("panic", &()).expect("is sent");
        assert!(reports.next().contains("on purpose"));
        assert_eq!(
            client.call::<i64>("echo", &number).timeout(LONG).wait(),
            Ok(number)
        );
    }
}

#[test]
fn the_handlers_of_one_client_keep_their_order() {
    let seen = Reports::new();
    let (reporter, last) = (seen.reporter(), seen.reporter());
    let server = started(
        Server::builder()
            .on("number", move |Arg(number): Arg<i64>| reporter.report(number))
            .on_disconnect(move || last.report(-1)),
    );
    let client = connected(&server.url);
    for number in 0..500 {
        client.emit("number", &number).expect("is sent");
    }
    drop(client);
    let order: Vec<i64> = (0..501).map(|_| seen.next()).collect();
    assert_eq!(order, (0..500).chain([-1]).collect::<Vec<_>>());
}

#[test]
fn who_ends_its_side_after_a_request_is_answered() {
    let server = started(Server::builder().fallback(|_: &RequestHead, _| {
        // The end is seen before there is an answer.
        std::thread::sleep(Duration::from_millis(50));
        Response::new(StatusCode::OK)
    }));
    let requests = [
        "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi",
    ];
    for request in requests {
        let stream = TcpStream::connect(server.url.trim_start_matches("http://"));
        let mut stream = stream.expect("connects");
        stream.set_read_timeout(Some(LONG)).expect("is set");
        stream.write_all(request.as_bytes()).expect("is sent");
        stream.shutdown(Shutdown::Write).expect("is open");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("is read");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    }
}

#[test]
fn a_client_comes_back_while_its_on_disconnect_waits() {
    let again = || {
        Server::builder().on("again", |socket: Socket| {
            let answer = socket.call::<i64>("back", &()).timeout(LONG).wait();
            answer.map(Reply)
        })
    };
    let first = started(again());
    let told = Reports::new();
    let reporter = told.reporter();
    let builder = Client::builder(first.url.as_str())
        .reconnection_delay(Duration::from_millis(10), Duration::from_millis(20))
        .offline(Offline::Buffer {
            packets: 1,
            bytes: 1_000,
        })
        .on("back", || Reply(7))
        .on_disconnect(move |socket: ClientSocket| {
            reporter.report(socket.call::<i64>("again", &()).timeout(LONG).wait());
        });
    let client = socketio_blocking::connect(builder).expect("connects");
    let address = first.url.trim_start_matches("http://").to_owned();
    drop(first.serving);
    let listener = std::net::TcpListener::bind(address).expect("binds");
    let _serving = socketio_blocking::start_server(listener, again().build()).expect("starts");
    assert_eq!(told.next(), Ok(7));
    drop(client);
}

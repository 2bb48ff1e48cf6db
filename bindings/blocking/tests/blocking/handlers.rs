//! What handlers may do: call back and forth, block, panic, and what order they keep.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use socketio_blocking::client::{ClientSocket, Offline};
use socketio_blocking::http::StatusCode;
use socketio_blocking::{Arg, Args, CallError, Client, Reply, RequestHead, Response, Server, Socket, Wait};

use crate::support::{Channel, ChannelSender, Latch, TIMEOUT, connected, started};

type Answer = Result<Reply<i64>, CallError>;

/// Calls `next` of the other side, and adds one to the answer.
fn server_calls(next: &'static str) -> impl Fn(Socket, Arg<i64>) -> Answer + Send + Sync + 'static {
    move |socket, Arg(number)| {
        Ok(Reply(
            socket.call::<i64>(next, &number).timeout(TIMEOUT).wait()? + 1,
        ))
    }
}

fn client_calls(next: &'static str) -> impl Fn(ClientSocket, Arg<i64>) -> Answer + Send + Sync + 'static {
    move |socket, Arg(number)| {
        Ok(Reply(
            socket.call::<i64>(next, &number).timeout(TIMEOUT).wait()? + 1,
        ))
    }
}

#[test]
fn calls_nest_in_both_directions() {
    let server = started(
        Server::builder()
            .on("first", server_calls("second"))
            .on("third", server_calls("fourth"))
            .on("fifth", |Arg(number): Arg<i64>| Reply(number * 100)),
    );
    let builder = Client::builder(server.url.as_str())
        .on("second", client_calls("third"))
        .on("fourth", client_calls("fifth"));
    let client = socketio_blocking::connect(builder).expect("connects");
    assert_eq!(client.call::<i64>("first", &7).timeout(TIMEOUT).wait(), Ok(704));

    let sockets = server.server.sockets().expect("is served");
    let [socket] = sockets.as_slice() else {
        panic!("there is one client")
    };
    assert_eq!(socket.call::<i64>("second", &7).timeout(TIMEOUT).wait(), Ok(703));
}

#[test]
fn events_overtake_a_handler_that_waits_but_not_in_a_serial_namespace() {
    let begun = Channel::new();
    let (first, second) = (begun.sender(), begun.sender());
    let ask = |socket: Socket| {
        let answer = socket.call::<()>("answer", &()).timeout(TIMEOUT).wait();
        socket.emit("done", &("ask", answer.is_ok()))
    };
    let other = |sender: ChannelSender<()>| {
        move |socket: Socket| {
            sender.send(());
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
        let (latch, asked, done) = (Latch::default(), Channel::new(), Channel::new());
        let (handler_latch, asked_sender, sender) = (latch.clone(), asked.sender(), done.sender());
        let builder = Client::builder(server.url.as_str()).namespace(namespace, |ns| {
            ns.on("answer", move || {
                asked_sender.send(());
                handler_latch.wait();
                Reply(())
            })
            .on("done", move |Args((name, is_ok)): Args<(String, bool)>| {
                assert!(is_ok);
                sender.send(name);
            })
        });
        let client = socketio_blocking::connect(builder).expect("connects");
        let socket = client.of(namespace).expect("is known");
        socket.emit("ask", &()).expect("is sent");
        socket.emit("other", &()).expect("is sent");
        asked.recv();
        if namespace == "/" {
            begun.recv();
        }
        latch.open();
        assert_eq!([done.recv(), done.recv()], expected, "{namespace}");
    }
}

#[test]
fn handlers_that_block_do_not_delay_others() {
    let (latch, blocked) = (Latch::default(), Channel::new());
    let (handler_latch, sender) = (latch.clone(), blocked.sender());
    let server = started(
        Server::builder()
            .on("block", move || {
                sender.send(());
                handler_latch.wait();
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
        blocked.recv();
    }
    let quick = connected(&server.url);
    for number in 0..50 {
        assert_eq!(
            quick.call::<i64>("echo", &number).timeout(TIMEOUT).wait(),
            Ok(number)
        );
    }
    latch.open();
    for client in &slow {
        assert_eq!(client.call::<i64>("echo", &1).timeout(TIMEOUT).wait(), Ok(1));
    }
}

#[test]
fn a_handler_that_panics_is_reported_and_ends_nothing() {
    let reports = Channel::new();
    let sender = reports.sender();
    let server = started(
        Server::builder()
            .on_error(move |report| sender.send(report.error().to_string()))
            .on("panic", || -> () { panic!("on purpose") })
            .on("echo", |Arg(number): Arg<i64>| Reply(number)),
    );
    let client = connected(&server.url);
    for number in 0..5 {
        client.emit("panic", &()).expect("is sent");
        assert!(reports.recv().contains("on purpose"));
        assert_eq!(
            client.call::<i64>("echo", &number).timeout(TIMEOUT).wait(),
            Ok(number)
        );
    }
}

#[test]
fn the_handlers_of_one_client_keep_their_order() {
    let seen = Channel::new();
    let (sender, last) = (seen.sender(), seen.sender());
    let server = started(
        Server::builder()
            .on("number", move |Arg(number): Arg<i64>| sender.send(number))
            .on_disconnect(move || last.send(-1)),
    );
    let client = connected(&server.url);
    for number in 0..500 {
        client.emit("number", &number).expect("is sent");
    }
    drop(client);
    let order: Vec<i64> = (0..501).map(|_| seen.recv()).collect();
    assert_eq!(order, (0..500).chain([-1]).collect::<Vec<_>>());
}

#[test]
fn a_client_that_closes_its_sending_direction_is_answered() {
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
        stream.set_read_timeout(Some(TIMEOUT)).expect("is set");
        stream.write_all(request.as_bytes()).expect("is sent");
        stream.shutdown(Shutdown::Write).expect("is open");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("is read");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    }
}

#[test]
fn a_client_reconnects_while_its_on_disconnect_waits() {
    let again = || {
        Server::builder().on("again", |socket: Socket| {
            let answer = socket.call::<i64>("back", &()).timeout(TIMEOUT).wait();
            answer.map(Reply)
        })
    };
    let first = started(again());
    let messages = Channel::new();
    let sender = messages.sender();
    let builder = Client::builder(first.url.as_str())
        .reconnection_delay(Duration::from_millis(10), Duration::from_millis(20))
        .offline(Offline::Buffer {
            packets: 1,
            bytes: 1_000,
        })
        .on("back", || Reply(7))
        .on_disconnect(move |socket: ClientSocket| {
            sender.send(socket.call::<i64>("again", &()).timeout(TIMEOUT).wait());
        });
    let client = socketio_blocking::connect(builder).expect("connects");
    let address = first.url.trim_start_matches("http://").to_owned();
    drop(first.serving);
    let listener = std::net::TcpListener::bind(address).expect("binds");
    let _serving = socketio_blocking::start_server(listener, again().build()).expect("starts");
    assert_eq!(messages.recv(), Ok(7));
    drop(client);
}

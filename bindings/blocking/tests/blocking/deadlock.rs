//! When all workers would wait, the call of the last one fails instead.

use socketio_blocking::client::ConnectError;
use socketio_blocking::net::{Connecting, Connector, Endpoint};
use socketio_blocking::{Arg, CallError, Client, Error, Reply, Server, Socket, Threads, Wait};

use crate::support::{Channel, ChannelSender, Latch, TIMEOUT, started, started_on};

fn threads(workers: usize) -> Threads {
    Threads::builder().workers(workers).build().expect("starts")
}

fn asking() -> socketio_blocking::ServerBuilder<socketio_blocking::Blocking> {
    Server::builder().on("ask", |socket: Socket, Arg(number): Arg<i64>| {
        Reply(
            match socket.call::<i64>("answer", &number).timeout(TIMEOUT).wait() {
                Ok(answer) => answer,
                Err(CallError::NotSent(Error::WouldDeadlock)) => -1,
                Err(other) => panic!("{other}"),
            },
        )
    })
}

#[test]
fn the_last_worker_may_not_wait() {
    let threads = threads(2);
    let server = started_on(&threads, asking());
    let (latch, asked) = (Latch::default(), Channel::new());
    let (handler_latch, sender) = (latch.clone(), asked.sender());
    let builder = Client::builder(server.url.as_str()).on("answer", move |Arg(number): Arg<i64>| {
        sender.send(());
        handler_latch.wait();
        Reply(number)
    });
    let first = socketio_blocking::connect(builder).expect("connects");
    let waiting = std::thread::spawn({
        let first = first.clone();
        move || first.call::<i64>("ask", &1).timeout(TIMEOUT).wait()
    });
    asked.recv();
    let second = socketio_blocking::connect(Client::builder(server.url.as_str())).expect("connects");
    assert_eq!(second.call::<i64>("ask", &2).timeout(TIMEOUT).wait(), Ok(-1));
    latch.open();
    assert_eq!(waiting.join().expect("ends"), Ok(1));
    // Nothing is left of it.
    assert_eq!(first.call::<i64>("ask", &3).timeout(TIMEOUT).wait(), Ok(3));
}

#[test]
fn a_single_worker_never_waits() {
    let threads = threads(1);
    let server = started_on(&threads, asking());
    let client = socketio_blocking::connect(Client::builder(server.url.as_str())).expect("connects");
    assert_eq!(client.call::<i64>("ask", &1).timeout(TIMEOUT).wait(), Ok(-1));

    let url = server.url;
    let outcomes = Channel::new();
    let sender = outcomes.sender();
    let builder = Server::builder().on("dial", move || {
        let connected = socketio_blocking::connect(Client::builder(url.as_str()));
        sender.send(connected.err());
    });
    let other = started_on(&threads, builder);
    let client = socketio_blocking::connect(Client::builder(other.url.as_str())).expect("connects");
    client.emit("dial", &()).expect("is sent");
    let text = Error::WouldDeadlock.to_string();
    assert_eq!(outcomes.recv(), Some(ConnectError::Runtime(text)));
}

/// Waits where it must not.
struct Waiting(Client, ChannelSender<Result<i64, CallError>>);

impl Connector for Waiting {
    fn connect(&self, _: &Endpoint) -> Connecting {
        let (client, sender) = (self.0.clone(), self.1.clone());
        Box::pin(async move {
            sender.send(client.call("echo", &1).timeout(TIMEOUT).wait());
            Err(std::io::Error::other("it was only asked"))
        })
    }
}

#[test]
fn the_io_thread_never_waits() {
    let server = started(Server::builder().on("echo", |Arg(number): Arg<i64>| Reply(number)));
    let outcomes = Channel::new();
    let client = socketio_blocking::connect(Client::builder(server.url.as_str())).expect("connects");
    let connector = Waiting(client.clone(), outcomes.sender());
    let builder = Client::builder(server.url.as_str()).connector(connector);
    let failed = socketio_blocking::connect(builder).expect_err("is only asked");
    assert!(failed.to_string().contains("it was only asked"), "{failed}");
    assert_eq!(outcomes.recv(), Err(CallError::NotSent(Error::WouldDeadlock)));
    assert_eq!(client.call::<i64>("echo", &2).timeout(TIMEOUT).wait(), Ok(2));
}

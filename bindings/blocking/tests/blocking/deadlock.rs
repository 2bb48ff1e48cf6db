//! When all workers would sleep, the last one hears that instead.

use socketio_blocking::client::ConnectError;
use socketio_blocking::{Arg, CallError, Client, Error, Reply, Server, Socket, Threads, Wait};

use crate::support::{Door, LONG, News, started_on};

fn threads(workers: usize) -> Threads {
    Threads::builder().workers(workers).build().expect("starts")
}

fn asking() -> socketio_blocking::ServerBuilder<socketio_blocking::Blocking> {
    Server::builder().on("ask", |socket: Socket, Arg(number): Arg<i64>| {
        Reply(match socket.call::<i64>("answer", &number).timeout(LONG).wait() {
            Ok(answer) => answer,
            Err(CallError::NotSent(Error::WouldDeadlock)) => -1,
            Err(other) => panic!("{other}"),
        })
    })
}

#[test]
fn the_last_worker_may_not_wait() {
    let threads = threads(2);
    let server = started_on(&threads, asking());
    let (door, asked) = (Door::default(), News::new());
    let (inside, teller) = (door.clone(), asked.teller());
    let builder = Client::builder(server.url.as_str()).on("answer", move |Arg(number): Arg<i64>| {
        teller.tell(());
        inside.pass();
        Reply(number)
    });
    let first = socketio_blocking::connect(builder).expect("connects");
    let waiting = std::thread::spawn({
        let first = first.clone();
        move || first.call::<i64>("ask", &1).timeout(LONG).wait()
    });
    asked.next();
    let second = socketio_blocking::connect(Client::builder(server.url.as_str())).expect("connects");
    assert_eq!(second.call::<i64>("ask", &2).timeout(LONG).wait(), Ok(-1));
    door.open();
    assert_eq!(waiting.join().expect("ends"), Ok(1));
    // Nothing is left of it.
    assert_eq!(first.call::<i64>("ask", &3).timeout(LONG).wait(), Ok(3));
}

#[test]
fn a_single_worker_never_waits() {
    let threads = threads(1);
    let server = started_on(&threads, asking());
    let client = socketio_blocking::connect(Client::builder(server.url.as_str())).expect("connects");
    assert_eq!(client.call::<i64>("ask", &1).timeout(LONG).wait(), Ok(-1));

    let url = server.url;
    let outcomes = News::new();
    let teller = outcomes.teller();
    let builder = Server::builder().on("dial", move || {
        let connected = socketio_blocking::connect(Client::builder(url.as_str()));
        teller.tell(connected.err());
    });
    let other = started_on(&threads, builder);
    let client = socketio_blocking::connect(Client::builder(other.url.as_str())).expect("connects");
    client.emit("dial", &()).expect("is sent");
    let text = Error::WouldDeadlock.to_string();
    assert_eq!(outcomes.next(), Some(ConnectError::Runtime(text)));
}

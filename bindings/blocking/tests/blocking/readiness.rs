//! Threads that sleep until their peer is ready for more.

use std::time::Duration;

use socketio_blocking::{Arg, Args, Client, Error, Limits, Server, Socket, Threads, Wait, connect_simple};

use crate::support::{Channel, Latch, TIMEOUT, connected, started, started_on};

const PIECE: usize = 64 * 1024;
/// More than the kernel buffers for a peer that does not read.
const PIECES: usize = 512;

fn tight_limits() -> Limits {
    let mut limits = Limits::default();
    limits.queued_bytes = limits.ready_bytes + 2 * PIECE;
    limits
}

#[test]
fn a_handler_that_waits_sends_any_amount_while_its_client_is_served() {
    let failed = Channel::new();
    let sender = failed.sender();
    let builder = Server::builder()
        .limits(tight_limits())
        .on("all", move |socket: Socket| {
            let filler = "x".repeat(PIECE);
            let send = |number| {
                socket.ready().wait()?;
                socket.emit("piece", &(number, &filler))
            };
            sender.send((0..PIECES).find_map(|number| send(number).err()));
        })
        .on("request", |socket: Socket| socket.emit("response", &()));
    let threads = Threads::builder().workers(2).build().expect("starts");
    let server = started_on(&threads, builder);
    let (latch, received) = (Latch::default(), Channel::new());
    let (handler_latch, sender) = (latch.clone(), received.sender());
    let builder = Client::builder(server.url.as_str()).serial().on(
        "piece",
        move |Args((number, _)): Args<(usize, String)>| {
            if number == 0 {
                handler_latch.wait();
            }
            sender.send(number);
        },
    );
    let client = socketio_blocking::connect(builder).expect("connects");
    client.emit("all", &()).expect("is sent");
    // Its handler waits, and the other worker serves this client and others.
    client.emit("request", &()).expect("is sent");
    assert_eq!(failed.within(Duration::from_millis(300)), None);
    let other = connect_simple(server.url.as_str()).expect("connects");
    other.emit("request", &()).expect("is sent");
    assert_eq!(other.recv_timeout(TIMEOUT).expect("comes").name(), "response");
    latch.open();
    for number in 0..PIECES {
        assert_eq!(received.recv(), number);
    }
    assert_eq!(failed.recv(), None);
}

#[test]
fn a_ready_client_is_not_waited_for_and_a_closed_one_is_never_ready() {
    let outcomes = Channel::new();
    let sender = outcomes.sender();
    let threads = Threads::builder().workers(1).build().expect("starts");
    let builder = Server::builder().on("ask", move |socket: Socket| {
        sender.send(socket.ready().wait());
        socket.disconnect()?;
        sender.send(socket.ready().wait());
        Ok::<_, Error>(())
    });
    let server = started_on(&threads, builder);
    let client = connected(&server.url);
    assert_eq!(client.ready().wait(), Ok(()));
    client.emit("ask", &()).expect("is sent");
    assert_eq!(outcomes.recv(), Ok(()));
    assert_eq!(outcomes.recv(), Err(Error::Disconnected));
    client.closed();
    assert_eq!(client.ready().wait(), Err(Error::Disconnected));
}

#[test]
fn the_last_worker_may_not_wait_until_a_client_is_ready() {
    let outcomes = Channel::new();
    let sender = outcomes.sender();
    let threads = Threads::builder().workers(1).build().expect("starts");
    let builder = Server::builder()
        .limits(tight_limits())
        .on("all", move |socket: Socket| {
            let filler = "x".repeat(PIECE);
            let send = || {
                socket.ready().wait()?;
                socket.emit("piece", &filler)
            };
            sender.send((0..PIECES).find_map(|_| send().err()));
        });
    let server = started_on(&threads, builder);
    let latch = Latch::default();
    let handler_latch = latch.clone();
    let builder = Client::builder(server.url.as_str())
        .serial()
        .on("piece", move |Arg(_): Arg<String>| handler_latch.wait());
    let client = socketio_blocking::connect(builder).expect("connects");
    client.emit("all", &()).expect("is sent");
    assert_eq!(outcomes.recv(), Some(Error::WouldDeadlock));
    latch.open();
    client.disconnect();
}

#[test]
fn a_simple_client_emits_no_faster_than_its_server_reads() {
    let (latch, received) = (Latch::default(), Channel::new());
    let (handler_latch, sender) = (latch.clone(), received.sender());
    let builder = Server::builder().on("piece", move |Args((number, _)): Args<(usize, String)>| {
        if number == 0 {
            handler_latch.wait();
        }
        sender.send(number);
    });
    let server = started(builder.serial());
    let builder = socketio_blocking::SimpleClient::builder(server.url.as_str()).limits(tight_limits());
    let client = connect_simple(builder).expect("connects");
    let sending = std::thread::spawn(move || {
        let filler = "x".repeat(PIECE);
        for number in 0..PIECES {
            client.emit("piece", &(number, &filler))?;
        }
        client.disconnect();
        Ok::<_, Error>(())
    });
    std::thread::sleep(Duration::from_millis(300));
    assert!(!sending.is_finished());
    latch.open();
    for number in 0..PIECES {
        assert_eq!(received.recv(), number);
    }
    assert_eq!(sending.join().expect("ends"), Ok(()));
}

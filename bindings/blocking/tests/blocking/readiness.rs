//! Threads that sleep until their peer is ready for more.

use std::time::Duration;

use socketio_blocking::{Arg, Args, Client, Error, Limits, Server, Socket, Threads, Wait, connect_simple};

use crate::support::{LONG, Latch, Reports, connected, started, started_on};

const PIECE: usize = 64 * 1024;
/// More than the kernel takes off the hands of who sends to somebody that does not read.
const PIECES: usize = 512;

fn tight() -> Limits {
    let mut limits = Limits::default();
    limits.queued_bytes = limits.ready_bytes + 2 * PIECE;
    limits
}

#[test]
fn a_handler_that_waits_sends_any_amount_and_its_client_is_heard_meanwhile() {
    let failed = Reports::new();
    let reporter = failed.reporter();
    let builder = Server::builder()
        .limits(tight())
        .on("all", move |socket: Socket| {
            let filler = "x".repeat(PIECE);
            let send = |number| {
                socket.ready().wait()?;
                socket.emit("piece", &(number, &filler))
            };
            reporter.report((0..PIECES).find_map(|number| send(number).err()));
        })
        .on("knock", |socket: Socket| socket.emit("heard", &()));
    let threads = Threads::builder().workers(2).build().expect("starts");
    let server = started_on(&threads, builder);
    let (latch, heard) = (Latch::default(), Reports::new());
    let (blocked_on, reporter) = (latch.clone(), heard.reporter());
    let builder = Client::builder(server.url.as_str()).serial().on(
        "piece",
        move |Args((number, _)): Args<(usize, String)>| {
            if number == 0 {
                blocked_on.wait();
            }
            reporter.report(number);
        },
    );
    let client = socketio_blocking::connect(builder).expect("connects");
    client.emit("all", &()).expect("is sent");
    // Its handler sleeps, and the worker that is left hears this client and others.
    client.emit("knock", &()).expect("is sent");
    assert_eq!(failed.within(Duration::from_millis(300)), None);
    let other = connect_simple(server.url.as_str()).expect("connects");
    other.emit("knock", &()).expect("is sent");
    assert_eq!(other.recv_timeout(LONG).expect("comes").name(), "heard");
    latch.open();
    for number in 0..PIECES {
        assert_eq!(heard.next(), number);
    }
    assert_eq!(failed.next(), None);
}

#[test]
fn who_is_ready_is_not_waited_for_and_who_is_gone_is_never_ready() {
    let outcomes = Reports::new();
    let reporter = outcomes.reporter();
    let threads = Threads::builder().workers(1).build().expect("starts");
    let builder = Server::builder().on("ask", move |socket: Socket| {
        reporter.report(socket.ready().wait());
        socket.disconnect()?;
        reporter.report(socket.ready().wait());
        Ok::<_, Error>(())
    });
    let server = started_on(&threads, builder);
    let client = connected(&server.url);
    assert_eq!(client.ready().wait(), Ok(()));
    client.emit("ask", &()).expect("is sent");
    assert_eq!(outcomes.next(), Ok(()));
    assert_eq!(outcomes.next(), Err(Error::Disconnected));
    client.closed();
    assert_eq!(client.ready().wait(), Err(Error::Disconnected));
}

#[test]
fn the_last_worker_may_not_wait_until_a_client_is_ready() {
    let outcomes = Reports::new();
    let reporter = outcomes.reporter();
    let threads = Threads::builder().workers(1).build().expect("starts");
    let builder = Server::builder()
        .limits(tight())
        .on("all", move |socket: Socket| {
            let filler = "x".repeat(PIECE);
            let send = || {
                socket.ready().wait()?;
                socket.emit("piece", &filler)
            };
            reporter.report((0..PIECES).find_map(|_| send().err()));
        });
    let server = started_on(&threads, builder);
    let latch = Latch::default();
    let blocked_on = latch.clone();
    let builder = Client::builder(server.url.as_str())
        .serial()
        .on("piece", move |Arg(_): Arg<String>| blocked_on.wait());
    let client = socketio_blocking::connect(builder).expect("connects");
    client.emit("all", &()).expect("is sent");
    assert_eq!(outcomes.next(), Some(Error::WouldDeadlock));
    latch.open();
    client.disconnect();
}

#[test]
fn a_simple_client_emits_no_faster_than_its_server_reads() {
    let (latch, heard) = (Latch::default(), Reports::new());
    let (blocked_on, reporter) = (latch.clone(), heard.reporter());
    let builder = Server::builder().on("piece", move |Args((number, _)): Args<(usize, String)>| {
        if number == 0 {
            blocked_on.wait();
        }
        reporter.report(number);
    });
    let server = started(builder.serial());
    let builder = socketio_blocking::SimpleClient::builder(server.url.as_str()).limits(tight());
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
        assert_eq!(heard.next(), number);
    }
    assert_eq!(sending.join().expect("ends"), Ok(()));
}

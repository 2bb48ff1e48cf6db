//! Every transport, text and binary, acknowledgements in both directions, TLS and Unix sockets.

use socketio_blocking::client::TransportOrder;
use socketio_blocking::{
    Arg, Args, Blocking, Bytes, Client, Reply, Server, ServerBuilder, Socket, Transport, Wait,
};

use crate::support::{LONG, News, started};

fn echo() -> ServerBuilder<Blocking> {
    Server::builder()
        .on("echo", |Args((number, data)): Args<(i64, Bytes)>| {
            Reply((number, data))
        })
        .on("tell", |socket: Socket, Arg(text): Arg<String>| {
            socket.emit("told", &text)
        })
        .on("ask", |socket: Socket, Arg(number): Arg<i64>| {
            let answer: i64 = socket.call("double", &number).timeout(LONG).wait()?;
            Ok::<_, socketio_blocking::CallError>(Reply(answer + 1))
        })
}

fn talk(order: TransportOrder, ends_on: Transport) {
    let server = started(echo());
    let told = News::new();
    let teller = told.teller();
    let builder = Client::builder(server.url.as_str())
        .transports(order)
        .on("double", |Arg(number): Arg<i64>| Reply(2 * number))
        .on("told", move |Arg(text): Arg<String>| drop(teller.send(text)));
    let client = socketio_blocking::connect(builder).expect("connects");
    let data = Bytes::from(vec![7; 100_000]);
    let (number, back): (i64, Bytes) = client
        .emit_with_ack("echo", &(41, data.clone()))
        .timeout(LONG)
        .wait()
        .expect("answers")
        .parse()
        .expect("has the shape");
    assert_eq!((number, back), (41, data));
    client.emit("tell", "grüße").expect("is sent");
    assert_eq!(told.next(), "grüße");
    assert_eq!(client.call::<i64>("ask", &20).timeout(LONG).wait(), Ok(41));
    let events = client.events();
    if client.transport() != Some(ends_on) {
        let upgraded = events.into_iter().find(|_| client.transport() == Some(ends_on));
        assert!(upgraded.is_some(), "the client is gone");
        assert_eq!(client.call::<i64>("ask", &1).timeout(LONG).wait(), Ok(3));
    }
}

#[test]
fn polling() {
    talk(TransportOrder::Polling, Transport::Polling);
}

#[test]
fn websocket() {
    talk(TransportOrder::WebSocket, Transport::WebSocket);
}

#[test]
fn upgrade() {
    talk(TransportOrder::PollingFirst, Transport::WebSocket);
}

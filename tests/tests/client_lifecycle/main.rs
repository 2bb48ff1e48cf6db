//! Clients against our own server, from connecting to closing: their events, their calls, how they end, and the simple
//! client.

mod calls;
mod connection;
mod ending;
mod faults;
mod simple;

use std::time::Duration;

use socketio_tests::binding::Binding;
use socketio_tests::live::{LocalServer, within};
use socketio_tokio::client::{Client, ClientBuilder, Reconnection, TransportOrder};
use socketio_tokio::{Arg, Arguments, Async, Reply, Server, ServerBuilder, Socket};

const ORDERS: [TransportOrder; 3] = [
    TransportOrder::Polling,
    TransportOrder::WebSocket,
    TransportOrder::PollingFirst,
];

/// The server of all tests: it echoes in acknowledgements and in events, counts, and calls its client.
fn app() -> ServerBuilder<Async> {
    Server::builder()
        .namespace("/", |main| {
            main.on("echo", |arguments: Arguments| Reply(arguments))
                .on("never", async || std::future::pending::<()>().await)
                .on("say", |socket: Socket, arguments: Arguments| {
                    socket.emit("said", &arguments)
                })
                .on("count to", |socket: Socket, Arg(end): Arg<u32>| {
                    (1..=end).try_for_each(|number| socket.emit("number", &number))
                })
                .on("ask", async |socket: Socket, question: Arguments| {
                    match socket.emit_with_ack("question", &question).await {
                        Ok(answer) => socket.emit("answer", &answer),
                        Err(_) => socket.emit("no answer", &()),
                    }
                })
        })
        .namespace("/other", |other| {
            other
                .on("echo", |arguments: Arguments| Reply(arguments))
                .on("say", |socket: Socket, arguments: Arguments| {
                    socket.emit("said", &arguments)
                })
        })
}

/// A client that reconnects quickly.
fn client(server: &LocalServer, order: TransportOrder) -> ClientBuilder<Async> {
    Client::builder(server.url())
        .transports(order)
        .reconnection(quickly())
}

fn quickly() -> Reconnection {
    let mut reconnection = Reconnection::default();
    reconnection.min = Duration::from_millis(20);
    reconnection.max = Duration::from_millis(100);
    reconnection
}

async fn connect(binding: Binding, builder: ClientBuilder<Async>) -> Client {
    let client = within("the connection", binding.connect(builder)).await;
    client.unwrap_or_else(|error| panic!("could not connect: {error}"))
}

//! A server and a client in one process, joined by nothing but buffers, on a clock that is a variable: an hour of
//! heartbeats passes in no time. Whatever either of them does is done here, so nothing else can be hidden in them.
//!
//! ```text
//! cargo run --example embed
//! ```

// core/clippy.toml forbids the core to read the clock. Somebody has to say what the first instant is.
#![allow(clippy::disallowed_methods)]

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use socketio_core::eio::client::TransportOrder;
use socketio_core::http::Headers;
use socketio_core::sio::client::{self, Client, Security, Target};
use socketio_core::sio::{self, ConnId, Encoder, Event, Peer, Server, SocketIo};
use socketio_core::wire::{ClientItem, ClientWire, Wire};
use socketio_core::{OutBuf, Text};

struct World {
    now: Instant,
    encoder: Encoder,
    client: Client,
    server: Server,
    /// What would be a socket at each end.
    connection: Option<(ConnId, ClientWire<SocketIo>, ConnId, Wire<SocketIo>)>,
    answers: Vec<Text>,
    pings: usize,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What the client's application does; whether there was anything to do.
fn client_application(world: &mut World) -> Outcome<bool> {
    let World { now, client, .. } = world;
    let Some(event) = client.poll_event() else {
        return Ok(false);
    };
    match event {
        client::Event::Attempt { .. } => {
            let (authority, security) = ("localhost".to_owned(), Security::Plain);
            let (query, headers) = (Vec::new(), Headers::new());
            client.proceed(
                *now,
                Target {
                    authority,
                    security,
                    query,
                    headers,
                },
            );
        }
        client::Event::Joining { namespace } => {
            client.join(*now, namespace, &world.encoder.raw_connect("/", None)?);
        }
        client::Event::Joined { namespace, .. } => {
            let question = world.encoder.event("/", "sum", &[1, 2, 3])?;
            client.emit_with_ack(*now, namespace, &question, *now + Duration::from_secs(1))?;
        }
        client::Event::Acked { outcome, .. } => world.answers.push(outcome?.text().into()),
        _ => {}
    }
    Ok(true)
}

/// What the server's application does; whether there was anything to do.
fn server_application(world: &mut World) -> Outcome<bool> {
    let Some(event) = world.server.poll_event() else {
        return Ok(false);
    };
    match event {
        Event::Connect { socket, .. } => drop(world.server.accept(world.now, socket)),
        Event::Event {
            arguments,
            ack: Some(token),
            ..
        } => {
            let (numbers,): (Vec<i64>,) = arguments.parse()?;
            let answer = world.encoder.ack("/", token.id(), &numbers.iter().sum::<i64>())?;
            world.server.ack(world.now, token, &answer)?;
        }
        _ => {}
    }
    Ok(true)
}

/// Makes the connection that the client wants, and carries bytes both ways; whether there were any.
fn network(world: &mut World) -> bool {
    let World {
        now, client, server, ..
    } = world;
    if let Some(dial) = client.poll_dial() {
        client.handle_open(*now, dial.connection);
        let accepted = server.open(*now, Peer::Unknown);
        world.connection = Some((dial.connection, client.wire(), accepted, server.wire()));
    }
    let Some((here, near, there, far)) = &mut world.connection else {
        return false;
    };
    let (mut asked, mut answered) = (OutBuf::new(), OutBuf::new());
    client.poll_transmit(*here, near);
    let _ = near.poll_output(&mut asked);
    let has_asked = !asked.is_empty();
    far.handle_input(&mut bytes(&mut asked));
    while let Some(item) = far.poll_item() {
        server.handle_item(*now, *there, item);
    }
    server.poll_transmit(*there, far);
    let _ = far.poll_output(&mut answered);
    let has_answered = !answered.is_empty();
    near.handle_input(&mut bytes(&mut answered));
    while let Some(item) = near.poll_item() {
        world.pings += usize::from(matches!(item, ClientItem::Ping(_)));
        client.handle_item(*now, *here, item);
    }
    has_asked || has_answered
}

fn bytes(output: &mut OutBuf) -> BytesMut {
    let mut bytes = BytesMut::new();
    output.take(output.len(), |piece| bytes.extend_from_slice(piece));
    bytes
}

fn main() -> Outcome<()> {
    let now = Instant::now();
    let mut config = client::Config::default();
    config.engine.transports = TransportOrder::WebSocket;
    let mut world = World {
        now,
        encoder: Encoder::new(),
        client: Client::new(config, [1; 32], now),
        server: Server::new(sio::Config::default(), [2; 32], now),
        connection: None,
        answers: Vec::new(),
        pings: 0,
    };
    world.server.add_namespace("/")?;
    world.client.add_namespace(now, "/")?;
    world.client.connect(now);
    while world.now < now + Duration::from_secs(60 * 60) {
        if client_application(&mut world)? || server_application(&mut world)? || network(&mut world) {
            continue;
        }
        // Nobody has anything to say before the next deadline, so that is when it is now.
        let deadlines = [world.client.poll_timeout(), world.server.poll_timeout()];
        world.now = deadlines
            .into_iter()
            .flatten()
            .min()
            .ok_or("both wait for ever")?;
        world.client.handle_timeout(world.now);
        world.server.handle_timeout(world.now);
    }
    assert_eq!(world.answers, ["6"]);
    assert_eq!((world.server.counts().sockets, world.pings), (1, 143));
    println!(
        "the sum is {}; {} pings later both are well",
        world.answers[0], world.pings
    );
    Ok(())
}

#[test]
fn two_cores_talk_without_any_input_or_output() {
    main().unwrap();
}

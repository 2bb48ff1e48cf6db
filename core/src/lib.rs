//! Socket.IO and Engine.IO as pure state machines: a server and a client that open no socket, start no thread, take
//! no lock, read no clock and ask nobody for randomness. Whoever has connections drives them, whatever they are
//! made of. What follows speaks of servers; [clients](#clients) are driven alike.
//!
//! Applications mostly want a *binding*, which drives it for them. This page is for everybody else: from it an
//! event loop of one's own can be written.
//!
//! "Protocol section N" in this documentation cites the project's protocol notes, which are kept outside of this
//! repository; what they say follows Engine.IO 4 and Socket.IO 5 as published.
//!
//! # Layers
//!
//! ```text
//!   bytes ⇄  wire::Wire         one for each connection: HTTP/1.1, WebSocket frames, polling payloads
//!    items ⇄  eio::Server       sessions: handshake, heartbeat, polling and its upgrade to WebSocket
//!   events ⇄   sio::Server      namespaces, sockets, acknowledgements, rooms
//!               the application
//! ```
//!
//! | module | of use alone for |
//! | --- | --- |
//! | [`sio`] | Socket.IO; its [`Server`](sio::Server) and [`Client`](sio::Client) contain those of [`eio`] |
//! | [`eio`] | Engine.IO without Socket.IO: messages over WebSocket or polling, whichever gets through |
//! | [`wire`] | the bytes of one connection; needs no server or client to parse and nothing shared |
//! | [`http`], [`ws`], [`json`] | request heads and bodies; frames; a validator and verbatim JSON with attachments |
//!
//! # Verbs
//!
//! | prefix | meaning | examples |
//! | --- | --- | --- |
//! | `handle_` | the outside world did something; never fails | [`handle_item`], [`handle_lost`] |
//! | none | the application wants something | [`accept`], [`emit`], [`broadcast`], [`ack`], [`emit_with_ack`], [`join`], [`respond`] |
//! | `poll_` | takes one thing out, until `None` | [`poll_item`], [`poll_event`], [`poll_ready`] |
//!
//! [`accept`]: sio::Server::accept
//! [`ack`]: sio::Server::ack
//! [`broadcast`]: sio::Server::broadcast
//! [`emit`]: sio::Server::emit
//! [`emit_with_ack`]: sio::Server::emit_with_ack
//! [`handle_input`]: wire::Wire::handle_input
//! [`handle_item`]: sio::Server::handle_item
//! [`handle_lost`]: sio::Server::handle_lost
//! [`handle_peer`]: sio::Server::handle_peer
//! [`handle_timeout`]: sio::Server::handle_timeout
//! [`join`]: sio::Server::join
//! [`poll_event`]: sio::Server::poll_event
//! [`poll_item`]: wire::Wire::poll_item
//! [`poll_output`]: wire::Wire::poll_output
//! [`poll_peer`]: sio::Server::poll_peer
//! [`poll_ready`]: sio::Server::poll_ready
//! [`poll_timeout`]: sio::Server::poll_timeout
//! [`poll_transmit`]: sio::Server::poll_transmit
//! [`respond`]: sio::Server::respond
//!
//! Nothing here blocks, and no order of calls panics or corrupts anything. What is asked late comes late; what is
//! never asked never comes. So:
//!
//! | after | call |
//! | --- | --- |
//! | [`handle_input`] | [`poll_item`] until `None`, or until others should have their turn; [`handle_item`] for each |
//! | [`handle_item`] | [`poll_transmit`] for its connection: no second request before the first is answered |
//! | any `handle_*` or plain verb | [`poll_event`] until `None`; [`poll_ready`] until `None` |
//! | [`poll_ready`] | [`poll_transmit`] for that connection |
//! | [`poll_transmit`] | [`poll_output`] and write; [`poll_item`], because an answer lets the next request in; [`poll_event`] |
//! | writing | [`poll_output`], [`poll_transmit`] and [`poll_item`] again, see below |
//! | everything | [`poll_timeout`], and [`handle_timeout`] when that time has come |
//! | [peers](sio::Server::add_peer), if any | [`poll_peer`] until `None`, and [`handle_peer`] over there |
//!
//! After writing, `poll_output` counts what is left unwritten, and others depend on that: a
//! [volatile](sio::Delivery::Volatile) event is dropped unless all before it was written; long queues wait in the
//! server, where they are bounded; an application that waits until a client is
//! [ready](sio::Server::watch_ready) for more is told; and who does not read the answers to its requests is heard no
//! further.
//!
//! `poll_output` also says how to go on:
//!
//! | [`Flow`](wire::Flow) | what the owner of the connection does |
//! | --- | --- |
//! | `Open` | reads on |
//! | `Paused` | reads while [`buffered`](wire::Wire::buffered) is small, so that the end of the stream is seen |
//! | `Closing` | writes what is left, shuts its sending side down, reads until the peer has too, for a few seconds |
//!
//! However a connection ends, [`handle_lost`] says so. Handles ([`ConnId`](sio::ConnId),
//! [`SocketId`](sio::SocketId), …) carry a generation: on a stale one every verb does nothing.
//!
//! # Buffers, time and chance are arguments
//!
//! * *Input*: the caller reads into a [`BytesMut`](bytes::BytesMut) and lends it; `handle_input` leaves it empty.
//!   Messages are slices of that memory, unmasked in place. Once they are dropped it can be
//!   [reclaimed](bytes::BytesMut::try_reclaim), so a few buffers serve any number of connections.
//! * *Output*: the caller owns an [`OutBuf`] for each connection, writes from
//!   [`chunks_vectored`](OutBuf::chunks_vectored) and takes off what was written with [`advance`](OutBuf::advance).
//! * *Packets*: the caller owns an [`Encoder`](sio::Encoder), one for each thread; one
//!   [`Encoded`](sio::Encoded) packet serves any number of recipients.
//! * *Time*: `now` is the first argument of whatever depends on it. What is due by then happens first, so results
//!   do not depend on whether a timer or a socket woke up first. A clock that goes back is ignored.
//! * *Chance*: all ids follow from the seed. Take it from the operating system, or fix it and replay.
//! * *Bounds*: whatever a peer could make large has a bound in [`Limits`].
//!
//! # A session by hand
//!
//! A server, a connection that exists only here, and a client that is a handful of bytes:
//!
//! ```
//! use bytes::BytesMut;
//! use socketio_core::OutBuf;
//! use socketio_core::sio::{Config, Delivery, Encoder, Event, Peer, Server};
//! use std::time::Instant;
//!
//! let now = Instant::now();
//! let mut server = Server::new(Config::default(), [7; 32], now);
//! server.add_namespace("/")?;
//! let mut encoder = Encoder::new();
//!
//! let connection = server.open(now, Peer::Unknown);
//! let mut wire = server.wire();
//!
//! // Clients mask what they send; a mask of zeros leaves it as it is.
//! let frame = |text: &str| [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0], text.as_bytes()].concat();
//! let upgrade = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n\
//!     Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
//!     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
//! let join = frame("40");
//! let event = frame(r#"42["say","hello"]"#);
//!
//! for bytes in [upgrade.as_bytes(), &join, &event] {
//!     wire.handle_input(&mut BytesMut::from(bytes));
//!     while let Some(item) = wire.poll_item() {
//!         server.handle_item(now, connection, item);
//!         while let Some(event) = server.poll_event() {
//!             match event {
//!                 Event::Connect { socket, .. } => drop(server.accept(now, socket)),
//!                 Event::Event { socket, namespace, name, arguments, .. } => {
//!                     let namespace = server.namespace_name(namespace).expect("it is where the event came from");
//!                     let packet = encoder.event(namespace.as_str(), name.as_str(), &arguments)?;
//!                     server.emit(now, socket, &packet, Delivery::Reliable)?;
//!                 }
//!                 _ => {}
//!             }
//!         }
//!         server.poll_transmit(connection, &mut wire);
//!     }
//! }
//!
//! let mut output = OutBuf::new();
//! let _ = wire.poll_output(&mut output);
//! let mut sent = String::new();
//! output.take(output.len(), |piece| sent.push_str(&String::from_utf8_lossy(piece)));
//! assert!(sent.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
//! assert!(sent.contains(r#"0{"sid":""#) && sent.contains(r#"40{"sid":""#));
//! assert!(sent.ends_with(r#"42["say","hello"]"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A loop over sockets
//!
//! `examples/epoll.rs` beside this crate's sources is the same for any number of real connections: edge-triggered
//! readiness from `mio`, one thread, no runtime. It serves both [`sio::Server`] and [`eio::Server`], passes this
//! project's conformance cases, and is meant to be taken over into programs that have a loop already. `run` repeats:
//!
//! | `Loop::` | what it does | verbs |
//! | --- | --- | --- |
//! | `patience` | sleeps until a socket or a deadline is due | [`poll_timeout`] |
//! | `handle_deadlines` | tells the server the time; cuts off who did not close in time | [`handle_timeout`], [`handle_lost`] |
//! | `handle_readiness` | notes what the system says, and that the connection wants a turn | |
//! | `accept` | makes connections; pauses when the system has no room for more | [`try_open`], [`wire`] |
//! | `take_turns` | gives each of those connections one turn | see below |
//! | `settle` | tells the application what is new; writes what others have for whom | [`poll_event`], [`poll_ready`] |
//!
//! A turn is short, so that nobody waits long for others; who has more to do gets another one in the next round.
//!
//! | `Connection::` | what it does | verbs |
//! | --- | --- | --- |
//! | `may_read` | while an answer is due, or the peer does not read, only a little is read ahead | [`buffered`] |
//! | `read` | reads once, into the one buffer that all connections share | [`handle_input`] |
//! | `hand_over` | takes up to 64 items and lets the application answer each | [`poll_item`], [`handle_item`], [`poll_event`] |
//! | `flush` | writes until nothing is left or the system takes no more | [`poll_transmit`], [`poll_output`], [`recycle`] |
//! | `close` | shuts the sending side down, and says until when the peer may end its own | |
//!
//! Two things are easily forgotten. `flush` asks for output once more *after* each write, which is what makes it count
//! as written; and where a write or an answer lets the next request in, `hand_over` comes again, because its bytes are
//! here already and no readiness will tell of them.
//!
//! [`buffered`]: wire::Wire::buffered
//! [`try_open`]: sio::Server::try_open
//! [`recycle`]: sio::Server::recycle
//! [`wire`]: sio::Server::wire
//!
//! # Behind somebody else's HTTP
//!
//! A host that parsed HTTP itself makes a [`RequestHead`](http::RequestHead) of each request, and a wire of its
//! own for it. The verbs are the same; in place of bytes, bodies go in and replies come out.
//!
//! ```
//! use socketio_core::http::RequestHead;
//! use socketio_core::sio::{Config, Peer, Server};
//! use socketio_core::wire::Reply;
//! use std::time::Instant;
//!
//! let now = Instant::now();
//! let mut server = Server::new(Config::default(), [7; 32], now);
//! server.add_namespace("/")?;
//!
//! let target = "/socket.io/?EIO=4&transport=polling";
//! let head = RequestHead::from_parts("GET", target, [("host", &b"localhost"[..])])?;
//! let connection = server.open(now, Peer::Unknown);
//! let mut wire = server.hosted_wire(head);
//! while let Some(item) = wire.poll_item() {
//!     server.handle_item(now, connection, item);
//!     server.poll_transmit(connection, &mut wire);
//! }
//! if let Some(limit) = wire.wants_body() {
//!     // A POST: `wire.handle_body` takes the body, or why there is none within the limit, and the loop above
//!     // runs again, beginning with the item that `handle_body` returns.
//! #   unreachable!("{limit}");
//! }
//! match wire.poll_reply() {
//!     Some(Reply::Response(response)) => assert_eq!(response.status().as_u16(), 200),
//!     // Send the response; what the connection carries from then on is for `handle_input` and `poll_output`.
//!     Some(Reply::Upgrade(_)) => unreachable!("nobody asked for a WebSocket"),
//!     // A poll that waits: ask again whenever `poll_ready` names the connection. If the client goes away
//!     // meanwhile, that is `handle_lost`; so it is after a response was sent.
//!     None => unreachable!("handshakes are answered at once"),
//! }
//! server.handle_lost(now, connection);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

//! # Clients
//!
//! | in place of | a client has | |
//! | --- | --- | --- |
//! | [`wire::Wire`] | [`wire::ClientWire`] | one for each connection: requests and masked frames out, answers and frames in |
//! | [`eio::Server`] | [`eio::Client`] | one session at a time; what it emits waits in a queue that is bounded |
//! | [`sio::Server`] | [`sio::Client`] | namespaces, acknowledgements, reconnection, delivery at least once; see [its states](sio::client) |
//!
//! Everything said above about verbs, buffers, time, chance and bounds holds for them. What differs:
//!
//! | | what the owner of connections does |
//! | --- | --- |
//! | [`poll_dial`](sio::Client::poll_dial) | makes a connection, with TLS if it is to be secure, and says [`handle_open`](sio::Client::handle_open), or [`handle_lost`](sio::Client::handle_lost) when it can not be made. Long-polling and upgrades need several at a time |
//! | [`is_wanted`](sio::Client::is_wanted) | asks it of every connection that [`poll_ready`](sio::Client::poll_ready) names: a dial nobody wants any more is given up, with `handle_lost` |
//! | [`wire`](sio::Client::wire) | takes a new one for each connection |
//! | [`handle_end`](wire::ClientWire::handle_end) | calls it when the server has ended its side, and takes the last items, before `handle_lost` |
//! | [`Event::Attempt`](sio::client::Event::Attempt) | says where to connect to: [`proceed`](sio::Client::proceed), or [`abandon`](sio::Client::abandon) |
//! | [`Event::Joining`](sio::client::Event::Joining) | says with what credentials: [`join`](sio::Client::join) |
//!
//! The first comes for every attempt, the second for each namespace whenever there is a session, so that a token that
//! has expired can be another one. Both may be answered at any later time.
//!
//! A client and a server that talk to each other without any network. `examples/embed.rs` is such a program in
//! full, with an hour of heartbeats on a clock that is a variable.
//!
//! ```
//! use bytes::BytesMut;
//! use socketio_core::OutBuf;
//! use socketio_core::eio::client::TransportOrder;
//! use socketio_core::http::Headers;
//! use socketio_core::sio::client::{self, Client, Security, Target};
//! use socketio_core::sio::{self, Encoder, Peer, Server};
//! use std::time::{Duration, Instant};
//!
//! /// What was written on one side is read on the other.
//! fn carry(output: &mut OutBuf) -> BytesMut {
//!     let mut bytes = BytesMut::new();
//!     output.take(output.len(), |piece| bytes.extend_from_slice(piece));
//!     bytes
//! }
//!
//! let now = Instant::now();
//! let mut encoder = Encoder::new();
//! let mut server = Server::new(sio::Config::default(), [7; 32], now);
//! server.add_namespace("/")?;
//! let mut config = client::Config::default();
//! config.engine.transports = TransportOrder::WebSocket; // One connection is enough.
//! let mut client = Client::new(config, [8; 32], now);
//! let main = client.add_namespace(now, "/")?;
//! client.connect(now);
//!
//! let (mut connection, mut output, mut answer) = (None, OutBuf::new(), None);
//! while answer.is_none() {
//!     while let Some(event) = client.poll_event() {
//!         match event {
//!             client::Event::Attempt { .. } => {
//!                 let (authority, security) = ("localhost".to_owned(), Security::Plain);
//!                 let (query, headers) = (Vec::new(), Headers::new());
//!                 client.proceed(now, Target { authority, security, query, headers });
//!             }
//!             client::Event::Joining { namespace } => {
//!                 let packet = encoder.raw_connect("/", Some(br#"{"token":"secret"}"#))?;
//!                 client.join(now, namespace, &packet);
//!             }
//!             client::Event::Joined { .. } => {
//!                 let packet = encoder.event("/", "double", &21)?;
//!                 client.emit_with_ack(now, main, &packet, now + Duration::from_secs(5))?;
//!             }
//!             client::Event::Acked { outcome, .. } => answer = Some(outcome?.parse::<(i32,)>()?),
//!             client::Event::Failed { reason, .. } => panic!("{reason}"),
//!             _ => {}
//!         }
//!     }
//!     if let Some(dial) = client.poll_dial() {
//!         assert!(client.handle_open(now, dial.connection));
//!         let there = server.open(now, Peer::Unknown);
//!         connection = Some((dial.connection, client.wire(), there, server.wire()));
//!     }
//!     let Some((here, wire, there, server_wire)) = &mut connection else { continue };
//!
//!     client.poll_transmit(*here, wire);
//!     let _ = wire.poll_output(&mut output);
//!     server_wire.handle_input(&mut carry(&mut output));
//!     while let Some(item) = server_wire.poll_item() {
//!         server.handle_item(now, *there, item);
//!         server.poll_transmit(*there, server_wire);
//!     }
//!     while let Some(event) = server.poll_event() {
//!         match event {
//!             sio::Event::Connect { socket, .. } => drop(server.accept(now, socket)),
//!             sio::Event::Event { arguments, ack: Some(token), .. } => {
//!                 let (number,) = arguments.parse::<(i32,)>()?;
//!                 let packet = encoder.ack("/", token.id(), &(2 * number))?;
//!                 server.ack(now, token, &packet)?;
//!             }
//!             _ => {}
//!         }
//!     }
//!     server.poll_transmit(*there, server_wire);
//!     let _ = server_wire.poll_output(&mut output);
//!     wire.handle_input(&mut carry(&mut output));
//!     while let Some(item) = wire.poll_item() {
//!         client.handle_item(now, *here, item);
//!         client.poll_transmit(*here, wire);
//!     }
//! }
//! assert_eq!(answer, Some((42,)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod eio;
pub mod http;
pub mod json;
pub mod sio;
pub mod wire;
pub mod ws;

mod buffer;
pub use buffer::{OutBuf, SHARE_FROM};

mod id;
pub use id::Sid;

mod limits;
pub use limits::Limits;

mod text;
pub use text::Text;

mod slab;
mod timer;

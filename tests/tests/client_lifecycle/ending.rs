//! How a client ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketio_core::sio::client::Reason;
use socketio_tests::binding::Binding;
use socketio_tests::live::{LocalServer, eventually, within};
use socketio_tokio::client::{ClientReason, ClientSocket};
use socketio_tokio::{Arg, Socket};
use tokio::sync::mpsc;

use crate::{ORDERS, app, client, connect};

socketio_tests::on_every_client![
    a_disconnect_sends_what_was_emitted_before,
    dropping_the_last_handle_does_the_same,
    a_socket_of_a_handle_keeps_the_client_alive_and_one_of_a_handler_does_not,
    closed_resolves_for_all_who_wait_before_and_after,
    disconnecting_during_an_attempt_ends_it_at_once,
    connecting_and_disconnecting_call_their_handlers_once_each,
];

/// A server that notes numbers, and its notes.
fn noting_server() -> (LocalServer, Arc<Mutex<Vec<u32>>>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&notes);
    let server = LocalServer::open(app().on("note", move |Arg(number): Arg<u32>| {
        noted.lock().expect("nobody panics").push(number);
    }));
    (server, notes)
}

async fn assert_all_arrive(server: &LocalServer, notes: &Mutex<Vec<u32>>) {
    eventually("the client is gone", || {
        server.handle.sockets().is_ok_and(|all| all.is_empty())
    })
    .await;
    eventually("all events arrived", || {
        notes.lock().expect("nobody panics").len() >= 1_000
    })
    .await;
    let notes = std::mem::take(&mut *notes.lock().expect("nobody panics"));
    assert!(notes.into_iter().eq(0..1_000), "lost, repeated or out of order");
}

fn a_disconnect_sends_what_was_emitted_before(binding: Binding) {
    binding.run_test(|| async {
        let (server, notes) = noting_server();
        for order in ORDERS {
            let client = connect(binding, client(&server, order)).await;
            for number in 0..1_000_u32 {
                client.emit("note", &number).expect("it is connected");
            }
            client.disconnect();
            assert_eq!(
                within("the end", client.closed()).await.kind,
                Reason::ClientDisconnect
            );
            assert!(client.emit("note", &7).is_err());
            assert_all_arrive(&server, &notes).await;
        }
    });
}

fn dropping_the_last_handle_does_the_same(binding: Binding) {
    binding.run_test(|| async {
        let (server, notes) = noting_server();
        for order in ORDERS {
            let client = connect(binding, client(&server, order)).await;
            for number in 0..1_000_u32 {
                client.emit("note", &number).expect("it is connected");
            }
            drop(client);
            assert_all_arrive(&server, &notes).await;
        }
    });
}

fn a_socket_of_a_handle_keeps_the_client_alive_and_one_of_a_handler_does_not(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let stored: Arc<Mutex<Option<ClientSocket>>> = Arc::default();
        let store = Arc::clone(&stored);
        let builder = client(&server, ORDERS[2]).on_connect(move |socket: ClientSocket| {
            *store.lock().expect("nobody panics") = Some(socket);
        });
        let client = connect(binding, builder).await;
        let socket = client.of("/").expect("it is always there");
        drop(client);
        assert_eq!(within("an echo", socket.call("echo", &1)).await, Ok(1));
        drop(socket);
        eventually("the client is gone", || {
            server.handle.sockets().is_ok_and(|all| all.is_empty())
        })
        .await;
        let of_handler = stored
            .lock()
            .expect("nobody panics")
            .take()
            .expect("it was connected");
        assert!(of_handler.emit("say", &1).is_err());
        assert!(!of_handler.connected());
    });
}

fn closed_resolves_for_all_who_wait_before_and_after(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let client = connect(binding, client(&server, ORDERS[1])).await;
        let waiting: Vec<_> = (0..5).map(|_| tokio::spawn(client.closed())).collect();
        client.disconnect();
        for waiting in waiting {
            let reason = within("the end", waiting).await.expect("it does not panic");
            assert_eq!(reason.kind, Reason::ClientDisconnect);
        }
        assert_eq!(
            within("the end", client.closed()).await.kind,
            Reason::ClientDisconnect
        );
    });
}

fn disconnecting_during_an_attempt_ends_it_at_once(binding: Binding) {
    binding.run_test(|| async {
        let silent = socketio_tests::live::ScriptedServer::start(|client| client.wait_for_end());
        for order in ORDERS {
            let connections = silent.connections();
            let builder = socketio_tokio::client::Client::builder(silent.url()).transports(order);
            let client = binding
                .start(builder.connect_timeout(Duration::from_secs(600)))
                .expect("it starts");
            eventually("it dials", || silent.connections() > connections).await;
            client.disconnect();
            within("the end", client.closed()).await;
            drop(client);
        }
    });
}

fn connecting_and_disconnecting_call_their_handlers_once_each(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app().on("leave me", |socket: Socket| socket.disconnect()));
        for order in ORDERS {
            let (sender, mut calls) = mpsc::unbounded_channel();
            let (joined, left) = (sender.clone(), sender);
            let builder = client(&server, order)
                .on_connect(move || drop(joined.send("joined".to_owned())))
                .on_disconnect(move |reason: ClientReason| drop(left.send(format!("{:?}", reason.kind))));
            let client = connect(binding, builder).await;
            let mut next = async || {
                within("a handler", calls.recv())
                    .await
                    .expect("the handlers still exist")
            };
            assert_eq!(next().await, "joined");
            client.emit("leave me", &()).expect("it is connected");
            assert_eq!(next().await, "ServerDisconnect");
            within("the end", client.closed()).await;
            client.connect();
            assert_eq!(next().await, "joined");
            client.disconnect();
            assert_eq!(next().await, "ClientDisconnect");
            within("the end", client.closed()).await;
            drop(client);
            let end = within("the handlers' end", calls.recv()).await;
            assert_eq!(end, None, "nothing keeps the handlers");
        }
    });
}

//! Who leaves, and what the other side learns of it.
//!
//! That everything emitted before leaving arrives is tested with our own server alone: `socket.io` ignores events that
//! it reads together with the DISCONNECT behind them.

use socketio_core::sio::client::Reason;
use socketio_tests::live::{event_channel, eventually, within};
use socketio_tokio::client::ClientReason;
use tokio::sync::mpsc;

use crate::support::{At, cases};

cases![
    the_server_takes_the_client_out_and_it_comes_back_when_asked,
    the_server_learns_that_the_client_left,
];

async fn the_server_takes_the_client_out_and_it_comes_back_when_asked(at: At) {
    let (sender, mut left) = mpsc::unbounded_channel();
    let builder = at
        .client()
        .on_disconnect(move |reason: ClientReason| drop(sender.send(reason)));
    let client = at.connect(builder).await;
    client.emit("disconnect-me", &()).expect("it is connected");
    let reason = within("the disconnection", left.recv())
        .await
        .expect("the handler lives");
    assert_eq!(reason.kind, Reason::ServerDisconnect);
    assert!(!reason.will_reconnect());
    assert_eq!(
        within("the end", client.closed()).await.kind,
        Reason::ServerDisconnect
    );
    client.connect();
    eventually("it is connected again", || client.connected()).await;
    assert_eq!(within("an echo", client.call("echo-ack", &1)).await, Ok(1));
}

async fn the_server_learns_that_the_client_left(at: At) {
    let (gone, mut those_gone) = event_channel();
    let watcher = at.connect(at.client().on("gone", gone.handler())).await;
    let client = at.plain().await;
    let id = client.id().expect("it is connected").to_string();
    let watching = watcher.call::<()>("watch", &id);
    // Its answer carries nothing, whatever type that is.
    let _ = within("the watch", watching).await;
    client.disconnect();
    assert_eq!(
        within("the end", client.closed()).await.kind,
        Reason::ClientDisconnect
    );
    assert_eq!(those_gone.first::<String>().await, id);
}

//! Disconnecting, from either side, and what the other side learns of it.
//!
//! That everything emitted before disconnecting arrives is tested with our own server alone: `socket.io` ignores events that
//! it reads together with the DISCONNECT behind them.

use socketio_core::sio::client::Reason;
use socketio_tests::live::{event_channel, eventually, within};
use socketio_tokio::client::ClientReason;
use tokio::sync::mpsc;

use crate::support::{Setup, cases};

cases![
    the_server_disconnects_the_client_which_connects_again_when_told,
    the_server_learns_that_the_client_disconnected,
];

async fn the_server_disconnects_the_client_which_connects_again_when_told(setup: Setup) {
    let (sender, mut left) = mpsc::unbounded_channel();
    let builder = setup
        .client()
        .on_disconnect(move |reason: ClientReason| drop(sender.send(reason)));
    let client = setup.connect(builder).await;
    client.emit("disconnect-me", &()).expect("it is connected");
    let reason = within("the disconnection", left.recv())
        .await
        .expect("the handler still exists");
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

async fn the_server_learns_that_the_client_disconnected(setup: Setup) {
    let (gone, mut those_gone) = event_channel();
    let watcher = setup.connect(setup.client().on("gone", gone.handler())).await;
    let client = setup.plain().await;
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

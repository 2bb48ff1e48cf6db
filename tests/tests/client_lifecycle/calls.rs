//! Calls that are dropped, and calls that can not be answered any more.

use std::pin::Pin;
use std::time::Duration;

use socketio_tests::binding::Binding;
use socketio_tests::live::{LocalServer, within};
use socketio_tokio::client::Client;
use socketio_tokio::{Call, CallError, Limits};

use crate::{ORDERS, app, client, connect};

socketio_tests::on_every_client![
    a_call_that_is_dropped_gives_its_place_back,
    calls_end_when_the_client_is_disconnected,
    calls_end_when_the_connection_is_lost,
];

/// A small limit, so that a call that is not forgotten soon shows.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.pending_acks = 10;
    limits
}

/// A call that was sent, and is never answered.
async fn pending_call(client: &Client) -> Pin<Box<Call<()>>> {
    let call = client.call::<()>("never", &()).timeout(Duration::from_secs(600));
    let mut call = Box::pin(call);
    assert!(
        tokio::time::timeout(Duration::from_millis(1), &mut call)
            .await
            .is_err()
    );
    call
}

fn a_call_that_is_dropped_gives_its_place_back(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        for order in ORDERS {
            let client = connect(binding, client(&server, order).limits(limits())).await;
            let forever = Duration::from_secs(600);
            let mut pending = Vec::new();
            for _ in 0..10 {
                pending.push(pending_call(&client).await);
            }
            let one_more = within("the refusal", client.call::<u32>("echo", &1)).await;
            assert!(matches!(one_more, Err(CallError::NotSent(_))), "{one_more:?}");
            drop(pending);
            for number in 0..50_u32 {
                let call = client.call::<()>("never", &number).timeout(forever);
                let _ = tokio::time::timeout(Duration::from_millis(1), call).await;
            }
            assert_eq!(within("an echo", client.call("echo", &2)).await, Ok(2));
        }
    });
}

fn calls_end_when_the_client_is_disconnected(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        for order in ORDERS {
            let client = connect(binding, client(&server, order)).await;
            let mut calls = Vec::new();
            for _ in 0..10 {
                calls.push(pending_call(&client).await);
            }
            client.disconnect();
            for call in calls {
                let outcome = within("the end of a call", call).await;
                assert_eq!(outcome, Err(CallError::Disconnected));
            }
            let late = within("the refusal", client.call::<u32>("echo", &1)).await;
            assert!(late.is_err());
        }
    });
}

fn calls_end_when_the_connection_is_lost(binding: Binding) {
    binding.run_test(|| async {
        for order in ORDERS {
            let server = LocalServer::open(app());
            let client = connect(binding, client(&server, order)).await;
            let call = pending_call(&client).await;
            assert_eq!(within("an echo", client.call("echo", &1)).await, Ok(1));
            server.close();
            let outcome = within("the end of the call", call).await;
            assert_eq!(outcome, Err(CallError::Disconnected));
        }
    });
}

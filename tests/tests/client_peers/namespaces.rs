//! Several namespaces on one connection, and those that refuse the client.

use serde_json::{Value, json};
use socketio_tests::live::{Peer, event_channel, within};
use socketio_tokio::client::{ConnectError, ConnectionEvent};

use crate::support::{Setup, cases};

cases![
    namespaces_share_the_connection,
    a_refusal_says_why,
    a_refusal_leaves_the_others,
    a_namespace_that_does_not_exist,
    a_guard_accepts_known_tokens_only,
];

async fn namespaces_share_the_connection(setup: Setup) {
    let (main_sender, mut main) = event_channel();
    let (custom_sender, mut custom) = event_channel();
    let (welcome, mut welcomes) = event_channel();
    let builder = setup
        .client()
        .on("echo", main_sender.handler())
        .namespace("/custom", |namespace| {
            namespace
                .on("echo", custom_sender.handler())
                .on("welcome", welcome.handler())
        });
    let client = setup.connect(builder).await;
    let socket = client.of("/custom").expect("it is one of them");
    assert_eq!(socket.namespace_name(), "/custom");
    let welcome: Value = welcomes.first().await;
    assert_eq!(
        welcome["sid"].as_str(),
        socket.id().as_ref().map(|id| id.as_str())
    );
    if setup.peer != Peer::Socketioxide {
        assert_ne!(socket.id(), client.id());
    }
    socket.emit("echo", &"custom").expect("it is joined");
    assert_eq!(custom.first::<String>().await, "custom");
    client.emit("echo", &"main").expect("it is joined");
    assert_eq!(main.first::<String>().await, "main");
    assert!(custom.drain().is_empty());
    // Leaving one does not leave the other.
    socket.disconnect();
    assert_eq!(within("an echo", client.call("echo-ack", &1)).await, Ok(1));
    assert!(!socket.connected());
}

async fn a_refusal_says_why(setup: Setup) {
    let builder = setup.client().namespace("/deny", |namespace| namespace);
    let refused = within("the refusal", setup.binding.connect(builder)).await;
    let Err(ConnectError::Refused(refusals)) = refused else {
        panic!("{:?}", refused.map(drop));
    };
    let [(namespace, refusal)] = &refusals[..] else {
        panic!("{refusals:?}")
    };
    assert_eq!(namespace, "/deny");
    assert_eq!(refusal.message(), "not allowed");
    if setup.peer != Peer::Socketioxide {
        let data: Value = refusal.data().expect("it has data").parse().expect("JSON");
        assert_eq!(data, json!({"code": 7}));
    }
}

async fn a_refusal_leaves_the_others(setup: Setup) {
    let client = setup
        .binding
        .start(
            setup
                .client()
                .namespace("/", |main| main)
                .namespace("/deny", |namespace| namespace),
        )
        .expect("it starts");
    let mut events = client.events();
    let (mut joined, mut refused) = (false, false);
    while !(joined && refused) {
        match within("an event", events.next())
            .await
            .expect("the client still exists")
        {
            ConnectionEvent::Joined { namespace, .. } => {
                assert_eq!(namespace.as_str(), "/");
                joined = true;
            }
            ConnectionEvent::Refused {
                namespace, message, ..
            } => {
                assert_eq!((namespace.as_str(), &*message), ("/deny", "not allowed"));
                refused = true;
            }
            ConnectionEvent::Connecting { .. }
            | ConnectionEvent::Connected { .. }
            | ConnectionEvent::Upgraded => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(within("an echo", client.call("echo-ack", &1)).await, Ok(1));
}

async fn a_namespace_that_does_not_exist(setup: Setup) {
    let builder = setup.client().namespace("/nowhere", |namespace| namespace);
    let refused = within("the refusal", setup.binding.connect(builder)).await;
    let Err(ConnectError::Refused(refusals)) = refused else {
        panic!("{:?}", refused.map(drop));
    };
    assert_eq!(refusals[0].0, "/nowhere");
}

async fn a_guard_accepts_known_tokens_only(setup: Setup) {
    let (welcome, mut welcomes) = event_channel();
    let builder = setup.client().namespace("/auth", |namespace| {
        namespace
            .auth(&json!({"token": "secret"}))
            .on("welcome", welcome.handler())
    });
    let client = setup.connect(builder).await;
    assert_eq!(welcomes.first::<Value>().await["user"], "ada");
    drop(client);
    for auth in [json!({"token": "wrong"}), json!({})] {
        let builder = setup
            .client()
            .namespace("/auth", |namespace| namespace.auth(&auth));
        let refused = within("the refusal", setup.binding.connect(builder)).await;
        let Err(ConnectError::Refused(refusals)) = refused else {
            panic!("{:?}", refused.map(drop));
        };
        assert_eq!(
            (&*refusals[0].0, refusals[0].1.message()),
            ("/auth", "invalid token")
        );
    }
}

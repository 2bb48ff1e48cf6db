//! Events both ways.

use serde_json::{Value, json};
use socketio_tests::live::{event_channel, within};
use socketio_tokio::args;
use socketio_tokio::client::{Incoming, SimpleClient, TransportOrder};

use crate::support::{Mode, Setup, cases};

cases![
    the_server_sees_auth_and_the_ids_agree,
    values_come_back_as_they_were,
    five_hundred_events_keep_their_order,
    a_burst_does_not_end_the_session,
    large_text,
    more_than_the_server_takes_is_refused_here,
    broadcasts_reach_all_clients,
    a_simple_client_emits_calls_and_receives,
];

fn values() -> Vec<Value> {
    vec![
        json!("text"),
        json!(1),
        json!(-2.5),
        json!(true),
        Value::Null,
        json!({"a": [1, {"b": "c"}]}),
        json!([]),
        json!("zażółć 🦀 \" \\ \u{2028}"),
    ]
}

async fn the_server_sees_auth_and_the_ids_agree(setup: Setup) {
    let auth = json!({"token": "hello", "nested": [1, {"deep": true}]});
    let (welcome, mut welcomes) = event_channel();
    let client = setup
        .connect(setup.client().auth(&auth).on("welcome", welcome.handler()))
        .await;
    let welcome: Value = welcomes.first().await;
    assert_eq!(welcome["auth"], auth);
    assert_eq!(
        welcome["sid"].as_str(),
        client.id().as_ref().map(|id| id.as_str())
    );
    assert!(client.connected());
    let seen: Value = within("whoami", client.call("whoami", &()))
        .await
        .expect("it answers");
    assert_eq!(seen, auth);
}

async fn values_come_back_as_they_were(setup: Setup) {
    let (echo, mut echoes) = event_channel();
    let client = setup.connect(setup.client().on("echo", echo.handler())).await;
    let values = values();
    let [a, b, c, d, e, f, g, h] = &values[..] else {
        panic!("eight")
    };
    client
        .emit("echo", &args![a, b, c, d, e, f, g, h])
        .expect("it is connected");
    let back = echoes.next().await;
    let back: Vec<Value> = back.iter().map(|raw| raw.parse().expect("JSON")).collect();
    assert_eq!(back, values);
    client.emit("echo", &()).expect("it is connected");
    assert!(echoes.next().await.is_empty());
}

async fn five_hundred_events_keep_their_order(setup: Setup) {
    let (echo, mut echoes) = event_channel();
    let client = setup.connect(setup.client().on("echo", echo.handler())).await;
    for number in 0..500 {
        client.emit("echo", &number).expect("it is connected");
        if number % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for number in 0..500 {
        assert_eq!(echoes.first::<i32>().await, number);
    }
}

/// Packets that are emitted at once share polling bodies, of which python-socketio takes 16 packets.
async fn a_burst_does_not_end_the_session(setup: Setup) {
    let (welcome, mut welcomes) = event_channel();
    let client = setup
        .connect(setup.client().on("welcome", welcome.handler()))
        .await;
    welcomes.next().await;
    let id = client.id();
    let calls: Vec<_> = (0..200)
        .map(|number| client.call::<i32>("echo-ack", &number))
        .collect();
    for (number, call) in (0..).zip(calls) {
        assert_eq!(within("an echo", call).await, Ok(number));
    }
    assert_eq!(client.id(), id);
    assert!(welcomes.drain().is_empty(), "it had to connect again");
}

async fn large_text(setup: Setup) {
    let client = setup.plain().await;
    // Servers in Python write it as 380 kB of escapes.
    let text = "ż🦀x".repeat(20_000);
    let back: String = within("the echo", client.call("echo-ack", &text))
        .await
        .expect("it answers");
    assert!(back == text);
}

/// All these servers announce in the handshake that they take a million bytes.
async fn more_than_the_server_takes_is_refused_here(setup: Setup) {
    let client = setup.plain().await;
    let text = "x".repeat(2_000_000);
    assert!(client.emit("echo", &text).is_err());
    assert!(
        within("the refusal", client.call::<String>("echo-ack", &text))
            .await
            .is_err()
    );
    assert_eq!(within("an echo", client.call("echo-ack", &1)).await, Ok(1));
}

async fn broadcasts_reach_all_clients(setup: Setup) {
    let (left_sender, mut left) = event_channel();
    let (right_sender, mut right) = event_channel();
    let sender = setup
        .connect(setup.client().on("announced", left_sender.handler()))
        .await;
    let other = setup
        .connect(setup.client().on("announced", right_sender.handler()))
        .await;
    let mine = format!("news of {:?}", sender.id());
    sender.emit("announce", &mine).expect("it is connected");
    // Other cases announce, too.
    while left.first::<String>().await != mine {}
    while right.first::<String>().await != mine {}
    drop(other);
}

async fn a_simple_client_emits_calls_and_receives(setup: Setup) {
    let order = match setup.mode {
        Mode::Polling => TransportOrder::Polling,
        Mode::WebSocket => TransportOrder::WebSocket,
        Mode::Upgrade => TransportOrder::PollingFirst,
    };
    let builder = SimpleClient::builder(setup.url()).transports(order);
    let connecting = setup.binding.connect_simple(builder);
    let client = within("the connection", connecting).await.expect("it connects");
    let welcome = next(&client).await;
    assert_eq!(welcome.name(), "welcome");
    assert_eq!(
        within("an echo", client.call::<String>("echo-ack", &"hi"))
            .await
            .expect("it answers"),
        "hi"
    );
    client.emit("ask", &"what?").await.expect("it is connected");
    let question = next(&client).await;
    assert_eq!((question.name(), question.wants_ack()), ("question", true));
    assert_eq!(question.arg::<String>().expect("a text"), "what?");
    question.ack(&"that").expect("it is connected");
    let answer = next(&client).await;
    assert_eq!(answer.name(), "answer");
    assert_eq!(answer.arg::<String>().expect("a text"), "that");
    within("the end", client.disconnect()).await;
}

/// The next event that is not the announcement of another case.
async fn next(client: &SimpleClient) -> Incoming {
    loop {
        let event = within("an event", client.recv()).await.expect("it is connected");
        if event.name() != "announced" {
            return event;
        }
    }
}

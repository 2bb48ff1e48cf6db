//! Acknowledgements both ways.

use std::time::Duration;

use serde_json::{Value, json};
use socketio_tests::live::{event_channel, within};
use socketio_tokio::client::ClientSocket;
use socketio_tokio::{Ack, Arg, Arguments, Bytes, CallError, Reply};

use crate::support::{Setup, cases};

cases![
    the_server_acknowledges,
    the_server_acknowledges_with_an_attachment,
    an_event_without_a_handler_times_out,
    two_hundred_calls_at_once,
    delivered_at_least_once,
    a_handler_acknowledges,
    a_handler_acknowledges_with_an_attachment,
    an_async_handler_acknowledges_later,
    a_handler_calls_back,
    the_server_gives_up_on_an_ack,
];

async fn the_server_acknowledges(setup: Setup) {
    let client = setup.plain().await;
    let asked = client.emit_with_ack("echo-ack", &(1, "two", json!({"three": 3})));
    let answer = within("an acknowledgement", asked).await.expect("it answers");
    let answer: (i32, String, Value) = answer.parse().expect("three arguments");
    assert_eq!(answer, (1, "two".to_owned(), json!({"three": 3})));
    let nothing = within("an acknowledgement", client.emit_with_ack("echo-ack", &())).await;
    assert!(nothing.expect("it answers").is_empty());
}

async fn the_server_acknowledges_with_an_attachment(setup: Setup) {
    let client = setup.plain().await;
    let bytes = Bytes::from_static(&[0, 30, 255]);
    let answer: (String, Bytes) = within(
        "an acknowledgement",
        client.emit_with_ack("echo-ack", &("bytes", &bytes)),
    )
    .await
    .expect("it answers")
    .parse()
    .expect("two arguments");
    assert_eq!(answer, ("bytes".to_owned(), bytes));
}

async fn an_event_without_a_handler_times_out(setup: Setup) {
    let client = setup.plain().await;
    let call = client
        .call::<()>("no-such-event", &1)
        .timeout(Duration::from_millis(200));
    assert_eq!(
        within("the time to be over", call).await,
        Err(CallError::TimedOut)
    );
}

async fn two_hundred_calls_at_once(setup: Setup) {
    let client = setup.plain().await;
    let calls: Vec<_> = (0..200)
        .map(|number| tokio::spawn(client.call::<u32>("echo-ack", &number)))
        .collect();
    for (number, call) in (0..).zip(calls) {
        let answer = within("an acknowledgement", call)
            .await
            .expect("it does not panic");
        assert_eq!(answer, Ok(number));
    }
}

async fn delivered_at_least_once(setup: Setup) {
    let client = setup.plain().await;
    let delivery = client
        .deliver("echo-ack", &"order")
        .ack_timeout(Duration::from_secs(5))
        .retries(3);
    let answer = within("the delivery", delivery).await.expect("it is delivered");
    assert_eq!(answer.first::<String>().expect("a text"), "order");
}

async fn a_handler_acknowledges(setup: Setup) {
    let (answer, mut answers) = event_channel();
    let builder = setup.client().on("answer", answer.handler());
    let builder = builder.on("question", |Arg(question): Arg<Value>| {
        Reply((question, "and", json!({"more": [1]})))
    });
    let client = setup.connect(builder).await;
    client
        .emit("ask", &json!({"what": "?"}))
        .expect("it is connected");
    let answer: (Value, String, Value) = answers.next().await.parse().expect("three arguments");
    assert_eq!(
        answer,
        (json!({"what": "?"}), "and".to_owned(), json!({"more": [1]}))
    );
}

async fn a_handler_acknowledges_with_an_attachment(setup: Setup) {
    let (answer, mut answers) = event_channel();
    let builder = setup.client().on("answer", answer.handler());
    let client = setup
        .connect(builder.on("question", |question: Arguments| Reply(question)))
        .await;
    let bytes = Bytes::from_static(&[30, 0, 255]);
    client.emit("ask", &bytes).expect("it is connected");
    assert_eq!(answers.first::<Bytes>().await, bytes);
}

async fn an_async_handler_acknowledges_later(setup: Setup) {
    let (answer, mut answers) = event_channel();
    let builder = setup.client().on("answer", answer.handler());
    let client = setup
        .connect(builder.on("question", async |Arg(number): Arg<i64>| {
            // This timer works on every runtime.
            smol::Timer::after(Duration::from_millis(50)).await;
            Reply(number + 1)
        }))
        .await;
    client.emit("ask", &41).expect("it is connected");
    assert_eq!(answers.first::<i64>().await, 42);
}

async fn a_handler_calls_back(setup: Setup) {
    let (answer, mut answers) = event_channel();
    let builder = setup.client().on("answer", answer.handler());
    let client = setup
        .connect(
            builder.on("question", async |socket: ClientSocket, Arg(number): Arg<i64>| {
                socket.call::<i64>("echo-ack", &(number * 2)).await.map(Reply)
            }),
        )
        .await;
    client.emit("ask", &21).expect("it is connected");
    assert_eq!(answers.first::<i64>().await, 42);
}

async fn the_server_gives_up_on_an_ack(setup: Setup) {
    let (late, mut given_up) = event_channel();
    let builder = setup.client().on("no-answer", late.handler());
    // It keeps the acknowledgement and never sends it.
    let client = setup
        .connect(builder.on("question", |ack: Ack| std::mem::forget(ack)))
        .await;
    client.emit("ask-briefly", &"anyone?").expect("it is connected");
    assert!(given_up.next().await.is_empty());
}

//! The simple client.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_core::Stream;
use socketio_tests::binding::Binding;
use socketio_tests::live::{LocalServer, eventually, within};
use socketio_tokio::client::{Incoming, RecvError, SimpleClient, SimpleClientBuilder, TransportOrder};
use socketio_tokio::{CallError, Error};

use crate::{ORDERS, app, quickly};

socketio_tests::on_every_client![
    it_emits_calls_and_receives,
    receiving_may_have_a_time_limit,
    it_acknowledges_what_it_received,
    it_is_a_stream,
    it_uses_several_namespaces,
    a_full_inbox_loses_the_oldest_and_reports_it_once,
    it_waits_through_a_reconnection,
    what_is_sent_between_disconnecting_and_connecting_again_waits_for_the_connection,
    emitting_in_a_namespace_that_was_left_for_good_fails,
    emitting_in_a_namespace_that_is_left_meanwhile_fails,
];

fn builder(server: &LocalServer, order: TransportOrder) -> SimpleClientBuilder {
    SimpleClient::builder(server.url())
        .transports(order)
        .reconnection(quickly())
}

async fn connect(binding: Binding, builder: SimpleClientBuilder) -> SimpleClient {
    let client = within("the connection", binding.connect_simple(builder)).await;
    client.unwrap_or_else(|error| panic!("could not connect: {error}"))
}

async fn recv(client: &SimpleClient) -> Incoming {
    within("an event", client.recv()).await.expect("it is connected")
}

fn it_emits_calls_and_receives(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        for order in ORDERS {
            let client = connect(binding, builder(&server, order)).await;
            assert!(client.connected() && client.id().is_some());
            client.emit("say", &("one", 2)).await.expect("it is connected");
            let event = recv(&client).await;
            assert_eq!(
                (event.namespace(), event.name(), event.wants_ack()),
                ("/", "said", false)
            );
            assert_eq!(
                event.args::<(String, u32)>().expect("two arguments"),
                ("one".to_owned(), 2)
            );
            assert_eq!(event.arg::<String>().expect("the first"), "one");
            assert_eq!(within("an echo", client.call::<u32>("echo", &3)).await, Ok(3));
            let echo = within("an echo", client.emit_with_ack("echo", &(4, 5)))
                .await
                .expect("it answers");
            assert_eq!(echo.parse::<(u32, u32)>().expect("two arguments"), (4, 5));
            within("the end", client.disconnect()).await;
            assert!(matches!(
                within("the end", client.recv()).await,
                Err(RecvError::Disconnected)
            ));
            assert!(client.emit("say", &1).await.is_err());
        }
    });
}

fn receiving_may_have_a_time_limit(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let client = connect(binding, builder(&server, TransportOrder::WebSocket)).await;
        let nothing = within("the time limit", client.recv_timeout(Duration::from_millis(50))).await;
        assert!(matches!(nothing, Err(RecvError::TimedOut)));
        client.emit("say", &1).await.expect("it is connected");
        let event = client
            .recv_timeout(Duration::from_secs(10))
            .await
            .expect("it comes");
        assert_eq!(event.name(), "said");
    });
}

fn it_acknowledges_what_it_received(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        for order in ORDERS {
            let client = connect(binding, builder(&server, order)).await;
            client.emit("ask", &"what?").await.expect("it is connected");
            let question = recv(&client).await;
            assert!(question.wants_ack());
            question.ack(&("that", 1)).expect("it is connected");
            let answer = recv(&client).await;
            assert_eq!(answer.name(), "answer");
            assert_eq!(
                answer.args::<(String, u32)>().expect("two arguments"),
                ("that".to_owned(), 1)
            );
        }
    });
}

fn it_is_a_stream(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let mut client = connect(binding, builder(&server, TransportOrder::WebSocket)).await;
        client.emit("count to", &20).await.expect("it is connected");
        for number in 1..=20_u32 {
            let next = within("an event", poll_fn(|task| Pin::new(&mut client).poll_next(task))).await;
            let event = next.expect("the stream goes on").expect("nothing was missed");
            assert_eq!(event.arg::<u32>().expect("a number"), number);
        }
        within("the end", client.disconnect()).await;
        let end = within("the end", poll_fn(|task| Pin::new(&mut client).poll_next(task))).await;
        assert!(matches!(end, None | Some(Err(RecvError::Disconnected))));
    });
}

fn it_uses_several_namespaces(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        for order in ORDERS {
            let client = connect(
                binding,
                builder(&server, order).namespace("/").namespace("/other"),
            )
            .await;
            let other = client.in_ns("/other");
            assert!(other.connected());
            assert_eq!(within("an echo", other.call::<u32>("echo", &1)).await, Ok(1));
            other.emit("say", &"there").await.expect("it is joined");
            let event = recv(&client).await;
            assert_eq!(
                (event.namespace(), event.arg::<String>().expect("a text")),
                ("/other", "there".to_owned())
            );
            client.emit("say", &"here").await.expect("it is joined");
            assert_eq!(recv(&client).await.namespace(), "/");
            let refused = within("the refusal", client.in_ns("/nowhere").call::<u32>("echo", &1)).await;
            assert!(matches!(refused, Err(CallError::NotSent(_))), "{refused:?}");
        }
    });
}

fn a_full_inbox_loses_the_oldest_and_reports_it_once(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let client = connect(binding, builder(&server, TransportOrder::WebSocket).inbox(10)).await;
        client.emit("count to", &100).await.expect("it is connected");
        // Its answer comes after all of them; handlers may put the last into the inbox a little later.
        assert_eq!(within("an echo", client.call::<u32>("echo", &1)).await, Ok(1));
        let (mut lost, mut received) = (0, 0_u64);
        while lost + received < 100 {
            match within("an event or a loss", client.recv()).await {
                Ok(event) => {
                    received += 1;
                    // Those before it were received in order, or reported as lost.
                    assert_eq!(event.arg::<u64>().expect("a number"), lost + received);
                }
                Err(RecvError::Lagged(count)) => lost += count,
                Err(other) => panic!("{other}"),
            }
        }
        assert!(lost > 0 && received >= 10, "{lost} are lost, {received} came");
        client.emit("say", &1).await.expect("it is connected");
        assert_eq!(recv(&client).await.name(), "said");
    });
}

fn it_waits_through_a_reconnection(binding: Binding) {
    binding.run_test(|| async {
        for order in ORDERS {
            let server = LocalServer::open(app());
            let port = server.address.port();
            let client = connect(binding, builder(&server, order)).await;
            server.close();
            eventually("it notices the loss", || !client.connected()).await;
            let again = async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let opening = tokio::task::spawn_blocking(move || LocalServer::open_at(app(), port));
                opening.await.expect("the port is free")
            };
            let talk = async {
                client.emit("say", &"after all").await.expect("it waits");
                let echo = client.call::<u32>("echo", &1).await;
                (recv(&client).await, echo)
            };
            let (server, (event, echo)) = tokio::join!(again, within("the reconnection", talk));
            assert_eq!(event.arg::<String>().expect("a text"), "after all");
            assert_eq!(echo, Ok(1));
            drop(server);
        }
    });
}

fn what_is_sent_between_disconnecting_and_connecting_again_waits_for_the_connection(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        for order in ORDERS {
            let client = connect(binding, builder(&server, order)).await;
            client.client().disconnect();
            client.client().connect();
            assert_eq!(within("an echo", client.call::<u32>("echo", &1)).await, Ok(1));
        }
    });
}

fn emitting_in_a_namespace_that_was_left_for_good_fails(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        for order in ORDERS {
            let client = connect(
                binding,
                builder(&server, order).namespace("/").namespace("/other"),
            )
            .await;
            client.client().of("/other").expect("it is named").disconnect();
            within("the end", client.disconnect()).await;
            client.client().connect();
            assert_eq!(within("an echo", client.call::<u32>("echo", &1)).await, Ok(1));
            let sent = within("the refusal", client.in_ns("/other").emit("say", &1)).await;
            assert_eq!(sent, Err(Error::Disconnected));
        }
    });
}

fn emitting_in_a_namespace_that_is_left_meanwhile_fails(binding: Binding) {
    binding.run_test(|| async {
        let server = LocalServer::open(app());
        let builder = builder(&server, TransportOrder::WebSocket)
            .namespace("/")
            .namespace("/other");
        let client = connect(binding, builder).await;
        server.close();
        let other = client.in_ns("/other");
        eventually("the loss", || !other.connected()).await;
        let mut sending = pin!(other.emit("say", &1));
        assert!(
            tokio::time::timeout(Duration::from_millis(50), &mut sending)
                .await
                .is_err()
        );
        client.client().of("/other").expect("it is named").disconnect();
        assert_eq!(within("the refusal", sending).await, Err(Error::Disconnected));
    });
}

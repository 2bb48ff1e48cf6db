//! Changing from polling to WebSocket in the middle of traffic loses, repeats and reorders nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::socketio::join_main_by_polling;
use socketio_tests::kit::{HttpConnection, Incoming, Request};
use socketio_tokio::{Arg, Arguments, Server};

use crate::support::{Log, TestServer};

crate::on_every_runtime![an_upgrade_in_the_middle_of_traffic_keeps_every_message_once_and_in_order,];

const MESSAGES: u32 = 5_000;
/// One in so many messages has an attachment.
const BINARY: u32 = 10;
/// How many messages the server may be ahead of the client, so that traffic lasts while the transport changes.
const WINDOW: u32 = 200;

/// The packets of one message, text first; an attachment is in base64 as polling has it.
fn packets(number: u32) -> Vec<String> {
    if number.is_multiple_of(BINARY) {
        let placeholder = r#"{"_placeholder":true,"num":0}"#;
        let attachment = STANDARD.encode(number.to_be_bytes());
        vec![
            format!("451-[\"binary\",{number},{placeholder}]"),
            format!("b{attachment}"),
        ]
    } else {
        vec![format!("42[\"text\",{number}]")]
    }
}

/// The numbers of the messages that the client received, in the order in which they came.
#[derive(Default)]
struct ReceivedMessages {
    numbers: Vec<u32>,
    attachment_of: Option<u32>,
}

impl ReceivedMessages {
    fn text(&mut self, packet: &str) {
        assert_eq!(
            self.attachment_of, None,
            "an attachment comes at once, not {packet:?}"
        );
        if let Some(rest) = packet.strip_prefix("42[\"text\",") {
            let number = rest.strip_suffix(']').and_then(|number| number.parse().ok());
            self.numbers
                .push(number.unwrap_or_else(|| panic!("no number in {packet:?}")));
        } else if let Some(rest) = packet.strip_prefix("451-[\"binary\",") {
            let number = rest.split(',').next().and_then(|number| number.parse().ok());
            self.attachment_of = Some(number.unwrap_or_else(|| panic!("no number in {packet:?}")));
        } else {
            assert!(matches!(packet, "6" | "2"), "unexpected {packet:?}");
        }
    }

    fn binary(&mut self, attachment: &[u8]) {
        let number = self.attachment_of.take().expect("its packet came before");
        assert_eq!(attachment, number.to_be_bytes());
        self.numbers.push(number);
    }

    fn payload(&mut self, packets: &[String]) {
        for packet in packets {
            match packet.strip_prefix('b') {
                Some(attachment) => self.binary(&STANDARD.decode(attachment).expect("base64")),
                None => self.text(packet),
            }
        }
    }
}

fn start_server(runtime: TestRuntime, log: &Log<u32>) -> TestServer {
    let (texts, binaries) = (log.clone(), log.clone());
    TestServer::start(
        runtime,
        Server::builder()
            .on("text", move |Arg(number): Arg<u32>| texts.push(number))
            .on("binary", move |arguments: Arguments| {
                let log = binaries.clone();
                async move {
                    let (number, attachment) = arguments.parse::<(u32, Bytes)>().expect("a number and bytes");
                    assert_eq!(&attachment[..], number.to_be_bytes());
                    log.push(number);
                    tokio::task::yield_now().await;
                }
            }),
    )
}

/// Emits numbered messages, a window ahead of what the client has.
fn emit(server: &TestServer, received: &Arc<AtomicU32>) -> thread::JoinHandle<()> {
    let socket = server.handle.sockets().expect("it is served").remove(0);
    let received = Arc::clone(received);
    thread::spawn(move || {
        for number in 0..MESSAGES {
            while number > received.load(Ordering::Relaxed) + WINDOW {
                thread::sleep(Duration::from_micros(200));
            }
            let sent = if number.is_multiple_of(BINARY) {
                socket.emit("binary", &(number, Bytes::copy_from_slice(&number.to_be_bytes())))
            } else {
                socket.emit("text", &number)
            };
            sent.expect("it is connected");
        }
    })
}

/// Posts numbered messages until it has to stop; the next number.
fn post(server: &TestServer, url: String, stop: &Arc<AtomicBool>, last: u32) -> thread::JoinHandle<u32> {
    let (mut connection, stop) = (HttpConnection::open(&server.target), Arc::clone(stop));
    thread::spawn(move || {
        let mut next = 0;
        while next < last && !stop.load(Ordering::Relaxed) {
            let count = 1 + next % 13;
            let body: Vec<_> = (next..next + count).flat_map(packets).collect();
            connection.send(&Request::post(url.as_str(), body.join("\x1e")));
            connection.response().assert_is(200, "ok");
            next += count;
        }
        next
    })
}

/// Polls until it has to stop.
fn poll(
    server: &TestServer,
    url: String,
    stop: &Arc<AtomicBool>,
    received: &Arc<AtomicU32>,
) -> thread::JoinHandle<ReceivedMessages> {
    let (stop, received) = (Arc::clone(stop), Arc::clone(received));
    let mut connection = HttpConnection::open(&server.target);
    thread::spawn(move || {
        let mut received_messages = ReceivedMessages::default();
        while !stop.load(Ordering::SeqCst) {
            connection.send(&Request::get(url.as_str()));
            let response = connection.response();
            assert_eq!(response.status, 200, "poll refused: {response:?}");
            received_messages.payload(&response.packets());
            received.store(received_messages.numbers.len() as u32, Ordering::Relaxed);
        }
        received_messages
    })
}

fn upgrade_after(runtime: TestRuntime, messages: u32) {
    let log = Log::new();
    let server = start_server(runtime, &log);
    let session = join_main_by_polling(&server.target);
    let (stop, received) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let polling = poll(&server, session.url(), &stop, &received);
    let posting = post(&server, session.url(), &stop, MESSAGES - 500);
    let emitting = emit(&server, &received);
    while received.load(Ordering::Relaxed) < messages {
        assert!(!polling.is_finished(), "polling failed");
        thread::sleep(Duration::from_micros(100));
    }
    let mut socket = session.probe();
    stop.store(true, Ordering::SeqCst);
    let mut received_messages = polling.join().expect("it polls");
    let next = posting.join().expect("it posts");
    let by_polling = received_messages.numbers.len();
    socket.send("5");
    for packet in (next..MESSAGES).flat_map(packets) {
        match packet.strip_prefix('b') {
            Some(attachment) => socket.send_binary(&STANDARD.decode(attachment).expect("base64")),
            None => socket.send(&packet),
        }
    }
    while received_messages.numbers.len() < MESSAGES as usize {
        match socket.next_message() {
            Incoming::Text(text) => received_messages.text(&text),
            Incoming::Binary(bytes) => received_messages.binary(&bytes),
            Incoming::Closed(close) => panic!(
                "closed ({close:?}) after {} messages",
                received_messages.numbers.len()
            ),
        }
        received.store(received_messages.numbers.len() as u32, Ordering::Relaxed);
    }
    let expected: Vec<_> = (0..MESSAGES).collect();
    assert_eq!(
        received_messages.numbers, expected,
        "from the server, {by_polling} by polling"
    );
    assert_eq!(
        log.wait_for(MESSAGES as usize),
        expected,
        "from the client, {next} by polling"
    );
    emitting.join().expect("it emits");
    assert!(
        (1..MESSAGES as usize).contains(&by_polling) && next < MESSAGES,
        "both transports had traffic"
    );
}

fn an_upgrade_in_the_middle_of_traffic_keeps_every_message_once_and_in_order(runtime: TestRuntime) {
    for messages in [1, 500, 1_500, 3_000] {
        upgrade_after(runtime, messages);
    }
}

//! What comes out is what went in, whatever serde would have made of it (trap 31).

use crate::client::{Packet, text};
use crate::pair::Pair;
use socketio_core::json::{Raw, Value};
use socketio_core::sio::{Event, RawArguments, SocketId, WriteArguments};

/// How an application may pass arguments on.
#[derive(Clone, Copy, Debug)]
enum Carrier {
    Arguments,
    Raws,
    Values,
    RawEvent,
}

const CARRIERS: [Carrier; 4] = [
    Carrier::Arguments,
    Carrier::Raws,
    Carrier::Values,
    Carrier::RawEvent,
];

/// Argument lists without brackets.
const LISTS: &[&str] = &[
    "",
    "1.0,1,-0,-0.0,1e5,1E+5,1e-7,0.10",
    "9007199254740993,18446744073709551616,1e400,123456789012345678901234567890.5",
    r#""\ud800","\udc00\ud800","\ud83d\ude00","\u0000\u001e","\/","\u00e9é""#,
    r#"{"b":1,"a":2,"b":3,"":{},"\ud800":[],"_placeholder":true}"#,
    "null,true,false,[],{},[[],[{}]]",
    r#"{"_placeholder":true,"num":0},{"_placeholder":1,"num":7}"#,
];

fn send<T: WriteArguments + ?Sized>(pair: &mut Pair, socket: SocketId, arguments: &T) {
    let packet = pair.encode("/", "x", arguments);
    pair.server
        .emit(pair.now, socket, &packet, Default::default())
        .unwrap();
}

/// Sends values, none of which has attachments, as one argument each.
fn send_each(pair: &mut Pair, socket: SocketId, raws: impl Iterator<Item = Raw>) {
    let texts: Vec<String> = raws.map(|raw| raw.to_string()).collect();
    let joined = texts.join(",");
    let list = RawArguments {
        text: joined.as_bytes(),
        attachments: &[],
    };
    let packet = pair.encode("/", "x", &list);
    pair.server
        .emit(pair.now, socket, &packet, Default::default())
        .unwrap();
}

/// Passes the event that arrived on to its sender.
fn echo(pair: &mut Pair, carrier: Carrier) {
    let Event::Event {
        socket,
        name,
        arguments,
        ..
    } = pair.event()
    else {
        panic!("an event");
    };
    match carrier {
        Carrier::Arguments => send(pair, socket, &arguments),
        Carrier::Raws => {
            send_each(pair, socket, arguments.iter());
        }
        Carrier::Values => {
            let values: Vec<Value> = arguments.parse().unwrap();
            let raws = values.iter().map(|value| Raw::encode(value).unwrap());
            send_each(pair, socket, raws);
        }
        Carrier::RawEvent => {
            let packet = pair
                .encoder
                .raw_event("/", &name, arguments.text().as_bytes(), arguments.attachments())
                .unwrap();
            pair.server
                .emit(pair.now, socket, &packet, Default::default())
                .unwrap();
        }
    }
}

fn assert_echoed(carrier: Carrier, list: &str) {
    let comma = if list.is_empty() { "" } else { "," };
    let packet = format!("42[\"x\"{comma}{list}]");
    let mut pair = Pair::new();
    let (websocket, _) = pair.member("/");
    let (polling, _) = pair.polling_member("/");
    for client in [websocket, polling] {
        pair.send(client, &packet);
        echo(&mut pair, carrier);
        assert_eq!(pair.receive(client), [text(&packet)], "{carrier:?}");
    }
}

#[test]
fn text_of_numbers_strings_and_objects_is_kept() {
    for carrier in CARRIERS {
        for list in LISTS {
            assert_echoed(carrier, list);
        }
    }
}

#[test]
fn names_are_kept_as_they_were_written() {
    for name in [
        r#""""#,
        r#""\u0061\/b""#,
        r#""\ud800""#,
        r#""\ud83d\ude00""#,
        "\"\u{e9}\u{1f600}\"",
        "1.0",
        "-5e3",
        "12345678901234567890123",
    ] {
        let packet = format!("42[{name},1]");
        let mut pair = Pair::new();
        let (client, _) = pair.member("/");
        pair.send(client, &packet);
        echo(&mut pair, Carrier::RawEvent);
        assert_eq!(pair.receive(client), [text(&packet)]);
    }
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

/// Runs in a thread with little room, as small as some targets give.
fn with_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn a_thousand_levels_are_passed_on() {
    for carrier in CARRIERS {
        with_small_stack(move || {
            assert_echoed(carrier, &nested(1_000));
            let objects = format!("{}1{}", "{\"a\":".repeat(1_000), "}".repeat(1_000));
            assert_echoed(carrier, &objects);
        });
    }
}

#[test]
fn two_hundred_thousand_levels_end_the_session_and_nothing_else() {
    with_small_stack(|| {
        let levels = 200_000;
        let objects = "{\"a\":".repeat(levels / 2);
        for list in [nested(levels), "[".repeat(levels), objects] {
            let mut pair = Pair::new();
            for (client, _) in [pair.member("/"), pair.polling_member("/")] {
                pair.poll(client);
                pair.send(client, &format!("42[\"x\",{list}]"));
                assert_eq!(pair.texts(), ["disconnected: forced close"]);
                assert!(pair.is_closed(client));
            }
            let client = pair.websocket();
            pair.send(client, &format!("40{{\"a\":{list}}}"));
            assert_eq!(pair.receive(client), [Packet::Closed]);
        }
    });
}

#[test]
fn credentials_of_a_thousand_levels_can_be_read() {
    with_small_stack(|| {
        let mut pair = Pair::new();
        let client = pair.websocket();
        let auth = format!("{{\"a\":{}}}", nested(1_000));
        pair.send(client, &format!("40{auth}"));
        let Event::Connect { socket, .. } = pair.event() else {
            panic!("a connect");
        };
        let raw = pair.server.handshake(socket).unwrap().auth.unwrap();
        assert_eq!(raw.as_str(), auth);
        let value: Value = raw.parse().unwrap();
        assert_eq!(Raw::encode(&value).unwrap().as_str(), auth);
    });
}

//! A new name each time, wherever the peer gives one.

use crate::fortress::{Siege, attacks};
use crate::line::{Line, join, text};

attacks![
    names_in_requests_are_not_kept,
    odd_names_in_requests_do_no_harm,
    names_of_namespaces_are_not_kept,
    names_of_events_and_rooms_are_not_kept,
    odd_names_in_packets_do_no_harm,
];

const MANY: usize = 1_000;

fn names_in_requests_are_not_kept(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let round = siege.number * MANY;
    let mut line = Line::open(target);
    let mut requests = String::new();
    for number in round..round + MANY {
        requests += &format!(
            "GET /socket.io/?EIO=4&transport=polling&sid=s{number}&q{number}=v{number} HTTP/1.1\r\n\
                 Host: h{number}.test\r\nX-Name-{number}: {number}\r\nCookie: c{number}={number}\r\n\
                 Origin: http://o{number}.test\r\nUser-Agent: a{number}\r\n\r\n"
        );
    }
    line.exchange(&requests);
    line.hear_times("Session ID unknown", MANY);
    let mut line = Line::open(target);
    let mut requests = String::new();
    for number in round..round + MANY {
        requests += &format!("M{number} /p{number}/?q{number} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    // A method that nobody knows may end the connection.
    line.offer(&requests);
    Vec::new()
}

fn odd_names_in_requests_do_no_harm(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let long = "x".repeat(7_000);
    let names: [&[u8]; 8] = [
        b"%00",
        b"%ff%fe",
        b"%",
        b"%zz",
        b"\xff\xfe",
        b"\x01",
        b"__proto__",
        long.as_bytes(),
    ];
    for name in names.repeat(5) {
        let start = b"GET /socket.io/?EIO=4&transport=polling&sid=nobody&".as_slice();
        let (middle, end) = (
            b" HTTP/1.1\r\nHost: localhost\r\nCookie: ".as_slice(),
            b"\r\n\r\n",
        );
        for request in [
            [start, name, b"=", name, middle, b"a=b", end].concat(),
            [start, b"a=b", middle, name, b"=", name, end].concat(),
            [start, b"a=b", middle, b"a=b\r\nX-", name, b": ", name, end].concat(),
        ] {
            let mut line = Line::open(target);
            line.offer(request);
            line.finish();
            let heard = line.hear_out();
            assert!(heard.contains("HTTP/1.1 4"), "{name:?} is answered by {heard:?}");
        }
    }
    Vec::new()
}

fn names_of_namespaces_are_not_kept(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let round = siege.number * MANY;
    let mut line = join(target);
    let unknown: Vec<u8> = (round..round + MANY)
        .flat_map(|number| text(&format!("40/n{number}?q{number}=1,{{\"k{number}\":1}}")))
        .collect();
    line.exchange(&unknown);
    line.hear_times("Invalid namespace", MANY);
    line.take_heard();
    // In and out of one that there is.
    for _ in 0..100 {
        line.exchange(text("40/custom,"));
        line.hear_bytes("40/custom,{");
        line.exchange(text("41/custom,"));
    }
    line.exchange(text("42[\"echo\",\"and after\"]"));
    line.hear_bytes("and after");
    vec![line]
}

fn names_of_events_and_rooms_are_not_kept(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let round = siege.number * MANY;
    let mut line = join(target);
    for number in round..round + MANY {
        let packets = [
            format!("42[\"e{number}\",\"v{number}\"]"),
            format!("42{number}[\"e{number}\",{{\"k{number}\":null}}]"),
            format!("42{number}[\"join\",\"room {number}\"]"),
            format!("43{number}[\"nobody asked\"]"),
        ];
        line.exchange(packets.iter().flat_map(|packet| text(packet)).collect::<Vec<_>>());
    }
    line.exchange(text("42[\"echo\",\"and after\"]"));
    line.hear_bytes("and after");
    vec![line]
}

fn odd_names_in_packets_do_no_harm(siege: &Siege) -> Vec<Line> {
    let target = &siege.target;
    let long = "x".repeat(100_000);
    let names = [
        "",
        "\\u0000",
        "\\ud800",
        "\\\"",
        "__proto__",
        "\u{1f600}",
        "connect",
        &long,
    ];
    for name in names.repeat(2) {
        for packet in [
            format!("42[\"{name}\",\"{name}\"]"),
            format!("421[\"join\",\"{name}\"]"),
            format!("40/{name},{{\"{name}\":\"{name}\"}}"),
            format!("42/{name},[\"echo\"]"),
            format!("41/{name},"),
        ] {
            // Some are right, some are unknown, some end the session.
            let mut line = join(target);
            line.offer(text(&packet));
            line.finish();
            line.hear_out();
        }
    }
    Vec::new()
}

//! A new name each time, wherever a client can send one.

use crate::raw_connection::{RawConnection, join, text};
use crate::server_under_attack::{AttackContext, attacks};

attacks![
    names_in_requests_are_not_kept,
    odd_names_in_requests_do_no_harm,
    names_of_namespaces_are_not_kept,
    names_of_events_and_rooms_are_not_kept,
    odd_names_in_packets_do_no_harm,
];

const MANY: usize = 1_000;

fn names_in_requests_are_not_kept(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let round = context.number * MANY;
    let mut connection = RawConnection::open(target);
    let mut requests = String::new();
    for number in round..round + MANY {
        requests += &format!(
            "GET /socket.io/?EIO=4&transport=polling&sid=s{number}&q{number}=v{number} HTTP/1.1\r\n\
                 Host: h{number}.test\r\nX-Name-{number}: {number}\r\nCookie: c{number}={number}\r\n\
                 Origin: http://o{number}.test\r\nUser-Agent: a{number}\r\n\r\n"
        );
    }
    connection.write_all(&requests);
    connection.read_count("Session ID unknown", MANY);
    let mut connection = RawConnection::open(target);
    let mut requests = String::new();
    for number in round..round + MANY {
        requests += &format!("M{number} /p{number}/?q{number} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    // An unknown method may end the connection.
    connection.write_some(&requests);
    Vec::new()
}

fn odd_names_in_requests_do_no_harm(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
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
            let mut connection = RawConnection::open(target);
            connection.write_some(request);
            connection.shut_down_write();
            let received = connection.read_to_end();
            assert!(
                received.contains("HTTP/1.1 4"),
                "{name:?} is answered by {received:?}"
            );
        }
    }
    Vec::new()
}

fn names_of_namespaces_are_not_kept(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let round = context.number * MANY;
    let mut connection = join(target);
    let unknown: Vec<u8> = (round..round + MANY)
        .flat_map(|number| text(&format!("40/n{number}?q{number}=1,{{\"k{number}\":1}}")))
        .collect();
    connection.write_all(&unknown);
    connection.read_count("Invalid namespace", MANY);
    connection.take_received();
    // Joins and leaves one that exists.
    for _ in 0..100 {
        connection.write_all(text("40/custom,"));
        connection.read_until("40/custom,{");
        connection.write_all(text("41/custom,"));
    }
    connection.write_all(text("42[\"echo\",\"and after\"]"));
    connection.read_until("and after");
    vec![connection]
}

fn names_of_events_and_rooms_are_not_kept(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
    let round = context.number * MANY;
    let mut connection = join(target);
    for number in round..round + MANY {
        let packets = [
            format!("42[\"e{number}\",\"v{number}\"]"),
            format!("42{number}[\"e{number}\",{{\"k{number}\":null}}]"),
            format!("42{number}[\"join\",\"room {number}\"]"),
            format!("43{number}[\"nobody asked\"]"),
        ];
        connection.write_all(packets.iter().flat_map(|packet| text(packet)).collect::<Vec<_>>());
    }
    connection.write_all(text("42[\"echo\",\"and after\"]"));
    connection.read_until("and after");
    vec![connection]
}

fn odd_names_in_packets_do_no_harm(context: &AttackContext) -> Vec<RawConnection> {
    let target = &context.target;
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
            // Some are valid, some are unknown, some end the session.
            let mut connection = join(target);
            connection.write_some(text(&packet));
            connection.shut_down_write();
            connection.read_to_end();
        }
    }
    Vec::new()
}

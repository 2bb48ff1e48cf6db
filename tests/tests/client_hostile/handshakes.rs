//! Responses to the handshake that open no session.

#![expect(clippy::too_many_lines, reason = "tables of attacks")]

use std::thread::sleep;
use std::time::Duration;

use socketio_core::eio::client::CloseReason;
use socketio_core::http::StatusCode;
use socketio_tests::live::ScriptedConnection;

use crate::support::{Attack, BAD_RESPONSE, polling, websocket};

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = silence();
    attacks.extend(statuses());
    attacks.extend(bodies());
    attacks.extend(upgrades());
    attacks
}

fn status(code: u16) -> StatusCode {
    StatusCode::new(code).expect("three digits")
}

fn silence() -> Vec<Attack> {
    vec![
        polling(
            "nothing is answered",
            ScriptedConnection::wait_for_end,
            CloseReason::ConnectTimedOut,
        ),
        polling(
            "nothing is read",
            |client| client.stall(),
            CloseReason::ConnectTimedOut,
        ),
        websocket(
            "nothing is answered to a websocket",
            ScriptedConnection::wait_for_end,
            CloseReason::ConnectTimedOut,
        ),
        polling("closed at once", |_| {}, CloseReason::ConnectionLost),
        websocket(
            "closed at once for a websocket",
            |_| {},
            CloseReason::ConnectionLost,
        ),
        polling("one byte at a time", trickle, CloseReason::ConnectTimedOut),
        websocket(
            "one byte at a time to a websocket",
            trickle,
            CloseReason::ConnectTimedOut,
        ),
    ]
}

fn trickle(client: &mut ScriptedConnection) {
    let _ = client.request();
    let answer =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: 100\r\n\r\n0{";
    for byte in answer {
        if client.is_stopped() || !client.send([*byte]) {
            return;
        }
        sleep(Duration::from_millis(100));
    }
}

fn answer(
    status: &'static str,
    headers: &'static str,
    body: &'static str,
) -> impl Fn(&mut ScriptedConnection) {
    move |client| {
        while client.request().is_some() {
            client.respond(status, headers, body);
        }
    }
}

fn statuses() -> Vec<Attack> {
    let refused = |code| CloseReason::Refused(status(code));
    let redirected = |code| CloseReason::Redirected(status(code));
    vec![
        polling(
            "400 with an Engine.IO error",
            answer(
                "400 Bad Request",
                "",
                r#"{"code":0,"message":"Transport unknown"}"#,
            ),
            refused(400),
        )
        .with_detail("Transport unknown"),
        polling(
            "401",
            answer("401 Unauthorized", "WWW-Authenticate: Basic\r\n", "who?"),
            refused(401),
        )
        .with_detail("who?"),
        polling("403", answer("403 Forbidden", "", "not you"), refused(403)).with_detail("not you"),
        polling("404", answer("404 Not Found", "", "no such file"), refused(404)).with_detail("no such file"),
        polling(
            "500",
            answer("500 Internal Server Error", "", "oops"),
            refused(500),
        )
        .with_detail("oops"),
        polling(
            "502",
            answer("502 Bad Gateway", "", "<html>nginx</html>"),
            refused(502),
        )
        .with_detail("nginx"),
        polling(
            "a long page",
            |client| {
                let page = "ż".repeat(100_000);
                while client.request().is_some() {
                    client.respond("503 Service Unavailable", "", &page);
                }
            },
            refused(503),
        )
        .with_detail("żżż"),
        polling(
            "a page that is no text",
            |client| {
                while client.request().is_some() {
                    client.respond("503 Service Unavailable", "", [0xff; 600]);
                }
            },
            refused(503),
        ),
        polling(
            "redirected to itself",
            answer(
                "302 Found",
                "Location: /socket.io/?EIO=4&transport=polling\r\n",
                "",
            ),
            redirected(302),
        )
        .with_detail("/socket.io/"),
        polling(
            "redirected elsewhere",
            answer(
                "308 Permanent Redirect",
                "Location: https://example.org/socket.io/\r\n",
                "",
            ),
            redirected(308),
        )
        .with_detail("https://example.org/socket.io/"),
        websocket(
            "a websocket that is redirected",
            answer("301 Moved Permanently", "Location: https://example.org/\r\n", ""),
            redirected(301),
        )
        .with_detail("https://example.org/"),
        websocket(
            "a websocket that is forbidden",
            answer("403 Forbidden", "", "not you"),
            refused(403),
        )
        .with_detail("not you"),
    ]
}

fn bodies() -> Vec<Attack> {
    let text = |body| answer("200 OK", "Content-Type: text/plain; charset=UTF-8\r\n", body);
    let mut attacks = vec![
        polling(
            "garbage",
            |client| {
                client.send([0, 255, 13, 10, 0, 1, 2, 13, 10, 13, 10]);
            },
            BAD_RESPONSE,
        ),
        polling(
            "another protocol",
            |client| {
                client.send("220 mail.example.org ESMTP\r\n");
            },
            BAD_RESPONSE,
        ),
        polling(
            "an endless head",
            |client| {
                let _ = client.request();
                client.send("HTTP/1.1 200 OK\r\n");
                while !client.is_stopped() && client.send("X-More: and more of the same\r\n".repeat(100)) {}
            },
            BAD_RESPONSE,
        ),
        polling(
            "cut off in the head",
            |client| {
                let _ = client.request();
                client.send("HTTP/1.1 200 OK\r\nContent-Le");
            },
            CloseReason::ConnectionLost,
        ),
        polling(
            "cut off in the body",
            |client| {
                let _ = client.request();
                client.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0{\"sid\"");
            },
            CloseReason::ConnectionLost,
        ),
        polling(
            "cut off in a chunk",
            |client| {
                let _ = client.request();
                client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n0{\"sid\"");
            },
            CloseReason::ConnectionLost,
        ),
        polling(
            "a chunk without a size",
            |client| {
                let _ = client.request();
                client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n0{\"sid\"");
                client.wait_for_end();
            },
            BAD_RESPONSE,
        ),
        polling(
            "two lengths",
            |client| {
                let _ = client.request();
                client.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd");
                client.wait_for_end();
            },
            BAD_RESPONSE,
        ),
    ];
    let none = |name, body| polling(name, text(body), NO_HANDSHAKE);
    attacks.extend([
        none("a page", "<html>It works!</html>"),
        none("nothing", ""),
        none("another packet", "2"),
        none("a handshake that is no JSON", "0{\"sid\":"),
        none(
            "a handshake without an id",
            r#"0{"upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":100}"#,
        ),
        none("a handshake of an array", r#"0["a",1,2]"#),
        none(
            "a handshake with words for numbers",
            r#"0{"sid":"a","upgrades":[],"pingInterval":"x","pingTimeout":{}}"#,
        ),
        none(
            "a handshake of Socket.IO 2",
            r#"96:0{"sid":"a","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":5000}2:40"#,
        ),
    ]);
    attacks
}

/// Either reason is right.
const NO_HANDSHAKE: fn(CloseReason) -> bool =
    |reason| matches!(reason, CloseReason::InvalidHandshake | CloseReason::ParseError(_));

fn upgrades() -> Vec<Attack> {
    let key = |client: &mut ScriptedConnection, key: &str, protocol: &str| {
        let _ = client.request();
        client.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: {protocol}\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\n\r\n"
        ));
        client.wait_for_end();
    };
    vec![
        websocket(
            "a wrong accept key",
            move |client| key(client, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "websocket"),
            BAD_RESPONSE,
        ),
        websocket(
            "another upgrade",
            |client| {
                let _ = client.request();
                client
                    .send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
                client.wait_for_end();
            },
            BAD_RESPONSE,
        ),
        polling(
            "an upgrade that was not requested",
            |client| {
                let _ = client.request();
                client
                    .send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
                client.wait_for_end();
            },
            BAD_RESPONSE,
        ),
        websocket(
            "a page instead of an upgrade",
            answer("200 OK", "", "<html>It works!</html>"),
            NO_UPGRADE,
        ),
        websocket(
            "a websocket without any message",
            |client| {
                if let Some(request) = client.request() {
                    client.accept(&request);
                    client.wait_for_end();
                }
            },
            CloseReason::ConnectTimedOut,
        ),
        websocket(
            "a websocket that begins with something else",
            |client| {
                if let Some(request) = client.request() {
                    client.accept(&request);
                    client.text("40{\"sid\":\"a\"}");
                    client.wait_for_end();
                }
            },
            NO_HANDSHAKE,
        ),
    ]
}

/// As above.
const NO_UPGRADE: fn(CloseReason) -> bool = |reason| {
    matches!(
        reason,
        CloseReason::Refused(_) | CloseReason::BadResponse(_) | CloseReason::InvalidHandshake
    )
};

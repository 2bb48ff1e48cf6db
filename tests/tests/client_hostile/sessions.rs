//! Attacks on a client that has a session.

#![expect(clippy::too_many_lines, reason = "tables of attacks")]

use socketio_core::eio::client::CloseReason;
use socketio_core::http::StatusCode;
use socketio_core::sio::client::Reason;
use socketio_tests::live::ScriptedConnection;

use crate::support::{Attack, BAD_RESPONSE, Expected, polling, websocket};

/// With heartbeats far apart.
const OPEN: &str =
    r#"0{"sid":"bad","upgrades":[],"pingInterval":60000,"pingTimeout":60000,"maxPayload":1000000}"#;
/// With a heartbeat that is due within 300 ms.
const OPEN_WITH_SHORT_HEARTBEAT: &str =
    r#"0{"sid":"bad","upgrades":[],"pingInterval":200,"pingTimeout":100,"maxPayload":1000000}"#;
/// Numbers that are too large to add, or to wait for.
const OPEN_WITH_ODD_VALUES: &str = r#"0{"sid":"bad","upgrades":["carrier-pigeon",7,null],"pingInterval":18446744073709551615,"pingTimeout":18446744073709551615,"maxPayload":0,"more":{"of":[1]}}"#;

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = over_polling();
    attacks.extend(over_websocket());
    attacks
}

/// Answers the handshake with `open`; `rest` answers every other request of the session.
fn session(
    open: &'static str,
    rest: impl Fn(&mut ScriptedConnection) + Send + Sync + 'static,
) -> impl Fn(&mut ScriptedConnection) + Send + Sync + 'static {
    move |client| {
        while let Some(request) = client.request() {
            if request.is_handshake() {
                client.respond("200 OK", "", open);
            } else {
                rest(client);
            }
        }
    }
}

fn over_polling() -> Vec<Attack> {
    let answer = |status: &'static str, body: &'static str| {
        session(OPEN, move |client| {
            client.respond(status, "", body);
        })
    };
    let failed = |code| CloseReason::RequestFailed(StatusCode::new(code).expect("three digits"));
    vec![
        polling(
            "stalls after the handshake",
            session(OPEN_WITH_SHORT_HEARTBEAT, |client| client.stall()),
            CloseReason::PingTimeout,
        ),
        polling(
            "never answers the join",
            session(OPEN, |client| client.stall()),
            Expected::Any(|reason| {
                matches!(
                    reason,
                    Reason::JoinTimedOut | Reason::Engine(CloseReason::RequestTimedOut)
                )
            }),
        ),
        polling(
            "polls and posts fail",
            answer("500 Internal Server Error", "oops"),
            failed(500),
        )
        .with_detail("oops"),
        polling(
            "polls and posts are unknown",
            answer("400 Bad Request", "Session ID unknown"),
            failed(400),
        )
        .with_detail("Session ID unknown"),
        polling(
            "polls are answered with a page",
            answer("200 OK", "<html></html>"),
            Expected::Any(|reason| matches!(reason, Reason::Engine(CloseReason::ParseError(_)))),
        ),
        polling(
            "a poll is cut off",
            session(OPEN, |client| {
                client.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n4");
                client.close();
            }),
            CloseReason::ConnectionLost,
        ),
        polling(
            "a poll is answered with garbage",
            session(OPEN, |client| {
                client.send([0; 64]);
                client.wait_for_end();
            }),
            BAD_RESPONSE,
        ),
        polling(
            "closed by the engine",
            answer("200 OK", "1"),
            CloseReason::TransportClose,
        ),
        polling(
            "odd numbers",
            session(OPEN_WITH_ODD_VALUES, |client| client.close()),
            Expected::Any(|_| true),
        ),
    ]
}

/// Opens a session and accepts the join; `rest` has the connection from then on.
pub(crate) fn joined(
    rest: impl Fn(&mut ScriptedConnection) + Send + Sync + 'static,
) -> impl Fn(&mut ScriptedConnection) + Send + Sync + 'static {
    move |client| {
        if opened(client, OPEN) {
            client.read_frame();
            client.text("40{\"sid\":\"worse\"}");
            rest(client);
        }
    }
}

fn opened(client: &mut ScriptedConnection, open: &str) -> bool {
    let Some(request) = client.request() else {
        return false;
    };
    client.accept(&request) && client.text(open)
}

fn over_websocket() -> Vec<Attack> {
    let sending = |message: &'static str| {
        joined(move |client| {
            client.text(message);
            client.wait_for_end();
        })
    };
    let wrong = Expected::Any(|reason| matches!(reason, Reason::ParseError(_)));
    vec![
        websocket(
            "a websocket that never answers the join",
            |client| {
                opened(client, OPEN);
                client.wait_for_end();
            },
            Reason::JoinTimedOut,
        ),
        websocket(
            "a websocket without heartbeats",
            |client| {
                opened(client, OPEN_WITH_SHORT_HEARTBEAT);
                client.wait_for_end();
            },
            CloseReason::PingTimeout,
        ),
        websocket(
            "a websocket with odd numbers",
            |client| {
                opened(client, OPEN_WITH_ODD_VALUES);
                client.close();
            },
            Expected::Any(|_| true),
        ),
        websocket(
            "lost without a close frame",
            joined(|client| client.close()),
            CloseReason::ConnectionLost,
        ),
        websocket(
            "closed with a close frame",
            joined(|client| {
                client.frame(8, [0x03, 0xe8]);
                client.wait_for_end();
            }),
            CloseReason::TransportClose,
        ),
        websocket(
            "closed by the engine over websocket",
            sending("1"),
            CloseReason::TransportClose,
        ),
        websocket("an unknown type of packet", sending("4z"), wrong),
        websocket("an event that is no array", sending("42{}"), wrong),
        websocket("an event without a name", sending("42[]"), wrong),
        websocket("an event that is no JSON", sending("42[\"a\","), wrong),
        websocket(
            "ten thousand attachments",
            sending("4510000-[\"a\",{\"_placeholder\":true,\"num\":0}]"),
            wrong,
        ),
        websocket(
            "more attachments than fit a number",
            sending("4599999999999999999999-[\"a\"]"),
            wrong,
        ),
        websocket(
            "an attachment that was not announced",
            joined(|client| {
                client.frame(2, [1, 2, 3]);
                client.wait_for_end();
            }),
            wrong,
        ),
        websocket(
            "text where an attachment belongs",
            joined(|client| {
                client.text("451-[\"a\",{\"_placeholder\":true,\"num\":0}]");
                client.text("42[\"b\"]");
                client.wait_for_end();
            }),
            wrong,
        ),
        websocket(
            "an attachment that does not exist",
            joined(|client| {
                client.text("451-[\"a\",{\"_placeholder\":true,\"num\":7}]");
                client.frame(2, [1, 2, 3]);
                client.wait_for_end();
            }),
            wrong,
        ),
        websocket(
            "deep JSON",
            joined(|client| {
                client.text(&format!("42[\"a\",{}", "[".repeat(200_000)));
                client.wait_for_end();
            }),
            wrong,
        ),
        websocket(
            "deep JSON that is closed",
            joined(|client| {
                client.text(&format!(
                    "42[\"a\",{}{}]",
                    "[".repeat(100_000),
                    "]".repeat(100_000)
                ));
                client.wait_for_end();
            }),
            wrong,
        ),
        websocket(
            "an id beyond numbers",
            sending("42123456789012345678901234567890[\"a\"]"),
            wrong,
        ),
        websocket(
            "events before the join, without end",
            |client| {
                opened(client, OPEN);
                while !client.is_stopped() && client.send(crate::frames::many("42[\"early\",\"bird\"]", 100))
                {
                }
            },
            wrong,
        ),
        websocket(
            "an engine packet of an unknown type",
            sending("9"),
            Expected::Any(|reason| {
                matches!(
                    reason,
                    Reason::Engine(CloseReason::ParseError(_)) | Reason::ParseError(_)
                )
            }),
        ),
        websocket(
            "an empty message",
            sending(""),
            Expected::Any(|reason| {
                matches!(
                    reason,
                    Reason::Engine(CloseReason::ParseError(_)) | Reason::ParseError(_)
                )
            }),
        ),
        websocket(
            "another handshake",
            joined(|client| {
                // It may be ignored, too, as other clients do.
                client.text(OPEN);
                client.text("1");
                client.wait_for_end();
            }),
            Expected::Any(|reason| {
                matches!(
                    reason,
                    Reason::Engine(CloseReason::TransportClose) | Reason::ParseError(_)
                )
            }),
        ),
    ]
}

//! Whatever a server sends without end, the client's memory is bounded.
//!
//! A test binary of its own: what is measured is the memory of the whole process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socketio_core::eio::client::CloseReason;
use socketio_core::sio::client::Reason;
use socketio_core::sio::{PacketError, Violation};
use socketio_tests::binding::{Binding, CLIENTS};
use socketio_tests::live::{Scheduler, ScriptedConnection, ScriptedServer, frame, within};
use socketio_tokio::client::{Client, ClientReason, ConnectionEvent, TransportOrder};

/// The largest body and message the client takes here.
const MAX_PAYLOAD: usize = 1024 * 1024;
/// What all attacks together may add to the memory of the process.
const GROWTH_AT_MOST: usize = 24 * 1024 * 1024;
/// The size of a body that is too large.
const LARGE: usize = 64 * 1024 * 1024;
const OPEN: &str =
    r#"0{"sid":"bad","upgrades":[],"pingInterval":60000,"pingTimeout":60000,"maxPayload":1000000}"#;

const TOO_MANY_ATTACHMENTS: Reason = Reason::ParseError(Violation::Packet(PacketError::TooManyAttachments));

/// The most memory this process ever had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    kibibytes.map_or(0, |kibibytes| kibibytes * 1024)
}

/// Sends `piece` until `total` bytes are sent or the client closes; returns how many it took.
fn send_repeatedly(client: &mut ScriptedConnection, piece: &[u8], total: usize) -> usize {
    let mut sent = 0;
    while sent < total && !client.is_stopped() && client.send(piece) {
        sent += piece.len();
    }
    sent
}

async fn attack(
    binding: Binding,
    name: &str,
    order: TransportOrder,
    script: impl Fn(&mut ScriptedConnection) + Send + Sync + 'static,
) -> ClientReason {
    let before = peak();
    let scripted = ScriptedServer::start(script);
    let builder = Client::builder(scripted.url())
        .transports(order)
        .retry_initial(true)
        .max_payload(MAX_PAYLOAD)
        .join_timeout(Duration::from_secs(10));
    let client = binding.start(builder).expect("it starts");
    let mut events = client.events();
    let reason = loop {
        match within(name, events.next())
            .await
            .expect("the client still exists")
        {
            ConnectionEvent::AttemptFailed { error, .. } => break error,
            ConnectionEvent::Disconnected { reason, .. } => break reason,
            _ => {}
        }
    };
    drop(client);
    let growth = peak().saturating_sub(before);
    assert!(
        growth <= GROWTH_AT_MOST,
        "{name}: {growth} bytes more, then {reason}"
    );
    tokio::task::spawn_blocking(|| scripted.stop())
        .await
        .expect("it stops");
    reason
}

fn is_too_large(reason: &ClientReason) -> bool {
    matches!(reason.kind, Reason::Engine(CloseReason::BadResponse(_)))
}

async fn bodies(binding: Binding) {
    let polling = TransportOrder::Polling;
    let heads = [
        (
            "64 MiB that are announced",
            format!("Content-Length: {LARGE}\r\n\r\n"),
        ),
        (
            "64 MiB until the end of the connection",
            "Connection: close\r\n\r\n".to_owned(),
        ),
    ];
    for (name, head) in heads {
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let reason = attack(binding, name, polling, move |client| {
            let _ = client.request();
            client.send(format!("HTTP/1.1 200 OK\r\n{head}0"));
            counted.fetch_max(
                send_repeatedly(client, &[b'x'; 64 * 1024], LARGE),
                Ordering::SeqCst,
            );
        })
        .await;
        assert!(is_too_large(&reason), "{name}: {reason}");
        assert!(
            taken.load(Ordering::SeqCst) < LARGE,
            "{name}: the client took it all"
        );
    }
}

async fn odd_bodies(binding: Binding) {
    let polling = TransportOrder::Polling;
    let reason = attack(binding, "64 MiB in chunks", polling, |client| {
        let _ = client.request();
        client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        send_repeatedly(
            client,
            &[b"10000\r\n", &[b'x'; 65_536][..], b"\r\n"].concat(),
            LARGE,
        );
    })
    .await;
    assert!(is_too_large(&reason), "{reason}");
    let reason = attack(binding, "chunks of one byte with extensions", polling, |client| {
        let _ = client.request();
        client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        send_repeatedly(
            client,
            &b"1;and=an;extension=of;no=use\r\nx\r\n".repeat(1_000),
            LARGE,
        );
    })
    .await;
    assert!(is_too_large(&reason), "{reason}");
    let reason = attack(binding, "an endless head", polling, |client| {
        let _ = client.request();
        client.send("HTTP/1.1 200 OK\r\n");
        send_repeatedly(client, &b"X-More: and more\r\n".repeat(1_000), LARGE);
    })
    .await;
    assert!(is_too_large(&reason), "{reason}");
    let reason = attack(binding, "a forbidding page of 64 MiB", polling, |client| {
        let _ = client.request();
        client.send(format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Length: {LARGE}\r\n\r\n"
        ));
        send_repeatedly(client, &[b'x'; 64 * 1024], LARGE);
    })
    .await;
    assert!(matches!(reason.kind, Reason::Engine(_)), "{reason}");
}

/// A session over WebSocket; answers to what `flood` sends are not read. Then the server closes the session.
fn flooded(
    flood: impl Fn(&mut ScriptedConnection) + Send + Sync + 'static,
) -> impl Fn(&mut ScriptedConnection) + Send + Sync {
    move |client| {
        let Some(request) = client.request() else { return };
        client.accept(&request);
        client.text(OPEN);
        client.read_frame();
        client.text("40{\"sid\":\"worse\"}");
        flood(client);
        client.text("1");
        client.wait_for_end();
    }
}

async fn floods(binding: Binding) {
    let websocket = TransportOrder::WebSocket;
    // In packets, for each of which the client does something.
    const COUNT: usize = 50_000;
    let floods: [(&str, Vec<u8>); 6] = [
        ("pings of the engine", frame(1, b"2")),
        ("pings of the WebSocket", frame(9, b"0123456789abcdef")),
        ("pongs of the engine", frame(1, b"3")),
        ("unexpected acknowledgements", frame(1, b"43999[1]")),
        (
            "events of a namespace that was not joined",
            frame(1, b"42/nowhere,[\"a\"]"),
        ),
        (
            "events whose acknowledgement is never sent",
            frame(1, b"427[\"a\"]"),
        ),
    ];
    for (name, packet) in floods {
        let reason = attack(
            binding,
            name,
            websocket,
            flooded(move |client| {
                let piece = packet.repeat(1_000);
                send_repeatedly(client, &piece, packet.len() * COUNT);
            }),
        )
        .await;
        assert!(matches!(reason.kind, Reason::Engine(_)), "{name}: {reason}");
    }
    let large = [
        ("a message in parts without end", frame(0, &[b'x'; 65_536])),
        ("a message of bytes in parts without end", frame(0, &[0; 65_536])),
    ];
    for ((name, mut part), opcode) in large.into_iter().zip([1, 2]) {
        part[0] &= 0x7f;
        let reason = attack(
            binding,
            name,
            websocket,
            flooded(move |client| {
                client.send([opcode, 1, b'4']);
                send_repeatedly(client, &part, LARGE);
            }),
        )
        .await;
        assert!(is_too_large(&reason), "{name}: {reason}");
    }
    let reason = attack(
        binding,
        "attachments without end",
        websocket,
        flooded(|client| {
            client.text("4510000-[\"a\"]");
            send_repeatedly(client, &frame(2, &[0; 65_536]), LARGE);
        }),
    )
    .await;
    assert_eq!(reason.kind, TOO_MANY_ATTACHMENTS, "{reason}");
}

#[test]
fn memory_is_bounded_whatever_the_server_sends() {
    let runtime = Scheduler::MultiThread.runtime();
    runtime.block_on(async {
        for binding in CLIENTS {
            bodies(binding).await;
            odd_bodies(binding).await;
            floods(binding).await;
        }
    });
}

//! A server that is killed and restarted on the same port, several times, while clients use it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socketio_tests::binding::Binding;
use socketio_tests::live::{Peer, PeerOptions, Scheduler, eventually, within};
use socketio_tests::provision_process::ServerProcess;
use socketio_tokio::CallError;
use socketio_tokio::client::{Client, ConnectionEvent, ConnectionEvents, Offline};
use tokio::task::JoinHandle;

use crate::support::{Mode, Setup, quickly};

/// Notes each client emits while the server is down.
const NOTES: u64 = 20;
/// How long a call waits for its answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// How much later than that a call may end on a busy machine.
const MARGIN: Duration = Duration::from_secs(5);

/// Three clients, one over each transport, reconnect after every restart.
pub(crate) fn reconnect_after_restarts(rounds: u64, binding: Binding, peer: Peer, scheduler: Scheduler) {
    let Ok(mut server) = peer.start(PeerOptions::default()) else {
        return;
    };
    scheduler.runtime().block_on(async {
        let mut clients = Vec::new();
        for mode in [Mode::Polling, Mode::WebSocket, Mode::Upgrade] {
            clients.push(ReconnectingClient::connect(Setup::new(binding, peer, &server, mode)).await);
        }
        for round in 1..=rounds {
            restart_server(&mut server, &mut clients, round).await;
        }
        for client in clients {
            client.end(rounds).await;
        }
    });
}

async fn restart_server(server: &mut ServerProcess, clients: &mut [ReconnectingClient], round: u64) {
    server.stop();
    for client in &mut *clients {
        client.await_disconnection().await;
        client.emit_notes(round);
    }
    // Starting takes a moment and must not block the clients.
    tokio::task::block_in_place(|| server.start_again());
    for client in clients {
        client.await_connection().await;
        client.assert_notes_arrived(round).await;
        client.assert_auth_is_current().await;
    }
}

/// A client and what it has done.
struct ReconnectingClient {
    setup: Setup,
    client: Client,
    events: ConnectionEvents,
    /// How often its auth callback was called.
    auth_calls: Arc<AtomicU32>,
    traffic: Traffic,
}

impl ReconnectingClient {
    async fn connect(setup: Setup) -> Self {
        let auth_calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&auth_calls);
        let builder = setup.client().offline(Offline::Buffer {
            packets: 10_000,
            bytes: 1_000_000,
        });
        let builder = builder.auth_with(move || {
            let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
            async move { Ok::<_, Infallible>(json!({"attempt": number})) }
        });
        let client = setup.connect(builder).await;
        let events = client.events();
        let traffic = Traffic::start(&client);
        Self {
            setup,
            client,
            events,
            auth_calls,
            traffic,
        }
    }

    async fn await_disconnection(&mut self) {
        loop {
            match within("the loss", self.events.next())
                .await
                .expect("the client still exists")
            {
                ConnectionEvent::Disconnected { will_reconnect, .. } => {
                    assert!(will_reconnect);
                    return;
                }
                ConnectionEvent::Closed { reason } => panic!("closed: {reason}"),
                _ => {}
            }
        }
    }

    /// The numbers differ between clients and rounds.
    fn emit_notes(&self, round: u64) {
        for number in self.note_numbers(round) {
            self.client.emit("note", &number).expect("it is buffered");
        }
    }

    fn note_numbers(&self, round: u64) -> impl Iterator<Item = u64> + use<> {
        let base = 1_000_000 * (self.setup.mode as u64 + 1) + 1_000 * round;
        base..base + NOTES
    }

    /// Checks that every delay until then is as documented.
    async fn await_connection(&mut self) {
        loop {
            match within("the connection", self.events.next())
                .await
                .expect("the client still exists")
            {
                ConnectionEvent::Connected { .. } => return,
                ConnectionEvent::Reconnecting { attempt, delay } => assert_documented_delay(attempt, delay),
                ConnectionEvent::Closed { reason } => panic!("closed: {reason}"),
                _ => {}
            }
        }
    }

    /// The server, which has lost its state, has the notes that were emitted while it was down, once and in order.
    async fn assert_notes_arrived(&self, round: u64) {
        let wanted: Vec<u64> = self.note_numbers(round).collect();
        let thousands = |number: &u64| number / 1_000_000 == self.setup.mode as u64 + 1;
        let notes: Vec<u64> = loop {
            // The connection of an upgrade may still be lost.
            match within("the notes", self.client.call::<Vec<u64>>("notes", &())).await {
                Ok(notes) => break notes.into_iter().filter(thousands).collect(),
                Err(CallError::TimedOut | CallError::Disconnected) => {}
                Err(error) => panic!("{error}"),
            }
        };
        assert_eq!(notes, wanted, "{:?} in round {round}", self.setup.mode);
    }

    async fn assert_auth_is_current(&self) {
        let auth_calls = self.auth_calls.load(Ordering::SeqCst);
        let seen: Value = within("whoami", self.client.call("whoami", &()))
            .await
            .expect("it answers");
        let seen = seen["attempt"].as_u64().expect("auth was sent");
        assert_eq!(
            seen,
            u64::from(auth_calls),
            "the auth of an earlier attempt was sent"
        );
    }

    async fn end(self, rounds: u64) {
        let auth_calls = self.auth_calls.load(Ordering::SeqCst);
        assert!(u64::from(auth_calls) > rounds, "called only {auth_calls} times");
        self.traffic.end().await;
        self.client.disconnect();
        within("the end", self.client.closed()).await;
    }
}

/// The delay before attempt `n` is 40 ms * 2^(n-1), at most 250 ms, give or take half of it, and at most 250 ms.
fn assert_documented_delay(attempt: u32, delay: Duration) {
    let reconnection = quickly();
    let exponent = attempt
        .checked_sub(1)
        .expect("those before which one waits count from 1");
    let full = (reconnection.min * 2_u32.saturating_pow(exponent.min(8))).min(reconnection.max);
    let shortest = full / 2;
    let longest = (full * 3 / 2).min(reconnection.max);
    assert!(
        (shortest..=longest).contains(&delay) && !delay.is_zero(),
        "{delay:?} before attempt {attempt}, not {shortest:?} to {longest:?}"
    );
}

/// Calls one after the other; each must end in one of three ways, and in time.
struct Traffic {
    ended: Arc<AtomicBool>,
    answered: Arc<AtomicU32>,
    tasks: Vec<JoinHandle<()>>,
}

impl Traffic {
    fn start(client: &Client) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicU32::new(0));
        let tasks = (0..3).map(|caller| {
            let (ended, answered) = (Arc::clone(&ended), Arc::clone(&answered));
            let socket = client.of("/").expect("it is always there");
            tokio::spawn(async move {
                while !ended.load(Ordering::SeqCst) {
                    let started = Instant::now();
                    let call = socket.call::<u32>("echo-ack", &caller).timeout(CALL_TIMEOUT);
                    match call.await {
                        Ok(echo) => {
                            assert_eq!(echo, caller);
                            answered.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(CallError::TimedOut | CallError::Disconnected) => {}
                        Err(error) => panic!("a call ended otherwise: {error}"),
                    }
                    let took = started.elapsed();
                    assert!(took < CALL_TIMEOUT + MARGIN, "a call ended only after {took:?}");
                    // Leaves processor time to the other clients.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
        });
        Self {
            tasks: tasks.collect(),
            ended,
            answered,
        }
    }

    async fn end(self) {
        let before = self.answered.load(Ordering::SeqCst);
        eventually("calls are answered again", || {
            self.answered.load(Ordering::SeqCst) > before
        })
        .await;
        self.ended.store(true, Ordering::SeqCst);
        for task in self.tasks {
            within("the last call", task)
                .await
                .expect("no call ended otherwise");
        }
    }
}

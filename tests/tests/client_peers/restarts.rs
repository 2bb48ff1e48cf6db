//! A server that is killed and started again on the same port, some times, while clients talk to it.

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

use crate::support::{At, Mode, quickly};

/// Notes each client writes while the server is away.
const WHILE_AWAY: u64 = 20;
/// How long a call waits for its answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// How much later than that a call may end on a busy machine.
const SLACK: Duration = Duration::from_secs(5);

/// Three clients, one over each transport, live through it all.
pub(crate) fn some_times(rounds: u64, binding: Binding, peer: Peer, scheduler: Scheduler) {
    let Ok(mut server) = peer.start(PeerOptions::default()) else {
        return;
    };
    scheduler.runtime().block_on(async {
        let mut witnesses = Vec::new();
        for mode in [Mode::Polling, Mode::WebSocket, Mode::Upgrade] {
            witnesses.push(Witness::connect(At::new(binding, peer, &server, mode)).await);
        }
        for round in 1..=rounds {
            lose_and_find_again(&mut server, &mut witnesses, round).await;
        }
        for witness in witnesses {
            witness.end(rounds).await;
        }
    });
}

async fn lose_and_find_again(server: &mut ServerProcess, witnesses: &mut [Witness], round: u64) {
    server.stop();
    for witness in &mut *witnesses {
        witness.sees_it_go().await;
        witness.writes_notes(round);
    }
    // Starting takes a moment and must not hold up the clients.
    tokio::task::block_in_place(|| server.start_again());
    for witness in witnesses {
        witness.sees_it_come().await;
        witness.finds_its_notes(round).await;
        witness.was_asked_for_auth_again().await;
    }
}

/// A client and what is known of it.
struct Witness {
    at: At,
    client: Client,
    events: ConnectionEvents,
    /// How often auth was asked for.
    asked: Arc<AtomicU32>,
    traffic: Traffic,
}

impl Witness {
    async fn connect(at: At) -> Self {
        let asked = Arc::new(AtomicU32::new(0));
        let asking = Arc::clone(&asked);
        let builder = at.client().offline(Offline::Buffer {
            packets: 10_000,
            bytes: 1_000_000,
        });
        let builder = builder.auth_with(move || {
            let number = asking.fetch_add(1, Ordering::SeqCst) + 1;
            async move { Ok::<_, Infallible>(json!({"attempt": number})) }
        });
        let client = at.connect(builder).await;
        let events = client.events();
        let traffic = Traffic::start(&client);
        Self {
            at,
            client,
            events,
            asked,
            traffic,
        }
    }

    async fn sees_it_go(&mut self) {
        loop {
            match within("the loss", self.events.next())
                .await
                .expect("the client lives")
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

    /// What each client writes is told apart by its thousands.
    fn writes_notes(&self, round: u64) {
        for number in self.numbers(round) {
            self.client.emit("note", &number).expect("it is buffered");
        }
    }

    fn numbers(&self, round: u64) -> impl Iterator<Item = u64> + use<> {
        let base = 1_000_000 * (self.at.mode as u64 + 1) + 1_000 * round;
        base..base + WHILE_AWAY
    }

    /// Until then every delay is as documented.
    async fn sees_it_come(&mut self) {
        loop {
            match within("the connection", self.events.next())
                .await
                .expect("the client lives")
            {
                ConnectionEvent::Connected { .. } => return,
                ConnectionEvent::Reconnecting { attempt, delay } => assert_documented(attempt, delay),
                ConnectionEvent::Closed { reason } => panic!("closed: {reason}"),
                _ => {}
            }
        }
    }

    /// The server, which began anew, has those that were written while it was away, once and in order.
    async fn finds_its_notes(&self, round: u64) {
        let wanted: Vec<u64> = self.numbers(round).collect();
        let thousands = |number: &u64| number / 1_000_000 == self.at.mode as u64 + 1;
        let notes: Vec<u64> = loop {
            // The connection of an upgrade may still be lost.
            match within("the notes", self.client.call::<Vec<u64>>("notes", &())).await {
                Ok(notes) => break notes.into_iter().filter(thousands).collect(),
                Err(CallError::TimedOut | CallError::Disconnected) => {}
                Err(error) => panic!("{error}"),
            }
        };
        assert_eq!(notes, wanted, "{:?} in round {round}", self.at.mode);
    }

    async fn was_asked_for_auth_again(&self) {
        let asked = self.asked.load(Ordering::SeqCst);
        let seen: Value = within("whoami", self.client.call("whoami", &()))
            .await
            .expect("it answers");
        let seen = seen["attempt"].as_u64().expect("auth was sent");
        assert_eq!(seen, u64::from(asked), "the auth of an earlier attempt was sent");
    }

    async fn end(self, rounds: u64) {
        let asked = self.asked.load(Ordering::SeqCst);
        assert!(u64::from(asked) > rounds, "asked only {asked} times");
        self.traffic.end().await;
        self.client.disconnect();
        within("the end", self.client.closed()).await;
    }
}

/// The delay before attempt `n` is 40 ms * 2^(n-1), at most 250 ms, give or take half of it, and at most 250 ms.
fn assert_documented(attempt: u32, delay: Duration) {
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

/// Calls without end; each must end in one of three ways, and in time.
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
                    assert!(took < CALL_TIMEOUT + SLACK, "a call ended only after {took:?}");
                    // Not so many that the machine has nothing left for the others.
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

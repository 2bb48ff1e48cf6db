//! What the simulations of a server, of a client and of both have in common: time, connections that come to rest, and
//! an input that decides what happens.

use crate::pieces::Pieces;
use crate::script::Script;
use bytes::Bytes;
use core::fmt::Debug;
use socketio_core::Text;
use socketio_core::eio::client::TransportOrder;
use socketio_core::sio::{AckId, Encoded, Encoder, RawArguments};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Steps that every input stays below; more means that something never comes to rest.
const MAX_STEPS: usize = 1_000_000;

/// Whether `handle_timeout` is called without need.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timers {
    WhenDue,
    Always,
}

/// What must change nothing.
#[derive(Clone, Copy)]
pub(crate) struct Variant {
    pub(crate) pieces: Pieces,
    pub(crate) timers: Timers,
}

/// Runs the same scenario in several variants, which must change nothing; `cut` decides about the last of them.
pub(crate) fn assert_same<T: Debug + PartialEq>(cut: u8, run: impl Fn(Variant) -> T) {
    let run = |pieces, timers| run(Variant { pieces, timers });
    let expected = run(Pieces::Whole, Timers::WhenDue);
    assert_eq!(run(Pieces::Bytes, Timers::WhenDue), expected);
    assert_eq!(run(Pieces::Cut(cut), Timers::Always), expected);
}

/// State machines and their connections, in time that the input decides.
pub(crate) trait Simulation {
    fn variant(&self) -> Variant;

    fn now(&self) -> Instant;

    fn poll_timeout(&self) -> Option<Instant>;

    /// It is `now` from here on.
    fn handle_timeout(&mut self, now: Instant);

    /// Moves something that can move; whether there was anything.
    fn advance(&mut self) -> bool;

    /// What one byte of the input means; its arguments follow in the script.
    fn step(&mut self, step: u8, script: &mut Script<'_>);

    /// What holds between any two steps.
    fn check(&self) {}

    /// Takes all steps of an input, whose first byte is the configuration.
    fn run_script(&mut self, data: &[u8]) {
        let mut script = Script::new(data.get(1..).unwrap_or_default());
        while let Some(step) = script.step() {
            self.fire_without_need();
            self.step(step, &mut script);
            self.pump();
            self.check();
        }
    }

    /// Moves everything that can move.
    fn pump(&mut self) {
        for _ in 0..MAX_STEPS {
            if !self.advance() {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Time passes, and every timer fires when it is due.
    fn wait(&mut self, duration: Duration) {
        let end = self.now() + duration;
        while let Some(due) = self.poll_timeout().filter(|due| *due <= end) {
            self.fire(due);
        }
        self.fire(end);
    }

    /// Time passes until no timer is left.
    fn wait_for_all_timers(&mut self) {
        for _ in 0..MAX_STEPS {
            let Some(due) = self.poll_timeout() else {
                return;
            };
            self.fire(due);
        }
        panic!("timers never end");
    }

    fn fire(&mut self, at: Instant) {
        self.handle_timeout(self.now().max(at));
        self.assert_nothing_due();
        self.pump();
    }

    fn fire_without_need(&mut self) {
        let next = self.poll_timeout();
        if self.variant().timers == Timers::Always && next.is_none_or(|next| next > self.now()) {
            self.handle_timeout(self.now());
            self.assert_nothing_due();
            self.pump();
        }
    }

    fn assert_nothing_due(&self) {
        let next = self.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now()), "what is due was done");
    }
}

/// One end alone, whose peer is the input.
pub(crate) trait EndSimulation: Simulation {
    /// Bytes arrive on a connection, all of them in one read.
    fn read(&mut self, index: usize, piece: &[u8]);

    /// Bytes arrive on a connection, cut as the variant says.
    fn receive(&mut self, index: usize, bytes: &[u8]) {
        for piece in self.variant().pieces.of(bytes) {
            self.read(index, piece);
            self.pump();
            self.fire_without_need();
        }
    }
}

/// The acknowledgements that one side waits for; each ends once.
#[derive(Default)]
pub(crate) struct PendingAcks {
    pending: BTreeSet<AckId>,
    /// Those that have ended, too.
    pub(crate) all: Vec<AckId>,
}

impl PendingAcks {
    pub(crate) fn add(&mut self, ack: AckId) {
        assert!(self.pending.insert(ack), "an id was given twice");
        self.all.push(ack);
    }

    pub(crate) fn end(&mut self, ack: AckId) {
        assert!(self.pending.remove(&ack), "ended twice or never asked for");
    }

    pub(crate) fn forget(&mut self, ack: AckId) {
        self.pending.remove(&ack);
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn assert_all_ended(&self) {
        assert!(self.pending.is_empty(), "an acknowledgement never ended");
    }
}

/// The name of a namespace that the state machine has given a handle for.
pub(crate) fn known_name(name: Option<&Text>) -> Text {
    name.expect("a namespace").clone()
}

/// The transports of a client, by the lowest two bits of a configuration.
pub(crate) const fn transports(choice: u8) -> TransportOrder {
    match choice & 3 {
        0 => TransportOrder::PollingFirst,
        1 => TransportOrder::WebSocket,
        2 => TransportOrder::WebSocketFirst,
        _ => TransportOrder::Polling,
    }
}

/// An event whose size and number of attachments an input decides.
pub(crate) fn event(encoder: &mut Encoder, namespace: &str, script: &mut Script<'_>) -> Encoded {
    let size = usize::from(script.byte()) * 4;
    let attachments: Vec<Bytes> = (0..script.byte() % 3)
        .map(|_| Bytes::from(vec![1; size]))
        .collect();
    let text = format!("\"{}\"", "x".repeat(size));
    let arguments = RawArguments {
        text: text.as_bytes(),
        attachments: &attachments,
    };
    encoder.event(namespace, "e", &arguments).expect("a packet")
}

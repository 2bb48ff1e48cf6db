//! What clients do to a server, and how it is counted.

pub(crate) mod abuse;
pub(crate) mod connect;
pub(crate) mod echo;
pub(crate) mod fanout;
pub(crate) mod memory;
pub(crate) mod payload;
pub(crate) mod polling;

use std::time::{Duration, Instant};

use crate::Outcome;
use crate::frame::{Opcode, masked};
use crate::hub::{ClientId, Hub, Message, Outbox, Traffic, unexpected};

const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// How long a server is loaded.
#[derive(Clone, Copy)]
pub(crate) struct Timing {
    /// Load before the measured window, for caches, allocators and batches to settle.
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
}

/// Connected clients: loads the server for a time and returns the operations completed in it.
pub(crate) type Run = Box<dyn FnMut(Duration) -> Outcome<u64>>;

/// Traffic whose operations are counted.
pub(crate) trait Load: Traffic {
    fn completed(&self) -> u64;
}

/// The clients of a hub that have been started.
pub(crate) fn run_of(mut hub: Hub, mut load: impl Load + 'static) -> Run {
    Box::new(move |time| {
        let before = load.completed();
        hub.run(&mut load, time)?;
        Ok(load.completed() - before)
    })
}

/// Sends one event with the ack id 10 from each client and returns once all have been answered.
pub(crate) fn roll_call(hub: &mut Hub, events: &[(ClientId, String)]) -> Outcome<()> {
    let mut answers = Answers { count: 0 };
    hub.start(|outbox| {
        for (client, event) in events {
            outbox.push(*client, &masked(Opcode::Text, event.as_bytes()));
        }
    })?;
    let deadline = Instant::now() + ANSWER_DEADLINE;
    while answers.count < events.len() {
        if Instant::now() > deadline {
            return Err(format!("{} of {} clients were answered", answers.count, events.len()).into());
        }
        hub.turn(&mut answers)?;
    }
    Ok(())
}

struct Answers {
    count: usize,
}

impl Traffic for Answers {
    fn message(&mut self, client: ClientId, message: Message<'_>, _outbox: &mut Outbox) -> Outcome<()> {
        match message {
            Message::Text(text) if text.starts_with(b"4310[") => {
                self.count += 1;
                Ok(())
            }
            _ => Err(unexpected(client, message)),
        }
    }
}

//! Events with an ack, answered with their argument; each client keeps a fixed number in flight.

use std::time::Instant;

use super::{Load, payload};
use crate::Outcome;
use crate::frame::{Opcode, masked};
use crate::hub::{ClientId, Message, Outbox, Traffic, unexpected};

/// Ack ids start here, so that all have two digits.
const FIRST_ACK_ID: usize = 10;
const MOST_IN_FLIGHT: usize = 32;

/// What an event carries.
pub(crate) enum Argument {
    Json(String),
    Attachment(Vec<u8>),
}

/// One event and its answer. Clients share it: ids are unique per client only.
struct Exchange {
    request: Vec<u8>,
    reply: Vec<u8>,
    attachment: Option<Vec<u8>>,
}

impl Exchange {
    fn new(ack_id: usize, argument: &Argument) -> Self {
        match argument {
            Argument::Json(json) => Self {
                request: masked(Opcode::Text, format!(r#"42{ack_id}["echo",{json}]"#).as_bytes()),
                reply: format!("43{ack_id}[{json}]").into_bytes(),
                attachment: None,
            },
            Argument::Attachment(bytes) => {
                let place = r#"{"_placeholder":true,"num":0}"#;
                let mut request = masked(
                    Opcode::Text,
                    format!(r#"451-{ack_id}["echo",{place}]"#).as_bytes(),
                );
                request.extend(masked(Opcode::Binary, bytes));
                let reply = format!("461-{ack_id}[{place}]").into_bytes();
                Self {
                    request,
                    reply,
                    attachment: Some(bytes.clone()),
                }
            }
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Progress {
    /// One bit per exchange.
    in_flight: u32,
    /// The exchange whose attachment comes next.
    attachment: Option<usize>,
}

pub(crate) struct Echo {
    exchanges: Vec<Exchange>,
    clients: Vec<Progress>,
    completed: u64,
}

impl Echo {
    pub(crate) fn new(clients: usize, in_flight: usize, argument: &Argument) -> Self {
        assert!(in_flight <= MOST_IN_FLIGHT);
        let exchanges = (0..in_flight)
            .map(|index| Exchange::new(FIRST_ACK_ID + index, argument))
            .collect();
        Self {
            exchanges,
            clients: vec![Progress::default(); clients],
            completed: 0,
        }
    }

    /// Echoes of a text as long as a chat message.
    pub(crate) fn small(clients: usize, in_flight: usize) -> Self {
        Self::new(
            clients,
            in_flight,
            &Argument::Json(format!("\"{}\"", payload::small(""))),
        )
    }

    pub(crate) fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Sends the first events of every client.
    pub(crate) fn start(&mut self, outbox: &mut Outbox) {
        for client in 0..self.clients.len() {
            for index in 0..self.exchanges.len() {
                self.send(client, index, outbox);
            }
        }
    }

    fn send(&mut self, client: ClientId, index: usize, outbox: &mut Outbox) {
        self.clients[client].in_flight |= 1 << index;
        outbox.push(client, &self.exchanges[index].request);
    }

    fn complete(&mut self, client: ClientId, index: usize, outbox: &mut Outbox) {
        self.completed += 1;
        self.send(client, index, outbox);
    }

    /// The exchange that `text` answers, if it is in flight and the answer is right.
    fn answered(&mut self, client: ClientId, text: &[u8]) -> Option<usize> {
        let [tens, units] = match text {
            [b'4', b'3', digits @ ..] | [b'4', b'6', b'1', b'-', digits @ ..] => *digits.first_chunk()?,
            _ => return None,
        };
        let id = usize::from(tens.checked_sub(b'0')?) * 10 + usize::from(units.checked_sub(b'0')?);
        let index = id.checked_sub(FIRST_ACK_ID)?;
        let right = self.exchanges.get(index)?.reply == text;
        let progress = &mut self.clients[client];
        let bit = 1 << index;
        if !right || progress.in_flight & bit == 0 || progress.attachment.is_some() {
            return None;
        }
        progress.in_flight &= !bit;
        Some(index)
    }
}

impl Traffic for Echo {
    fn message(&mut self, client: ClientId, message: Message<'_>, outbox: &mut Outbox) -> Outcome<()> {
        match message {
            Message::Text(text) => {
                let index = self
                    .answered(client, text)
                    .ok_or_else(|| unexpected(client, message))?;
                if self.exchanges[index].attachment.is_some() {
                    self.clients[client].attachment = Some(index);
                } else {
                    self.complete(client, index, outbox);
                }
            }
            Message::Binary(bytes) => {
                let index = self.clients[client]
                    .attachment
                    .take()
                    .ok_or_else(|| unexpected(client, message))?;
                if self.exchanges[index].attachment.as_deref() != Some(bytes) {
                    return Err(unexpected(client, message));
                }
                self.complete(client, index, outbox);
            }
        }
        Ok(())
    }
}

impl Load for Echo {
    fn completed(&self) -> u64 {
        self.completed
    }
}

/// Echoes with one event in flight per client, each timed.
pub(crate) struct TimedEcho {
    echo: Echo,
    sent: Vec<Instant>,
    /// Nanoseconds of every echo since the last [`TimedEcho::take_latencies`].
    latencies: Vec<u64>,
}

impl TimedEcho {
    pub(crate) fn new(clients: usize) -> Self {
        Self {
            echo: Echo::small(clients, 1),
            sent: vec![Instant::now(); clients],
            latencies: Vec::new(),
        }
    }

    pub(crate) fn start(&mut self, outbox: &mut Outbox) {
        self.sent.fill(Instant::now());
        self.echo.start(outbox);
    }

    pub(crate) fn take_latencies(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.latencies)
    }
}

impl Traffic for TimedEcho {
    fn message(&mut self, client: ClientId, message: Message<'_>, outbox: &mut Outbox) -> Outcome<()> {
        self.echo.message(client, message, outbox)?;
        let now = Instant::now();
        let latency = now - std::mem::replace(&mut self.sent[client], now);
        self.latencies.push(latency.as_nanos() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_once_and_only_if_it_is_right() {
        let mut echo = Echo::new(1, 2, &Argument::Json("7".into()));
        echo.clients[0].in_flight = 0b11;
        assert_eq!(echo.answered(0, b"4311[8]"), None);
        assert_eq!(echo.answered(0, b"4312[7]"), None);
        assert_eq!(echo.answered(0, b"4311[7]"), Some(1));
        assert_eq!(echo.answered(0, b"4311[7]"), None);
    }
}

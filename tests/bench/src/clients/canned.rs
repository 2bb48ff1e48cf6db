//! The floor: a client that does nothing but the system calls and the framing.
//!
//! Its frames are made once. It looks at no more of an answer than is needed to count it, knows no JSON, keeps no state
//! but the number of echoes in flight, and sends one write for each read. It sleeps while it waits, as any client does.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use socketio_tests::client_load::{Carrier, Line, Meter, Options, Payload, Samples, WARM_UP};

use crate::Outcome;
use crate::frame::{self, Opcode, masked};
use crate::handshake;

const READ_BUFFER: usize = 256 * 1024;
/// The first ack id; all have two digits.
const FIRST_ACK_ID: usize = 10;
const MOST_IN_FLIGHT: usize = 90;

/// Runs the load that the options ask for.
pub(crate) fn measure(options: &Options) -> Outcome<Line> {
    if options.carrier != Carrier::WebSocket || options.window > MOST_IN_FLIGHT {
        return Err(format!("canned frames are for WebSocket and at most {MOST_IN_FLIGHT} in flight").into());
    }
    let address = options
        .url
        .strip_prefix("http://")
        .ok_or("the URL begins with http://")?;
    let address = address.trim_end_matches('/').parse()?;
    let mut connect_times = Vec::new();
    for _ in 1..options.connects {
        let begun = Instant::now();
        drop(handshake::join_blocking(address)?);
        connect_times.push(begun.elapsed().as_nanos() as u64);
    }
    let begun = Instant::now();
    let stream = handshake::join_blocking(address)?;
    connect_times.push(begun.elapsed().as_nanos() as u64);
    let mut canned = Canned::new(stream, options);
    canned.run(WARM_UP)?;
    let meter = Meter::start();
    let samples = canned.run(options.time)?;
    Ok(meter.finish("canned", samples, connect_times))
}

struct Canned {
    stream: TcpStream,
    /// One event for each that may be in flight.
    requests: Vec<u8>,
    /// The length of one of them.
    request: usize,
    window: usize,
    /// The last frame of an answer.
    answer: Opcode,
    buffer: Vec<u8>,
    filled: usize,
}

impl Canned {
    fn new(stream: TcpStream, options: &Options) -> Self {
        let requests: Vec<Vec<u8>> = (FIRST_ACK_ID..FIRST_ACK_ID + options.window)
            .map(|ack_id| request(ack_id, options.payload))
            .collect();
        Self {
            stream,
            request: requests.first().map_or(0, Vec::len),
            requests: requests.concat(),
            window: options.window,
            answer: match options.payload {
                Payload::Text(_) => Opcode::Text,
                Payload::Binary(_) => Opcode::Binary,
            },
            buffer: vec![0; READ_BUFFER],
            filled: 0,
        }
    }

    /// Keeps the window full for a time and returns when nothing is in flight.
    fn run(&mut self, time: Duration) -> Outcome<Samples> {
        let mut samples = Samples::default();
        let mut sent: VecDeque<Instant> = VecDeque::new();
        let begun = Instant::now();
        let end = begun + time;
        self.stream.write_all(&self.requests)?;
        sent.extend(std::iter::repeat_n(begun, self.window));
        while !sent.is_empty() {
            let answers = self.answers()?.min(sent.len());
            let now = Instant::now();
            let latencies = sent.drain(..answers).map(|begun| (now - begun).as_nanos() as u64);
            samples.latencies.extend(latencies);
            if now < end && answers > 0 {
                self.stream.write_all(&self.requests[..answers * self.request])?;
                sent.extend(std::iter::repeat_n(now, answers));
            }
        }
        Ok(samples)
    }

    /// Reads once and counts the answers that are complete then.
    fn answers(&mut self) -> Outcome<usize> {
        match self.stream.read(&mut self.buffer[self.filled..])? {
            0 => return Err("the server closed the connection".into()),
            length => self.filled += length,
        }
        let (mut used, mut answers) = (0, 0);
        while let Some((frame, length)) = frame::first(&self.buffer[used..self.filled])? {
            match (frame.opcode, frame.payload) {
                (Opcode::Text, b"2") => self.stream.write_all(&masked(Opcode::Text, b"3"))?,
                (Opcode::Close, _) => return Err("the server closed the WebSocket".into()),
                (opcode, _) => answers += usize::from(opcode == self.answer),
            }
            used += length;
        }
        self.buffer.copy_within(used..self.filled, 0);
        self.filled -= used;
        Ok(answers)
    }
}

/// One event, its attachment included.
fn request(ack_id: usize, payload: Payload) -> Vec<u8> {
    match payload {
        Payload::Text(length) => {
            let text = Payload::letters(length);
            masked(Opcode::Text, format!(r#"42{ack_id}["echo","{text}"]"#).as_bytes())
        }
        Payload::Binary(length) => {
            let head = format!(r#"451-{ack_id}["echo",{{"_placeholder":true,"num":0}}]"#);
            let mut request = masked(Opcode::Text, head.as_bytes());
            request.extend(masked(Opcode::Binary, &Payload::bytes(length)));
            request
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_requests_of_a_window_have_one_length() {
        for payload in [Payload::Text(64), Payload::Binary(1024)] {
            let first = request(FIRST_ACK_ID, payload).len();
            let last = request(FIRST_ACK_ID + MOST_IN_FLIGHT - 1, payload).len();
            assert_eq!(first, last);
        }
    }
}

//! The options of `testbed-client`, and the line that it prints.
//!
//! The programs of other clients, in `tests/bench/clients` and `tests/peers`, take the same options and print the
//! same line.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Load before the measured time, for caches, allocators and compilers at run time to settle.
pub const WARM_UP: Duration = Duration::from_millis(500);

/// The options of every client program.
pub const USAGE: &str = "--url URL --window W --seconds S [--transport polling|websocket|upgrade] [--binary] \
                         [--payload BYTES] [--connects N]";

/// How the client reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Long-polling alone.
    Polling,
    /// WebSocket alone.
    WebSocket,
    /// Long-polling that moves to WebSocket.
    Upgrade,
}

/// What an echo carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// So many letters.
    Text(usize),
    /// An attachment of so many bytes.
    Binary(usize),
}

impl Payload {
    /// The letters of a text.
    #[must_use]
    pub fn letters(length: usize) -> String {
        ('a'..='z').cycle().take(length).collect()
    }

    /// The bytes of an attachment, neither text nor all alike.
    #[must_use]
    pub fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|index| (index * 37 % 251) as u8).collect()
    }
}

/// The load of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The server, which has the app `bench`.
    pub url: String,
    /// Echoes in flight.
    pub window: usize,
    /// How long is measured, after [`WARM_UP`].
    pub time: Duration,
    /// Default WebSocket.
    pub carrier: Carrier,
    /// Default a text of 64 letters.
    pub payload: Payload,
    /// How often to connect before the load, one after the other; the last connection carries it. Default 1.
    pub connects: usize,
}

impl Options {
    /// Reads a command line; `None` where something is missing, unknown or out of range.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let (mut url, mut window, mut seconds) = (None, None, None);
        let (mut carrier, mut length, mut connects) = (Carrier::WebSocket, 64, 1);
        let mut kind: fn(usize) -> Payload = Payload::Text;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--url" => url = Some(words.next()?),
                "--window" => window = Some(positive(&words.next()?)?),
                "--seconds" => seconds = Some(words.next()?.parse().ok()?),
                "--transport" => carrier = carrier_named(&words.next()?)?,
                "--binary" => kind = Payload::Binary,
                "--payload" => length = words.next()?.parse().ok()?,
                "--connects" => connects = positive(&words.next()?)?,
                _ => return None,
            }
        }
        Some(Self {
            url: url?,
            window: window?,
            time: Duration::try_from_secs_f64(seconds?).ok()?,
            carrier,
            payload: kind(length),
            connects,
        })
    }
}

fn positive(text: &str) -> Option<usize> {
    text.parse().ok().filter(|number| *number > 0)
}

fn carrier_named(name: &str) -> Option<Carrier> {
    Some(match name {
        "polling" => Carrier::Polling,
        "websocket" => Carrier::WebSocket,
        "upgrade" => Carrier::Upgrade,
        _ => return None,
    })
}

/// What a client program prints: one line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Which client.
    pub client: String,
    /// Echoes that came back as they were sent.
    pub operations: u64,
    /// How long that took.
    pub seconds: f64,
    /// Half of the echoes took at most this many microseconds.
    pub p50_us: f64,
    /// 99 of 100 echoes took at most this many microseconds.
    pub p99_us: f64,
    /// Processor time of the client's process for each, user and kernel, in microseconds.
    pub cpu_us_per_operation: f64,
    /// Echoes that failed or came back otherwise.
    pub errors: u64,
    /// From before the name is resolved until the namespace is joined: the median of all connects, in microseconds.
    pub connect_to_joined_us: f64,
}

/// What became of echoes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    /// How long each took that came back, in nanoseconds.
    pub latencies: Vec<u64>,
    /// The others.
    pub errors: u64,
}

impl Samples {
    /// Adds the samples of another.
    pub fn merge(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.errors += other.errors;
    }
}

/// Time and processor time since the measured load began.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    begun: Instant,
    processor: Duration,
}

impl Meter {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        Self {
            begun: Instant::now(),
            processor: processor_time(),
        }
    }

    /// Ends now, and sums up.
    #[must_use]
    pub fn finish(&self, client: &str, mut samples: Samples, mut connect_times: Vec<u64>) -> Line {
        let processor = processor_time().saturating_sub(self.processor);
        let seconds = self.begun.elapsed().as_secs_f64();
        samples.latencies.sort_unstable();
        connect_times.sort_unstable();
        let operations = samples.latencies.len() as u64;
        Line {
            client: client.to_owned(),
            operations,
            seconds,
            p50_us: percentile(&samples.latencies, 50),
            p99_us: percentile(&samples.latencies, 99),
            cpu_us_per_operation: processor.as_secs_f64() * 1e6 / operations.max(1) as f64,
            errors: samples.errors,
            connect_to_joined_us: percentile(&connect_times, 50),
        }
    }
}

/// Of all threads of this process so far, user and kernel.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// In microseconds, of sorted nanoseconds; 0 where there are none.
fn percentile(sorted: &[u64], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted
        .get(index)
        .map_or(0.0, |nanoseconds| *nanoseconds as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Options> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let options = parse("--url http://127.0.0.1:1 --window 16 --seconds 0.5").unwrap();
        assert_eq!(
            (
                options.window,
                options.time,
                options.carrier,
                options.payload,
                options.connects
            ),
            (
                16,
                Duration::from_millis(500),
                Carrier::WebSocket,
                Payload::Text(64),
                1
            )
        );
    }

    #[test]
    fn the_kind_and_the_length_of_the_payload_come_in_any_order() {
        for line in ["--binary --payload 1024", "--payload 1024 --binary"] {
            let options = parse(&format!("--url u --window 1 --seconds 1 {line}")).unwrap();
            assert_eq!(options.payload, Payload::Binary(1024));
        }
    }

    #[test]
    fn bad_options_are_refused() {
        for line in [
            "--window 1 --seconds 1",
            "--url u --seconds 1",
            "--url u --window 0 --seconds 1",
            "--url u --window 1 --seconds -1",
            "--url u --window 1 --seconds 1 --transport pigeon",
            "--url u --window 1 --seconds 1 --connects 0",
            "--url u --window 1 --seconds 1 --verbose",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let sorted: Vec<u64> = (1..=100).map(|value| value * 1000).collect();
        assert_eq!(percentile(&sorted, 50), 51.0);
        assert_eq!(percentile(&sorted, 99), 100.0);
        assert_eq!(percentile(&[], 50), 0.0);
    }
}

//! The bench's client on rust_socketio, which takes the options of `testbed-client` and prints the same line.
//!
//! An answer that does not come within [`ANSWER_WITHIN`], or is not what was sent, counts as an error. Version 0.6.0
//! panics as soon as two echoes in flight have the same number: it draws them at random from 999, and with 16 in
//! flight that takes a moment.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use rust_socketio::asynchronous::{Client, ClientBuilder};
use rust_socketio::{Event, Payload, TransportType};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

const USAGE: &str = "rust-socketio-peer --url URL --window W --seconds S \
                     [--transport polling|websocket|upgrade] [--binary] [--payload BYTES] [--connects N]";
/// How long an echo may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Load before the measured time.
const WARM_UP: Duration = Duration::from_millis(500);

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        eprintln!("usage: {USAGE}");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the runtime starts");
    match runtime.block_on(measure(options)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("rust-socketio-peer: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    url: String,
    window: usize,
    seconds: f64,
    transport: TransportType,
    binary: bool,
    payload: usize,
    connects: usize,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut values = HashMap::new();
        let mut binary = false;
        while let Some(word) = words.next() {
            if word == "--binary" {
                binary = true;
            } else {
                values.insert(word, words.next()?);
            }
        }
        let mut take = |name: &str| values.remove(name);
        let options = Self {
            url: take("--url")?,
            window: take("--window")?.parse().ok().filter(|window| *window > 0)?,
            seconds: take("--seconds")?.parse().ok()?,
            transport: match take("--transport").as_deref() {
                Some("polling") => TransportType::Polling,
                Some("websocket") | None => TransportType::Websocket,
                Some("upgrade") => TransportType::WebsocketUpgrade,
                Some(_) => return None,
            },
            binary,
            payload: take("--payload").map_or(Some(64), |value| value.parse().ok())?,
            connects: take("--connects").map_or(Some(1), |value| value.parse().ok())?,
        };
        values.is_empty().then_some(options)
    }

    fn argument(&self) -> Payload {
        if self.binary {
            // Without 0x1e, at which this client cuts what it receives.
            Payload::Binary((0..self.payload).map(|index| (index * 37 % 23) as u8).collect())
        } else {
            let letters = ('a'..='z').cycle().take(self.payload).collect();
            Payload::Text(vec![Value::String(letters)])
        }
    }
}

async fn measure(options: Options) -> Result<Value, Failure> {
    let mut connect_times = Vec::new();
    let mut client = None;
    for _ in 0..options.connects.max(1) {
        if let Some(earlier) = client.take() {
            let earlier: Client = earlier;
            earlier.disconnect().await?;
        }
        let begun = Instant::now();
        client = Some(connect(&options).await?);
        connect_times.push(begun.elapsed().as_nanos() as u64);
    }
    let client = client.ok_or("there is no connection")?;
    let argument = options.argument();
    run(&client, &options, &argument, WARM_UP).await;
    let (begun, cpu) = (Instant::now(), processor_time());
    let (mut latencies, errors) = run(&client, &options, &argument, Duration::from_secs_f64(options.seconds)).await;
    let (cpu, seconds) = (processor_time().saturating_sub(cpu), begun.elapsed().as_secs_f64());
    latencies.sort_unstable();
    connect_times.sort_unstable();
    let operations = latencies.len();
    if operations == 0 {
        // What it panicked with stands on standard error already.
        return Err(format!("no echo came back as it was sent, {errors} failed").into());
    }
    Ok(json!({
        "client": "rust_socketio",
        "operations": operations,
        "seconds": seconds,
        "p50_us": percentile(&latencies, 50),
        "p99_us": percentile(&latencies, 99),
        "cpu_us_per_operation": cpu.as_secs_f64() * 1e6 / operations.max(1) as f64,
        "errors": errors,
        "connect_to_joined_us": percentile(&connect_times, 50),
    }))
}

/// Returns once the namespace is joined.
async fn connect(options: &Options) -> Result<Client, Failure> {
    let joined = Arc::new(Notify::new());
    let told = joined.clone();
    let client = ClientBuilder::new(options.url.as_str())
        .transport_type(options.transport.clone())
        .reconnect(false)
        .on(Event::Connect, move |_, _| {
            let told = told.clone();
            async move { told.notify_one() }.boxed()
        })
        .connect()
        .await?;
    tokio::time::timeout(Duration::from_secs(10), joined.notified()).await?;
    Ok(client)
}

/// Keeps the window full for `time`: nanoseconds of every right answer, and how many went wrong.
async fn run(client: &Client, options: &Options, argument: &Payload, time: Duration) -> (Vec<u64>, u64) {
    let end = Instant::now() + time;
    let workers: Vec<_> = (0..options.window)
        .map(|_| tokio::spawn(echoes(client.clone(), argument.clone(), end)))
        .collect();
    let (mut latencies, mut errors) = (Vec::new(), 0);
    for worker in workers {
        match worker.await {
            Ok((more, wrong)) => {
                latencies.extend(more);
                errors += wrong;
            }
            // It panicked.
            Err(_) => errors += 1,
        }
    }
    (latencies, errors)
}

/// One echo after the other. Its callback must not emit: the client holds its table of acknowledgements meanwhile.
async fn echoes(client: Client, argument: Payload, end: Instant) -> (Vec<u64>, u64) {
    let (mut latencies, mut errors) = (Vec::new(), 0);
    let (answers, mut answered) = mpsc::unbounded_channel();
    while Instant::now() < end {
        let begun = Instant::now();
        let answers = answers.clone();
        let callback = move |answer: Payload, _: Client| {
            // Nobody waits for an answer that is late.
            let _ = answers.send(answer);
            async {}.boxed()
        };
        let sent = client.emit_with_ack("echo", argument.clone(), ANSWER_WITHIN, callback).await;
        let answer = match sent {
            Ok(()) => tokio::time::timeout(ANSWER_WITHIN, answered.recv()).await.ok().flatten(),
            Err(_) => None,
        };
        if answer.is_some_and(|answer| is_echo(&answer, &argument)) {
            latencies.push(begun.elapsed().as_nanos() as u64);
        } else {
            errors += 1;
            // A connection that is gone fails at once.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    (latencies, errors)
}

fn is_echo(answer: &Payload, argument: &Payload) -> bool {
    match (answer, argument) {
        (Payload::Binary(answer), Payload::Binary(argument)) => answer == argument,
        // An answer is the list of its arguments, inside a list of one.
        (Payload::Text(answer), Payload::Text(argument)) => {
            answer == argument || matches!(answer.as_slice(), [Value::Array(list)] if list == argument)
        }
        _ => false,
    }
}

/// Of all threads of this process so far, user and kernel.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// In microseconds, of sorted nanoseconds.
fn percentile(sorted: &[u64], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(0.0, |nanoseconds| *nanoseconds as f64 / 1000.0)
}

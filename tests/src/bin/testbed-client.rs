//! A client under load: echoes with a full window against the app `bench`, then one line of JSON.
//!
//! `testbed-client --binding tokio --url URL --window W --seconds S`; `socketio_tests::client_load` says what the line
//! holds.

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use socketio_tests::client_load::{Carrier, Line, Meter, Options, Payload, Samples, USAGE, WARM_UP};
use socketio_tokio::Bytes;
use socketio_tokio::client::{Client, ClientSocket, ConnectError, TransportOrder};

/// An answer that takes longer is an error.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let Some(options) = parse(std::env::args().skip(1)) else {
        eprintln!("usage: testbed-client --binding tokio {USAGE}");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the runtime starts");
    match runtime.block_on(measure(&options)) {
        Ok(line) => {
            println!("{}", serde_json::json!(line));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("testbed-client: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The first two words name the binding.
fn parse(mut words: impl Iterator<Item = String>) -> Option<Options> {
    let binding = (words.next()?, words.next()?);
    let is_known = (binding.0.as_str(), binding.1.as_str()) == ("--binding", "tokio");
    is_known.then(|| Options::parse(words)).flatten()
}

async fn measure(options: &Options) -> Result<Line, Box<dyn Error>> {
    let mut connect_times = Vec::with_capacity(options.connects);
    let client = loop {
        let begun = Instant::now();
        let client = connect(options).await?;
        connect_times.push(begun.elapsed().as_nanos() as u64);
        if connect_times.len() == options.connects {
            break client;
        }
        client.disconnect();
        client.closed().await;
    };
    let socket = client.of("/")?;
    let (meter, samples) = match options.payload {
        Payload::Text(length) => load(&socket, options, Payload::letters(length)).await,
        Payload::Binary(length) => load(&socket, options, Bytes::from(Payload::bytes(length))).await,
    };
    let line = meter.finish("socketio-tokio", samples, connect_times);
    client.disconnect();
    client.closed().await;
    Ok(line)
}

async fn connect(options: &Options) -> Result<Client, ConnectError> {
    let order = match options.carrier {
        Carrier::Polling => TransportOrder::Polling,
        Carrier::WebSocket => TransportOrder::WebSocket,
        Carrier::Upgrade => TransportOrder::PollingFirst,
    };
    socketio_tokio::connect(Client::builder(&options.url).transports(order)).await
}

/// Warms up, then measures.
async fn load<T>(socket: &ClientSocket, options: &Options, payload: T) -> (Meter, Samples)
where
    T: Serialize + DeserializeOwned + PartialEq + Clone + Send + Sync + 'static,
{
    run(socket, options.window, &payload, WARM_UP).await;
    let meter = Meter::start();
    let samples = run(socket, options.window, &payload, options.time).await;
    (meter, samples)
}

/// Keeps the window full for a time.
async fn run<T>(socket: &ClientSocket, window: usize, payload: &T, time: Duration) -> Samples
where
    T: Serialize + DeserializeOwned + PartialEq + Clone + Send + Sync + 'static,
{
    let end = Instant::now() + time;
    let workers: Vec<_> = (0..window)
        .map(|_| tokio::spawn(echoes(socket.clone(), payload.clone(), end)))
        .collect();
    let mut samples = Samples::default();
    for worker in workers {
        match worker.await {
            Ok(more) => samples.merge(more),
            // It panicked.
            Err(_) => samples.errors += 1,
        }
    }
    samples
}

/// One echo after the other.
async fn echoes<T>(socket: ClientSocket, payload: T, end: Instant) -> Samples
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    let mut samples = Samples::default();
    let mut begun = Instant::now();
    while begun < end {
        let answer = socket.call::<T>("echo", &payload).timeout(ANSWER_WITHIN).await;
        let now = Instant::now();
        match answer {
            Ok(echo) if echo == payload => samples.latencies.push((now - begun).as_nanos() as u64),
            Ok(_) => samples.errors += 1,
            Err(_) => {
                samples.errors += 1;
                // A connection that is gone fails at once.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        begun = now;
    }
    samples
}

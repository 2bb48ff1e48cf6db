//! A client under load: echoes with a full window against the app `bench`, then one line of JSON.
//!
//! `testbed-client --binding tokio|smol|async-std|blocking --url URL --window W --seconds S`: the line is described in `socketio_tests::client_load`. The load waits where the binding's users wait, so that no other
//! runtime is measured: each place of the window is a task on the one thread of a runtime, or a thread where there is
//! none.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use smol::future::{Boxed, FutureExt as _, block_on};
use socketio_driver::client::{Client, ClientSocket, ConnectError, TransportOrder};
use socketio_driver::engine::{self, Dial};
use socketio_driver::{Async, Bytes};
use socketio_tests::binding::{Binding, threads, threads_of_async_std};
use socketio_tests::client_load::{Carrier, Line, Meter, Options, Payload, Samples, USAGE, WARM_UP};
use tokio::sync::mpsc::unbounded_channel;

/// An answer that takes longer is an error.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

type Outcome = Result<Line, Box<dyn Error + Send + Sync>>;

/// A binding's client under load.
#[derive(Clone)]
struct Load<R> {
    binding: Binding,
    runtime: R,
    /// Begins another place of the window.
    begin: fn(&R, Boxed<()>),
    options: Options,
}

fn main() -> ExitCode {
    let Some((binding, options)) = parse(std::env::args().skip(1)) else {
        eprintln!("usage: testbed-client --binding tokio|smol|async-std|blocking {USAGE}");
        return ExitCode::from(2);
    };
    match run(binding, options) {
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
fn parse(mut words: impl Iterator<Item = String>) -> Option<(Binding, Options)> {
    let (option, name) = (words.next()?, words.next()?);
    let binding =
        Binding::named(&name).filter(|binding| option == "--binding" && *binding != Binding::Epoll)?;
    Some((binding, Options::parse(words)?))
}

fn run(binding: Binding, options: Options) -> Outcome {
    match binding {
        Binding::Tokio => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                Load::new(binding, socketio_tokio::Tokio::current(), options)
                    .measure()
                    .await
            })
        }
        Binding::Smol => {
            let executor = Arc::new(smol::Executor::new());
            let runtime = socketio_smol::Smol::on(Arc::clone(&executor));
            smol::block_on(executor.run(Load::new(binding, runtime, options).measure()))
        }
        Binding::AsyncStd => {
            threads_of_async_std(1)?;
            let load = Load::new(binding, socketio_async_std::AsyncStd, options);
            async_std::task::block_on(async_std::task::spawn(load.measure()))
        }
        Binding::Blocking => {
            let mut load = Load::new(binding, threads().handle(), options);
            load.begin = |_, place| drop(thread::spawn(|| block_on(place)));
            block_on(load.measure())
        }
        Binding::Epoll => Err("there is no client on the bare event loop".into()),
    }
}

impl<R: Dial> Load<R> {
    fn new(binding: Binding, runtime: R, options: Options) -> Self {
        Self {
            binding,
            runtime,
            begin: |runtime, place| runtime.spawn(place),
            options,
        }
    }

    async fn measure(self) -> Outcome {
        let mut connect_times = Vec::with_capacity(self.options.connects);
        let client = loop {
            let begun = Instant::now();
            let client = self.connect().await?;
            connect_times.push(begun.elapsed().as_nanos() as u64);
            if connect_times.len() == self.options.connects {
                break client;
            }
            client.disconnect();
            client.closed().await;
        };
        let socket = client.of("/")?;
        let (meter, samples) = match self.options.payload {
            Payload::Text(length) => self.load(&socket, Payload::letters(length)).await,
            Payload::Binary(length) => self.load(&socket, Bytes::from(Payload::bytes(length))).await,
        };
        let name = format!("socketio-{}", self.binding.name());
        let line = meter.finish(&name, samples, connect_times);
        client.disconnect();
        client.closed().await;
        Ok(line)
    }

    async fn connect(&self) -> Result<Client, ConnectError> {
        let order = match self.options.carrier {
            Carrier::Polling => TransportOrder::Polling,
            Carrier::WebSocket => TransportOrder::WebSocket,
            Carrier::Upgrade => TransportOrder::PollingFirst,
        };
        let builder = Client::builder(&self.options.url).transports(order);
        engine::connect::<R, Async>(self.runtime.clone(), builder).await
    }

    /// Warms up, then measures.
    async fn load<T>(&self, socket: &ClientSocket, payload: T) -> (Meter, Samples)
    where
        T: Serialize + DeserializeOwned + PartialEq + Clone + Send + Sync + 'static,
    {
        self.fill(socket, &payload, WARM_UP).await;
        let meter = Meter::start();
        let samples = self.fill(socket, &payload, self.options.time).await;
        (meter, samples)
    }

    /// Keeps the window full for a time.
    async fn fill<T>(&self, socket: &ClientSocket, payload: &T, time: Duration) -> Samples
    where
        T: Serialize + DeserializeOwned + PartialEq + Clone + Send + Sync + 'static,
    {
        let end = Instant::now() + time;
        let (report, mut reports) = unbounded_channel();
        for _ in 0..self.options.window {
            let (runtime, report) = (self.runtime.clone(), report.clone());
            let (socket, payload) = (socket.clone(), payload.clone());
            let place = async move {
                // The receiver waits for all.
                let _ = report.send(echoes(runtime, socket, payload, end).await);
            };
            (self.begin)(&self.runtime, place.boxed());
        }
        drop(report);
        let (mut samples, mut reported) = (Samples::default(), 0);
        while let Some(more) = reports.recv().await {
            samples.merge(more);
            reported += 1;
        }
        // Those that panicked.
        samples.errors += self.options.window as u64 - reported;
        samples
    }
}

/// One echo after the other.
async fn echoes<T>(runtime: impl Dial, socket: ClientSocket, payload: T, end: Instant) -> Samples
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
                drop(runtime.sleep_until(now + Duration::from_millis(1)).await);
            }
        }
        begun = now;
    }
    samples
}

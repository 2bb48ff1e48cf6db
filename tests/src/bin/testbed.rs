//! A server to be looked at from outside: `testbed --binding tokio --app APP --port N`, where APP is `engine`,
//! `hurried-engine`, `suite`, `hurried-suite`, `bench`, `lab` or `interop`.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use socketio_blocking::{Blocking, Threads};
use socketio_driver::bare::EngineServer;
use socketio_driver::engine::{self as driver, Listener, Runtime};
use socketio_driver::{Async, Server};
use socketio_tests::apps::calls::CallingKind;
use socketio_tests::apps::{Pace, bench, engine, epoll, interop, lab, suite};
use socketio_tests::binding::{Binding, threads_of_async_std};

const USAGE: &str = "testbed --binding tokio|smol|async-std|blocking|epoll \
                     --app [hurried-]engine|[hurried-]suite|bench|lab|interop --port N \
                     [--threads N] [--data value|raw|typed] [--lifeline stdin] [--ping-interval MS] \
                     [--ping-timeout MS] [--transports polling,websocket]";

struct Options {
    binding: Binding,
    app: String,
    port: u16,
    threads: Option<usize>,
    data: bench::Data,
    interop: interop::Settings,
}

/// What is served.
enum App<S> {
    Engine(EngineServer),
    Sockets(S),
}

fn main() -> ExitCode {
    let Some(options) = parse(std::env::args().skip(1)) else {
        eprintln!("usage: {USAGE}");
        return ExitCode::from(2);
    };
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        binding: Binding::Tokio,
        app: String::new(),
        port: 0,
        threads: None,
        data: bench::Data::Raw,
        interop: interop::Settings::default(),
    };
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--binding" => options.binding = Binding::named(&value)?,
            "--app" => options.app = value,
            "--port" => options.port = value.parse().ok()?,
            "--threads" => options.threads = Some(value.parse().ok().filter(|threads| *threads > 0)?),
            "--lifeline" if value == "stdin" => end_with_stdin(),
            "--ping-interval" => options.interop.ping_interval = milliseconds(&value)?,
            "--ping-timeout" => options.interop.ping_timeout = milliseconds(&value)?,
            "--transports" => options.interop.transports = interop::transports(&value)?,
            "--data" => options.data = bench::Data::parse(&value)?,
            _ => return None,
        }
    }
    Some(options)
}

fn milliseconds(word: &str) -> Option<Duration> {
    word.parse().ok().map(Duration::from_millis)
}

/// Ends this process when standard input ends, however the one at its other end did.
fn end_with_stdin() {
    thread::spawn(|| {
        // An error is an end, too.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
}

impl Options {
    fn threads(&self) -> usize {
        self.threads.unwrap_or(2)
    }
}

impl<S> App<S> {
    /// The application with this name, for the binding whose servers are `S`.
    fn named<K: CallingKind<Server = S>>(options: &Options) -> io::Result<Self> {
        Ok(Self::Sockets(match options.app.as_str() {
            "engine" => return Ok(Self::Engine(engine::server(Pace::Patient))),
            "hurried-engine" => return Ok(Self::Engine(engine::server(Pace::Hurried))),
            "suite" => suite::server::<K>(Pace::Patient),
            "hurried-suite" => suite::server::<K>(Pace::Hurried),
            "lab" => lab::server::<K>(),
            "interop" => interop::server::<K>(options.interop),
            "bench" => bench::server::<K>(options.data),
            other => {
                return Err(io::Error::other(format!(
                    "there is no app {other:?}; usage: {USAGE}"
                )));
            }
        }))
    }
}

/// `--threads` counts those that run connections and handlers; the event loop has one. `--data` is of those with a router.
fn serve(options: &Options) -> io::Result<()> {
    if options.binding == Binding::AsyncStd {
        threads_of_async_std(options.threads())?;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    println!("listening on {address}");
    match options.binding {
        Binding::Tokio => on_tokio(options, listener),
        Binding::Smol => on_smol(options, listener),
        Binding::AsyncStd => {
            let app = App::named::<Async>(options)?;
            let listener = async_std::net::TcpListener::from(listener);
            let serving = run(socketio_async_std::AsyncStd, listener, app);
            async_std::task::block_on(async_std::task::spawn(serving))
        }
        Binding::Blocking => on_threads(options, listener),
        Binding::Epoll => epoll::serve(listener, &options.app, options.interop),
    }
}

async fn run<R: Runtime, L: Listener<R>>(runtime: R, listener: L, app: App<Server>) -> io::Result<()> {
    match app {
        App::Engine(server) => driver::serve_engine(runtime, listener, server).await,
        App::Sockets(server) => driver::serve(runtime, listener, server).await,
    }
}

fn on_tokio(options: &Options, listener: TcpListener) -> io::Result<()> {
    let app = App::named::<Async>(options)?;
    let mut builder = if options.threads() == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = builder.worker_threads(options.threads()).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        run(socketio_tokio::Tokio::current(), listener, app).await
    })
}

/// `--threads` are workers here; the default is the binding's.
fn on_threads(options: &Options, listener: TcpListener) -> io::Result<()> {
    let app = App::named::<Blocking>(options)?;
    let mut threads = Threads::builder();
    if let Some(count) = options.threads {
        threads = threads.workers(count);
    }
    let threads = threads.build()?;
    match app {
        App::Engine(server) => threads.serve_engine(listener, server),
        App::Sockets(server) => threads.serve(listener, server),
    }
}

/// On an executor of its own: the threads of the global one can be set in the environment alone.
fn on_smol(options: &Options, listener: TcpListener) -> io::Result<()> {
    let app = App::named::<Async>(options)?;
    let executor = Arc::new(smol::Executor::new());
    for _ in 1..options.threads() {
        let executor = Arc::clone(&executor);
        thread::spawn(move || smol::block_on(executor.run(std::future::pending::<()>())));
    }
    let runtime = socketio_smol::Smol::on(Arc::clone(&executor));
    let listener: smol::net::TcpListener = listener.try_into()?;
    smol::block_on(executor.run(run(runtime, listener, app)))
}

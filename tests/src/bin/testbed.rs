//! A server to be looked at from outside: `testbed --binding tokio --app engine|suite|bench|lab|interop --port N`.

use std::io;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use socketio_tests::apps::{bench, engine, interop, lab, suite};
use tokio::net::TcpListener;

const USAGE: &str = "testbed --binding tokio --app engine|suite|bench|lab|interop --port N \
                     [--threads N] [--data value|raw|typed] [--lifeline stdin] [--ping-interval MS] \
                     [--ping-timeout MS] [--transports polling,websocket]";

struct Options {
    app: String,
    port: u16,
    threads: usize,
    data: bench::Data,
    interop: interop::Settings,
}

fn main() -> ExitCode {
    let Some(options) = parse(std::env::args().skip(1)) else {
        eprintln!("usage: {USAGE}");
        return ExitCode::from(2);
    };
    let mut builder = if options.threads == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = builder.worker_threads(options.threads).enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(serve(&options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        app: String::new(),
        port: 0,
        threads: 2,
        data: bench::Data::Raw,
        interop: interop::Settings::default(),
    };
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--binding" if value == "tokio" => {}
            "--app" => options.app = value,
            "--port" => options.port = value.parse().ok()?,
            "--threads" => options.threads = value.parse().ok().filter(|threads| *threads > 0)?,
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

async fn serve(options: &Options) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let address = listener.local_addr()?;
    let server = match options.app.as_str() {
        "engine" => {
            println!("listening on {address}");
            return socketio_tokio::serve_engine(listener, engine::server()).await;
        }
        "suite" => suite::server(),
        "lab" => lab::server(),
        "interop" => interop::server(options.interop),
        "bench" => bench::server(options.data),
        other => {
            return Err(io::Error::other(format!(
                "there is no app {other:?}; usage: {USAGE}"
            )));
        }
    };
    println!("listening on {address}");
    socketio_tokio::serve(listener, server).await
}

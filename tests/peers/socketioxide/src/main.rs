//! Applications of the tests on socketioxide: that of the bench, set up the way its documentation advises for speed,
//! and `interop`, which clients are checked with.
//!
//! `socketioxide-peer --port N --threads T` serves `/socket.io/` on 127.0.0.1 and prints `listening on ADDR`.

mod argument;
mod interop;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use argument::Argument;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// Packets one client may have waiting; the default of 128 closes clients that many broadcasts in flight reach.
const MAX_BUFFERED_PACKETS: usize = 4096;
/// Bytes of one polling request, as JavaScript servers have it; the default of 100 kB is below the bench's frames.
const MAX_PAYLOAD_BYTES: u64 = 1_000_000;

const USAGE: &str = "socketioxide-peer --port N --threads T [--app bench|interop] [--ping-interval MS] \
                     [--ping-timeout MS] [--transports polling,websocket] [--lifeline stdin]";

struct Options {
    port: u16,
    threads: usize,
    app: App,
    interop: interop::Settings,
}

#[derive(Clone, Copy)]
enum App {
    Bench,
    Interop,
}

fn main() {
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\nusage: {USAGE}");
            std::process::exit(2);
        }
    };
    let runtime = runtime(options.threads).expect("the runtime starts");
    runtime
        .block_on(serve(&options))
        .expect("the port can be listened on");
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        port: 0,
        threads: 1,
        app: App::Bench,
        interop: interop::Settings {
            ping_interval: Duration::from_secs(1),
            ping_timeout: Duration::from_secs(20),
            transports: interop::Transports::Both,
        },
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--port" => options.port = value.parse().map_err(|_| format!("{value} is no port"))?,
            "--threads" => options.threads = value.parse().map_err(|_| format!("{value} is no number"))?,
            "--app" => {
                options.app = match value.as_str() {
                    "bench" => App::Bench,
                    "interop" => App::Interop,
                    _ => return Err(format!("there is no app {value}")),
                };
            }
            "--binding" => {}
            "--ping-interval" => options.interop.ping_interval = milliseconds(&value)?,
            "--ping-timeout" => options.interop.ping_timeout = milliseconds(&value)?,
            "--transports" => {
                options.interop.transports =
                    interop::Transports::parse(&value).ok_or_else(|| format!("{value} are no transports"))?;
            }
            "--lifeline" => interop::end_with_stdin(),
            _ => return Err(format!("{name} is unknown")),
        }
    }
    Ok(options)
}

fn milliseconds(word: &str) -> Result<Duration, String> {
    word.parse()
        .map(Duration::from_millis)
        .map_err(|_| format!("{word} is no number"))
}

/// One thread needs no work stealing, so it gets the cheaper scheduler.
fn runtime(threads: usize) -> std::io::Result<Runtime> {
    if threads <= 1 {
        Builder::new_current_thread().enable_all().build()
    } else {
        Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
    }
}

async fn serve(options: &Options) -> std::io::Result<()> {
    let builder = SocketIo::builder()
        .max_buffer_size(MAX_BUFFERED_PACKETS)
        .max_payload(MAX_PAYLOAD_BYTES);
    let (service, io) = match options.app {
        App::Bench => builder.build_svc(),
        App::Interop => interop::transports(builder, options.interop.transports)
            .ping_interval(options.interop.ping_interval)
            .ping_timeout(options.interop.ping_timeout)
            .build_svc(),
    };
    match options.app {
        App::Bench => io.ns("/", on_connect),
        App::Interop => interop::install(&io),
    }

    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port))).await?;
    println!("listening on {}", listener.local_addr()?);
    std::io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service.clone();
        tokio::spawn(async move {
            // A client that goes away is the client's business.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
        });
    }
}

async fn on_connect(socket: SocketRef) {
    socket.on("echo", async |Data::<Argument>(value), ack: AckSender| {
        let _ = ack.send(&value);
    });
    socket.on("say", async |socket: SocketRef, Data::<Argument>(value)| {
        let _ = socket.emit("said", &value);
    });
    socket.on("cast", async |io: SocketIo, Data::<Argument>(value)| {
        let _ = io.emit("casted", &value).await;
    });
    socket.on(
        "join",
        async |socket: SocketRef, Data::<String>(room), ack: AckSender| {
            socket.join(room);
            let _ = ack.send(&());
        },
    );
    socket.on(
        "room",
        async |io: SocketIo, Data::<(String, Argument)>((room, value))| {
            let _ = io.to(room).emit("roomed", &value).await;
        },
    );
}

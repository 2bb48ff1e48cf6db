//! Starts the server programs that cases connect to: one process per application, shared by all cases of a test
//! process, gone when that process is.
//!
//! The program is `testbed --binding NAME --app NAME --port 0`; it prints `listening on ADDRESS` as its
//! first line. `TESTBED_COMMAND` names another one (its words split at spaces, the same options appended), such as an
//! implementation in another language.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What a server does with what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// Bare Engine.IO on `/engine.io/`: ping interval 25 s, ping timeout 20 s, payload limit 1,000,000 bytes, CORS `*`;
    /// sends every message back.
    Engine,
    /// The same with the ping interval and timeout of the official suite, 300 ms and 200 ms. Only for cases about pings:
    /// a client on a busy machine cannot always answer in time.
    HurriedEngine,
    /// Socket.IO on `/socket.io/` as the official suite wants it, but for its times: ping interval 25 s, ping timeout
    /// 20 s, connect timeout 45 s; 1,000,000 bytes, CORS `*`, namespaces `/` and `/custom`. On connection both emit
    /// `auth` with the handshake's auth, `{}` if none. On `/`, `message` is answered by `message-back` with the same
    /// arguments, `message-with-ack` by an acknowledgement with the same arguments.
    Suite,
    /// The same with the times of the official suite: 300 ms, 200 ms, and a connect timeout of 1 s.
    HurriedSuite,
    /// Socket.IO on `/socket.io/` for what the other two cannot show; see [`crate::conformance`] for its contract.
    Lab,
}

impl App {
    /// The value of the program's `--app` option.
    pub fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::HurriedEngine => "hurried-engine",
            Self::Suite => "suite",
            Self::HurriedSuite => "hurried-suite",
            Self::Lab => "lab",
        }
    }

    /// Whether it is bare Engine.IO.
    pub fn is_engine(self) -> bool {
        matches!(self, Self::Engine | Self::HurriedEngine)
    }

    /// Whether it is what the official Socket.IO suite wants.
    pub fn is_suite(self) -> bool {
        matches!(self, Self::Suite | Self::HurriedSuite)
    }
}

/// A running server.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it runs.
    pub app: App,
}

impl Target {
    /// The path of its requests, without a query.
    pub fn path(&self) -> &'static str {
        if self.app.is_engine() {
            "/engine.io/"
        } else {
            "/socket.io/"
        }
    }
}

struct Running {
    target: Target,
    binding: String,
    /// Its end is what stops the server.
    _lifeline: ChildStdin,
}

static RUNNING: Mutex<Vec<Running>> = Mutex::new(Vec::new());

/// The server of this binding and application, started if it is not running yet.
///
/// `program` is the testbed binary when Cargo built one; `TESTBED_COMMAND` wins over it.
///
/// # Panics
///
/// When there is no program or it does not print where it listens.
pub fn start(binding: &str, app: App, program: Option<&str>) -> Target {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = running
        .iter()
        .find(|known| known.target.app == app && known.binding == binding)
    {
        return known.target.clone();
    }
    let (target, lifeline) = spawn(binding, app, program);
    running.push(Running {
        target: target.clone(),
        binding: binding.to_owned(),
        _lifeline: lifeline,
    });
    target
}

/// Runs the program under a shell that ends it when our end of its standard input closes, however this process ends.
fn spawn(binding: &str, app: App, program: Option<&str>) -> (Target, ChildStdin) {
    const UNTIL_STDIN_ENDS: &str = r#""$@" </dev/null & server=$!; cat >/dev/null; kill -9 $server"#;
    let command = std::env::var("TESTBED_COMMAND").ok();
    let words: Vec<&str> = match (&command, program) {
        (Some(command), _) => command.split_whitespace().collect(),
        (None, Some(program)) => vec![program],
        (None, None) => panic!("no server to test: build the binary `testbed` or set TESTBED_COMMAND"),
    };
    let mut child = Command::new("sh")
        .args(["-c", UNTIL_STDIN_ENDS, "sh"])
        .args(words)
        .args(["--binding", binding, "--app", app.name(), "--port", "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell runs");
    let lifeline = child.stdin.take().expect("stdin is piped");
    let mut output = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let mut line = String::new();
    output
        .read_line(&mut line)
        .expect("the testbed's output is readable");
    let address = line
        .trim()
        .strip_prefix("listening on ")
        .and_then(|address| address.parse().ok());
    let address =
        address.unwrap_or_else(|| panic!("the testbed printed {line:?} instead of where it listens"));
    // Whatever it prints later must not block it.
    thread::spawn(move || (output.read_to_end(&mut Vec::new()), child.wait()));
    (Target { address, app }, lifeline)
}

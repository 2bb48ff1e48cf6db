//! Server processes under test, and scripts in other languages that check them.
//!
//! A script is given the server's URL and prints one line per check, `ok NAME` or `not ok NAME: why`, and `done` at
//! its end. It may print `stop-server` and `start-server`; each is done and then answered with a line on the
//! script's standard input.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::binding::Binding;

/// How long a server may take to print `listening on ADDRESS`.
const START_WITHIN: Duration = Duration::from_secs(30);
/// How long a script may be silent. Its checks have shorter limits of their own.
const SILENT_AT_MOST: Duration = Duration::from_secs(90);

/// A server process that ends with the test.
#[derive(Debug)]
pub struct ServerProcess {
    command: ServerCommand,
    child: KilledOnDrop,
    address: SocketAddr,
}

/// How a server is started.
#[derive(Debug, Clone)]
pub struct ServerCommand {
    /// The program and its arguments but `--port`.
    pub words: Vec<OsString>,
    /// Where it runs, if not here.
    pub folder: Option<PathBuf>,
}

impl ServerProcess {
    /// Starts `command --port 0` and waits for its line `listening on ADDRESS`.
    ///
    /// # Panics
    ///
    /// If the command cannot be run or does not listen in time.
    #[must_use]
    pub fn start(command: ServerCommand) -> Self {
        let (child, address) = spawn_server(&command, 0).expect("the server starts");
        Self {
            command,
            child,
            address,
        }
    }

    /// Starts the testbed with `app` on a binding. `binary` is `option_env!("CARGO_BIN_EXE_testbed")`, which
    /// only integration tests know; the environment variable `TESTBED_COMMAND` names another server to try the
    /// scripts against, for instance the published one.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start), and if there is neither.
    #[must_use]
    pub fn start_testbed(binary: Option<&str>, binding: Binding, app: &str) -> Self {
        let other = env::var("TESTBED_COMMAND").ok();
        let program = other
            .as_deref()
            .or(binary)
            .expect("there is a testbed, or TESTBED_COMMAND names a server");
        let options = ["--binding", binding.name(), "--app", app];
        let words = program.split_whitespace().chain(options);
        Self::start(ServerCommand {
            words: words.map(OsString::from).collect(),
            folder: None,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Kills the process, so that its clients get no close packet.
    pub fn stop(&mut self) {
        self.child.kill();
    }

    /// Starts the process again on the same port.
    ///
    /// # Panics
    ///
    /// If it does not listen in time.
    pub fn start_again(&mut self) {
        let deadline = Instant::now() + START_WITHIN;
        let (child, address) = loop {
            // An outgoing connection of another process may hold the port for a moment.
            match spawn_server(&self.command, self.address.port()) {
                Ok(started) => break started,
                Err(why) => assert!(Instant::now() < deadline, "{why}"),
            }
        };
        assert_eq!(address, self.address);
        self.child = child;
    }
}

/// Runs `script` against `server` and compares the names of its checks with `expected`.
///
/// # Panics
///
/// If a check fails, is missing or is unknown, or the script falls silent.
pub fn run_checks(script: &mut Command, server: &mut ServerProcess, expected: &[&str]) {
    let mut child = KilledOnDrop(
        script
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the script can be run"),
    );
    let lines = lines_of(child.0.stdout.take().expect("stdout is a pipe"));
    let mut stdin = child.0.stdin.take().expect("stdin is a pipe");
    let mut passed = BTreeSet::new();
    let mut failed = Vec::new();
    loop {
        let line = lines.recv_timeout(SILENT_AT_MOST).unwrap_or_else(|error| {
            panic!("the script ended or hangs ({error}); passed: {passed:?}, failed: {failed:#?}")
        });
        match line.as_str() {
            "done" => break,
            "stop-server" => server.stop(),
            "start-server" => server.start_again(),
            _ => {
                if let Some(name) = line.strip_prefix("ok ") {
                    passed.insert(name.to_owned());
                } else {
                    failed.push(line);
                }
                continue;
            }
        }
        stdin.write_all(b"done\n").expect("the script reads the answer");
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(passed, expected.iter().copied().map(str::to_owned).collect());
}

#[derive(Debug)]
struct KilledOnDrop(Child);

impl KilledOnDrop {
    fn kill(&mut self) {
        // Both fail only if it already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn_server(command: &ServerCommand, port: u16) -> Result<(KilledOnDrop, SocketAddr), String> {
    let (program, arguments) = command.words.split_first().ok_or("the command is empty")?;
    let mut started = Command::new(program);
    if let Some(folder) = &command.folder {
        started.current_dir(folder);
    }
    let child = started
        .args(arguments)
        .args(["--port", &port.to_string()])
        // Nothing is written among the sources of those in Python.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // Programs with `--lifeline stdin` end when it does, however this process ended.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let mut child = KilledOnDrop(child);
    let lines = lines_of(child.0.stdout.take().expect("stdout is a pipe"));
    let deadline = Instant::now() + START_WITHIN;
    loop {
        let line = lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            .map_err(|error| format!("{} did not print where it listens: {error}", program.display()))?;
        if let Some(address) = line.strip_prefix("listening on ") {
            let address = address.trim_start_matches("http://").trim_end_matches('/');
            let address = address.parse().map_err(|error| format!("{line:?}: {error}"))?;
            return Ok((child, address));
        }
    }
}

/// The lines of a pipe, read to its end on a thread so that the writer never waits.
#[must_use]
pub fn lines_of(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // The test may have stopped listening.
            let _ = sender.send(line);
        }
    });
    receiver
}

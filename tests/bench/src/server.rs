//! The servers under test: building them, starting them, and their processes.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use socketio_tests::cargo::cargo;

use crate::Outcome;
use crate::machine::{CpuClock, Processors, resident_kib};
use crate::options::Options;

/// The name of the server that clients are measured against: our testbed.
pub(crate) const SERVER: &str = "server";
/// What the testbed can serve with. The event loop comes first: the others are compared with it.
pub(crate) const BINDINGS: [&str; 5] = ["epoll", "tokio", "smol", "async-std", "blocking"];
const ANNOUNCEMENT: &str = "listening on ";

/// Whether a server shares its processor with nobody or runs wherever it likes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    OwnProcessor,
    Anywhere,
}

/// A server that can be started.
pub(crate) struct Program {
    pub(crate) name: String,
    words: Vec<String>,
}

impl Program {
    /// Finds out how to start the server called `name`, building it when no `--command` names it.
    pub(crate) fn prepare(name: &str, options: &Options) -> Outcome<Self> {
        let words = match options.commands.iter().find(|command| command.name == name) {
            Some(command) => command.words.clone(),
            None => Self::build(name, options)?,
        };
        Ok(Self {
            name: name.into(),
            words,
        })
    }

    fn build(name: &str, options: &Options) -> Outcome<Vec<String>> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or("the bench lives in tests/")?;
        let binding = if name == "ours" || name == SERVER {
            Some(options.binding.as_str())
        } else {
            BINDINGS.into_iter().find(|binding| *binding == name)
        };
        if let Some(binding) = binding {
            let manifest = tests.join("Cargo.toml");
            let executable = cargo_build(&manifest, &["-p", "socketio-tests", "--bin", "testbed"])?;
            let fixed = ["--binding", binding, "--app", "bench", "--data", &options.data];
            return Ok([executable].into_iter().chain(fixed.map(str::to_owned)).collect());
        }
        let manifest = tests.join("peers").join(name).join("Cargo.toml");
        if !manifest.exists() {
            return Err(format!("no peer is called {name}: name it with --command").into());
        }
        Ok(vec![cargo_build(&manifest, &["--locked"])?])
    }

    /// Starts the server and waits until it listens.
    pub(crate) fn start(
        &self,
        threads: usize,
        placement: Placement,
        processors: &Processors,
    ) -> Outcome<Server> {
        // The port is picked here because not every server says which one it got.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let (program, arguments) = self
            .words
            .split_first()
            .ok_or("a command has at least one word")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(["--port", &port.to_string(), "--threads", &threads.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        match placement {
            Placement::OwnProcessor => processors.enter_server()?,
            Placement::Anywhere => processors.enter_all()?,
        }
        let child = command
            .spawn()
            .map_err(|error| format!("{program} does not start: {error}"));
        match placement {
            Placement::OwnProcessor => processors.enter_generator()?,
            Placement::Anywhere => {}
        }
        Server {
            child: child?,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        }
        .announced()
    }
}

/// Runs `cargo build --release` and returns the path of the one executable it made.
pub(crate) fn cargo_build(manifest: &Path, arguments: &[&str]) -> Outcome<String> {
    let mut command = cargo();
    command.args([
        "build",
        "--release",
        "--message-format",
        "json-render-diagnostics",
        "--manifest-path",
    ]);
    let output = command
        .arg(manifest)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{} does not build", manifest.display()).into());
    }
    String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(str::to_owned))
        .ok_or_else(|| format!("{} has no program", manifest.display()).into())
}

/// A running server; dropping it ends the process.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    fn announced(mut self) -> Outcome<Self> {
        let stdout = self.child.stdout.take().ok_or("the server's output is a pipe")?;
        let mut lines = BufReader::new(stdout).lines();
        for line in lines.by_ref() {
            if let Some(address) = line?.trim().strip_prefix(ANNOUNCEMENT) {
                self.address = address.parse()?;
                // Later output must not fill the pipe and stop the server.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(self);
            }
        }
        Err(format!("the server ended without printing `{ANNOUNCEMENT}ADDRESS`").into())
    }

    pub(crate) fn cpu(&self) -> Outcome<CpuClock> {
        CpuClock::read(self.child.id())
    }

    pub(crate) fn resident_kib(&self) -> Outcome<u64> {
        resident_kib(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when the process is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The client programs: building or installing them, running them, reading their line.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use socketio_tests::client_load::Line;
use socketio_tests::provision::{node_modules, python_venv};

use super::Case;
use crate::Outcome;
use crate::machine::Processors;
use crate::options::Options;
use crate::server::{Server, cargo_build};

/// For connecting, warming up and answers that never come, beyond the measured time.
const GRACE: Duration = Duration::from_secs(20);

/// A client that can be run.
pub(crate) struct ClientProgram {
    pub(crate) name: String,
    words: Vec<String>,
    /// Where it finds its packages.
    folder: Option<PathBuf>,
}

impl ClientProgram {
    /// Finds out how to run the client called `name`, building or installing it when no `--command` names it.
    pub(crate) fn prepare(name: &str, options: &Options) -> Outcome<Self> {
        let program = |words| Self {
            name: name.into(),
            words,
            folder: None,
        };
        if let Some(command) = options.commands.iter().find(|command| command.name == name) {
            return Ok(program(command.words.clone()));
        }
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or("the bench lives in tests/")?;
        let script = |file: &str| tests.join("bench/clients").join(file).display().to_string();
        Ok(match name {
            "ours" => {
                let arguments = ["-p", "socketio-tests", "--bin", "testbed-client"];
                let executable = cargo_build(&tests.join("Cargo.toml"), &arguments)?;
                program(vec![executable, "--binding".into(), options.binding.clone()])
            }
            "canned" => program(vec![
                std::env::current_exe()?.display().to_string(),
                "canned".into(),
            ]),
            "socket.io-client" => Self {
                folder: Some(node_modules("js").map_err(|skip| skip.to_string())?),
                ..program(vec!["node".into(), script("client.mjs")])
            },
            "python-socketio" => {
                let python = python_venv("python").map_err(|skip| skip.to_string())?;
                program(vec![python.display().to_string(), script("client.py")])
            }
            _ => {
                let manifest = tests.join("peers").join(name).join("Cargo.toml");
                if !manifest.exists() {
                    return Err(format!("no client is called {name}: name it with --command").into());
                }
                program(vec![cargo_build(&manifest, &["--locked"])?])
            }
        })
    }

    /// Runs the client on the generator's processor and gives the line it prints.
    pub(crate) fn run(
        &self,
        case: &Case,
        seconds: f64,
        server: &Server,
        processors: &Processors,
    ) -> Outcome<Line> {
        let (program, arguments) = self
            .words
            .split_first()
            .ok_or("a command has at least one word")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(["--url", &format!("http://{}", server.address)])
            .args(["--seconds", &seconds.to_string()])
            .args(case.arguments);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.env("RUST_BACKTRACE", "0");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        processors.enter_generator()?;
        let child = command
            .spawn()
            .map_err(|error| format!("{program} does not start: {error}"))?;
        Running(child).line(Duration::from_secs_f64(seconds) + GRACE)
    }
}

/// A client process; dropping it ends it.
struct Running(Child);

impl Running {
    fn line(mut self, within: Duration) -> Outcome<Line> {
        let stdout = self.0.stdout.take().ok_or("the client's output is a pipe")?;
        let stderr = self.0.stderr.take().ok_or("the client's errors are a pipe")?;
        let complaint = thread::spawn(move || last_line(stderr));
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let line = BufReader::new(stdout)
                .lines()
                .map_while(Result::ok)
                .find(|line| line.starts_with('{'));
            // Nobody listens any more when the time is over.
            let _ = sender.send(line);
        });
        let printed = receiver.recv_timeout(within);
        drop(self);
        match printed {
            Ok(Some(line)) => Ok(serde_json::from_str(&line)?),
            Ok(None) => Err(format!("it ended: {}", complaint.join().unwrap_or_default()).into()),
            Err(_) => Err(format!("it printed nothing within {within:?}").into()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the process is already gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The line of a complaint that says what went wrong. Rust and Python say it last; a stack of Node follows its own.
fn last_line(pipe: impl Read) -> String {
    let lines: Vec<String> = BufReader::new(pipe)
        .lines()
        .map_while(Result::ok)
        .filter(|line| !line.trim().is_empty())
        .collect();
    let error = lines
        .iter()
        .find(|line| line.contains("Error") || line.contains("panicked"));
    error.or_else(|| lines.last()).cloned().unwrap_or_default()
}

//! What one echo costs a client: ours, those of others, and one that only moves bytes.
//!
//! The server is always ours and has the first processor; the clients have the second, one after the other.

pub(crate) mod canned;
mod program;
mod report;

use crate::machine::Processors;
use crate::options::{Options, Pace};
use crate::server::{Placement, Program, SERVER, Server};
use crate::{Outcome, kept, order};
use program::ClientProgram;
pub(crate) use report::ClientReport;
use socketio_tests::client_load::Line;

/// One load, put on every client.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static [&'static str],
}

/// The case whose echoes come one by one, after many connects: its latencies and connect times are reported.
const ONE_BY_ONE: usize = 0;

const CASES: [Case; 3] = [
    Case {
        name: "echo-1",
        arguments: &["--window", "1", "--payload", "64", "--connects", "50"],
    },
    Case {
        name: "echo-16",
        arguments: &["--window", "16", "--payload", "64"],
    },
    Case {
        name: "binary-16",
        arguments: &["--window", "16", "--payload", "1024", "--binary"],
    },
];

/// The clients of a run that has named none, beside ours and the canned one.
pub(crate) const PEERS: [&str; 3] = ["socket.io-client", "python-socketio", "rust_socketio"];

/// Measures all clients; a client that can not be prepared or fails is reported and does not end the run.
pub(crate) fn run(options: &Options) -> Outcome<ClientReport> {
    let processors = Processors::divide()?;
    let server = Program::prepare(SERVER, options)?;
    let names = [options.ours.as_str(), "canned"]
        .into_iter()
        .chain(options.peers.iter().map(String::as_str));
    let mut report = ClientReport::default();
    let mut clients = Vec::new();
    for name in names {
        match ClientProgram::prepare(name, options) {
            Ok(client) => clients.push(client),
            Err(error) if name == options.ours => return Err(error),
            Err(error) => report.failures.push(format!("{name}: {error}")),
        }
    }
    report.clients = clients.iter().map(|client| client.name.clone()).collect();
    report.cases = CASES
        .iter()
        .map(|case| (case.name, vec![Vec::new(); clients.len()]))
        .collect();
    for round in 0..options.rounds {
        for (index, case) in CASES.iter().enumerate() {
            eprintln!("round {} of {}: {}", round + 1, options.rounds, case.name);
            let server = server.start(1, Placement::OwnProcessor, &processors)?;
            for client in order(clients.len(), round) {
                let line = measure(&clients[client], case, options, &server, &processors);
                let line = kept(line, case.name, &clients[client].name, &mut report.failures);
                report.cases[index].1[client].push(line);
            }
        }
    }
    report.keep_first_failures();
    Ok(report)
}

/// A line without an echo is none.
fn measure(
    client: &ClientProgram,
    case: &Case,
    options: &Options,
    server: &Server,
    processors: &Processors,
) -> Outcome<Line> {
    let seconds = match options.pace {
        Pace::Full => 2.0,
        Pace::Quick => 1.0,
    };
    let line = client.run(case, seconds, server, processors)?;
    if line.operations == 0 {
        return Err(format!("no echo came back as it was sent, {} failed", line.errors).into());
    }
    Ok(line)
}

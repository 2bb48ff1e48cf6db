//! Load generator: what one operation costs this server, and what it costs others, in one run.
//!
//! Server and generator have a processor each. Servers are measured in turn, round by round, and compared within
//! the round, because the speed of a machine changes by the minute. `README.md` says what each number means.

mod bindings;
mod clients;
mod frame;
mod handshake;
mod http;
mod hub;
mod load;
mod machine;
mod options;
mod poller;
mod report;
mod scenario;
mod server;
mod stall;
mod trial;

use std::process::ExitCode;

use socketio_tests::client_load;

use machine::Processors;
use options::{Format, Options, Pace, Subject, USAGE};
use report::{Idle, Ratio, Report, ScenarioReport, StallReport};
use scenario::Scenario;
use server::Program;

/// Whatever ends a run is told to a person and never matched on.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Open files of a server or the generator that are no connections, with room to spare.
const OTHER_FILES: usize = 200;

/// Fewer where a round takes long: `stall` has four windows, and `memory`, which hardly varies, many clients.
fn rounds(scenario: Scenario, options: &Options) -> usize {
    options.rounds.min(match (scenario, options.pace) {
        (Scenario::Stall, Pace::Quick) => 1,
        (Scenario::Stall | Scenario::Memory, _) => 3,
        _ => usize::MAX,
    })
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if(|word| word == "canned").is_some() {
        return canned(words);
    }
    let options = match Options::parse(words) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match measure(&options) {
        Ok((text, has_failed)) => {
            print!("{text}");
            ExitCode::from(u8::from(has_failed))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what the options say; returns what there is to print, and whether something has failed.
fn measure(options: &Options) -> Outcome<(String, bool)> {
    Ok(match options.subject {
        Subject::Servers | Subject::Bindings => {
            let report = Bench::prepare(options)?.run();
            let text = match options.format {
                Format::Text => report.text(),
                Format::Json => format!("{:#}\n", report.json()),
                Format::Markdown => {
                    for failure in &report.failures {
                        eprintln!("FAILED {failure}");
                    }
                    bindings::markdown(&report, &options.words)
                }
            };
            (text, !report.failures.is_empty())
        }
        Subject::Clients => {
            let report = clients::run(options)?;
            let text = match options.format {
                Format::Text | Format::Markdown => report.text(),
                Format::Json => format!("{:#}\n", report.json()),
            };
            (text, report.has_failed())
        }
    })
}

/// This program as one of the clients that it runs.
fn canned(words: impl Iterator<Item = String>) -> ExitCode {
    let Some(options) = client_load::Options::parse(words) else {
        eprintln!("usage: bench canned {}", client_load::USAGE);
        return ExitCode::from(2);
    };
    match clients::canned::measure(&options) {
        Ok(line) => {
            println!("{}", serde_json::json!(line));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

struct Bench<'a> {
    options: &'a Options,
    /// Ours first.
    programs: Vec<Program>,
    processors: Processors,
    report: Report,
}

impl<'a> Bench<'a> {
    fn prepare(options: &'a Options) -> Outcome<Self> {
        let names = std::iter::once(&options.ours).chain(&options.peers);
        let programs = names
            .map(|name| Program::prepare(name, options))
            .collect::<Outcome<Vec<_>>>()?;
        let open_files = machine::raise_descriptor_limit()?;
        let report = Report {
            servers: programs.iter().map(|program| program.name.clone()).collect(),
            ratio: match options.subject {
                Subject::Bindings => Ratio::OtherToFirst,
                Subject::Servers | Subject::Clients => Ratio::FirstToOther,
            },
            idle: Idle {
                clients: options.idle_clients().min(open_files.saturating_sub(OTHER_FILES)),
                open_files,
            },
            scenarios: Vec::new(),
            stalls: Vec::new(),
            failures: Vec::new(),
        };
        Ok(Self {
            options,
            programs,
            processors: Processors::divide()?,
            report,
        })
    }

    fn run(mut self) -> Report {
        self.prices();
        if self.options.scenarios.contains(&Scenario::Stall) {
            for threads in stall::THREADS {
                self.stall(threads);
            }
        }
        self.report
    }

    /// Measures every scenario but `stall`, all of them once per round.
    fn prices(&mut self) {
        let servers = self.programs.len();
        let scenarios = self
            .options
            .scenarios
            .iter()
            .filter(|&&scenario| scenario != Scenario::Stall);
        let empty = |&scenario| ScenarioReport {
            scenario,
            readings: (0..servers).map(|_| Vec::new()).collect(),
        };
        let mut reports: Vec<_> = scenarios.map(empty).collect();
        for round in 0..self.options.rounds {
            let due = |report: &&mut ScenarioReport| round < rounds(report.scenario, self.options);
            for report in reports.iter_mut().filter(due) {
                let scenario = report.scenario;
                eprintln!(
                    "round {} of {}: {}",
                    round + 1,
                    rounds(scenario, self.options),
                    scenario.name()
                );
                let order: Vec<usize> = order(servers, round).collect();
                let programs: Vec<&Program> = order.iter().map(|&server| &self.programs[server]).collect();
                let readings = trial::measure(
                    scenario,
                    &programs,
                    self.options.pace,
                    self.report.idle.clients,
                    &self.processors,
                );
                for (server, reading) in order.into_iter().zip(readings) {
                    let server_name = &self.programs[server].name;
                    let reading = kept(reading, &scenario.name(), server_name, &mut self.report.failures);
                    report.readings[server].push(reading);
                }
            }
        }
        self.report.scenarios = reports;
    }

    fn stall(&mut self, threads: usize) {
        let servers = self.programs.len();
        let timing = Scenario::Stall.timing(self.options.pace);
        let mut readings: Vec<_> = (0..servers).map(|_| Vec::new()).collect();
        for round in 0..rounds(Scenario::Stall, self.options) {
            eprintln!("round {}: stall with {threads} server thread(s)", round + 1);
            for server in order(servers, round) {
                let program = &self.programs[server];
                let reading = stall::measure(program, threads, timing, &self.processors);
                let name = format!("stall with {threads} thread(s)");
                readings[server].push(kept(reading, &name, &program.name, &mut self.report.failures));
            }
        }
        self.report.stalls.push(StallReport { threads, readings });
    }
}

/// Servers in turn, each round beginning with another one: what comes first finds another machine.
fn order(servers: usize, round: usize) -> impl Iterator<Item = usize> {
    (0..servers).map(move |server| (server + round) % servers)
}

/// A failure is noted and does not end the run.
fn kept<T>(reading: Outcome<T>, scenario: &str, server: &str, failures: &mut Vec<String>) -> Option<T> {
    match reading {
        Ok(reading) => Some(reading),
        Err(error) => {
            failures.push(format!("{scenario}, {server}: {error}"));
            None
        }
    }
}

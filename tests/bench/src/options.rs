//! The command line.

use crate::Outcome;
use crate::clients;
use crate::scenario::Scenario;

pub(crate) const USAGE: &str = "\
usage: bench [--scenario all|NAME[,NAME]] [--peers NAME[,NAME]] [--rounds N] [--quick] [--json]
             [--ours NAME] [--binding NAME] [--data value|raw|typed]
             [--command 'NAME=PROGRAM ARGUMENT...']
       bench --clients [--peers NAME[,NAME]] [--rounds N] [--quick] [--json] [--ours NAME] [--binding NAME]
             [--command 'NAME=PROGRAM ARGUMENT...']

  --clients   what an echo costs clients instead of servers
  --scenario  what to measure (default: all); names are in tests/bench/README.md
  --peers     whom to compare with (default: socketioxide; clients: socket.io-client,python-socketio,rust_socketio)
  --ours      who stands first (default: ours; a peer's name compares the peer with itself)
  --rounds    rounds, each measuring every server once (default: 5; with --quick: 3)
  --quick     short windows: for a look, not for a decision
  --json      print JSON instead of tables
  --binding   binding of our testbed (default: tokio)
  --data      how our testbed holds arguments (default: raw, as the testbed)
  --command   how to start NAME; ` --port N --threads T` is appended, to clients ` --url URL --window W ..`,
              and nothing is built; the server that clients talk to is called `server`";

/// A server program named on the command line instead of being built here.
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) words: Vec<String>,
}

pub(crate) enum Format {
    Text,
    Json,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Servers,
    Clients,
}

pub(crate) enum Pace {
    Full,
    Quick,
}

pub(crate) struct Options {
    pub(crate) subject: Subject,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) ours: String,
    pub(crate) peers: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) pace: Pace,
    pub(crate) format: Format,
    pub(crate) binding: String,
    pub(crate) data: String,
    pub(crate) commands: Vec<Command>,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut options = Self {
            subject: Subject::Servers,
            scenarios: Scenario::ALL.to_vec(),
            ours: "ours".into(),
            peers: Vec::new(),
            rounds: 0,
            pace: Pace::Full,
            format: Format::Text,
            binding: "tokio".into(),
            data: "raw".into(),
            commands: Vec::new(),
        };
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--clients" => options.subject = Subject::Clients,
                "--quick" => options.pace = Pace::Quick,
                "--json" => options.format = Format::Json,
                _ => {
                    let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
                    options.set(&name, value)?;
                }
            }
        }
        if options.peers.is_empty() {
            options.peers = match options.subject {
                Subject::Servers => vec!["socketioxide".into()],
                Subject::Clients => clients::PEERS.map(str::to_owned).to_vec(),
            };
        }
        if options.rounds == 0 {
            options.rounds = match options.pace {
                Pace::Full => 5,
                Pace::Quick => 3,
            };
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: String) -> Outcome<()> {
        match name {
            "--scenario" if value == "all" => self.scenarios = Scenario::ALL.to_vec(),
            "--scenario" => {
                self.scenarios = value.split(',').map(Scenario::named).collect::<Outcome<_>>()?;
            }
            "--peers" => self.peers = value.split(',').map(str::to_owned).collect(),
            "--ours" => self.ours = value,
            "--rounds" => {
                self.rounds = value
                    .parse()
                    .map_err(|_| format!("{value} is no number of rounds"))?
            }
            "--binding" => self.binding = value,
            "--data" => self.data = value,
            "--command" => {
                let (name, words) = value
                    .split_once('=')
                    .ok_or("--command needs NAME=PROGRAM ARGUMENT...")?;
                let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
                if words.is_empty() {
                    return Err(format!("--command {name}= names no program").into());
                }
                self.commands.push(Command {
                    name: name.into(),
                    words,
                });
            }
            _ => return Err(format!("{name} is unknown").into()),
        }
        Ok(())
    }
}

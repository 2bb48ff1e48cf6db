//! The command line.

use crate::Outcome;
use crate::clients;
use crate::scenario::Scenario;
use crate::server::BINDINGS;

pub(crate) const USAGE: &str = "\
usage: bench [--scenario all|NAME[,NAME]] [--peers NAME[,NAME]] [--rounds N] [--quick] [--json]
             [--ours NAME] [--binding NAME] [--data value|raw|typed]
             [--command 'NAME=PROGRAM ARGUMENT...']
       bench --bindings [NAME[,NAME]] [--scenario NAME[,NAME]] [--rounds N] [--quick] [--json|--markdown]
             [--data value|raw|typed] [--command 'NAME=PROGRAM ARGUMENT...']
       bench --clients [--peers NAME[,NAME]] [--rounds N] [--quick] [--json] [--ours NAME] [--binding NAME]
             [--command 'NAME=PROGRAM ARGUMENT...']

  --bindings  what the bindings cost compared with the first one (default: epoll,tokio,smol,async-std,blocking)
  --clients   what an echo costs clients instead of servers
  --scenario  what to measure (default: all); names are in tests/bench/README.md
  --peers     whom to compare with (default: socketioxide; clients: socket.io-client,python-socketio,rust_socketio)
  --ours      who stands first (default: ours; a peer's name compares the peer with itself)
  --rounds    rounds, each measuring every server once (default: 5; with --quick: 3)
  --quick     short windows: for a look, not for a decision
  --json      print JSON instead of tables
  --markdown  print the table of the bindings that the README of the project has
  --binding   binding of our testbed (default: tokio)
  --data      how our testbed holds arguments (default: raw, as the testbed)
  --command   how to start NAME; ` --port N --threads T` is appended, to clients ` --url URL --window W ..`,
              and nothing is built; the server that clients talk to is called `server`";

/// A server program named on the command line instead of being built here.
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) words: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
    /// Of bindings only.
    Markdown,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Servers,
    /// Servers that are one application on different bindings.
    Bindings,
    Clients,
}

#[derive(Clone, Copy)]
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
    /// The whole command line, for tables that say how they were made.
    pub(crate) words: Vec<String>,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let words: Vec<String> = arguments.collect();
        let mut arguments = words.iter().cloned().peekable();
        let mut options = Self {
            subject: Subject::Servers,
            scenarios: Vec::new(),
            ours: "ours".into(),
            peers: Vec::new(),
            rounds: 0,
            pace: Pace::Full,
            format: Format::Text,
            binding: "tokio".into(),
            data: "raw".into(),
            commands: Vec::new(),
            words: words.clone(),
        };
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--clients" => options.subject = Subject::Clients,
                "--quick" => options.pace = Pace::Quick,
                "--json" => options.format = Format::Json,
                "--markdown" => options.format = Format::Markdown,
                "--bindings" => {
                    options.subject = Subject::Bindings;
                    let names = arguments.next_if(|word| !word.starts_with("--"));
                    let names = names.unwrap_or_else(|| BINDINGS.join(","));
                    let mut names = names.split(',').map(str::to_owned);
                    options.ours = names.next().unwrap_or_default();
                    options.peers = names.collect();
                }
                _ => {
                    let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
                    options.set(&name, value)?;
                }
            }
        }
        if options.format == Format::Markdown && options.subject != Subject::Bindings {
            return Err("--markdown needs --bindings".into());
        }
        options.add_defaults();
        Ok(options)
    }

    fn add_defaults(&mut self) {
        if self.scenarios.is_empty() {
            self.scenarios = match self.subject {
                Subject::Bindings => Scenario::OF_BINDINGS.to_vec(),
                Subject::Servers | Subject::Clients => Scenario::ALL.to_vec(),
            };
        }
        if self.peers.is_empty() {
            self.peers = match self.subject {
                Subject::Servers => vec!["socketioxide".into()],
                Subject::Bindings => Vec::new(),
                Subject::Clients => clients::PEERS.map(str::to_owned).to_vec(),
            };
        }
        if self.rounds == 0 {
            self.rounds = match self.pace {
                Pace::Full => 5,
                Pace::Quick => 3,
            };
        }
    }

    /// How many idle clients `memory` asks for.
    pub(crate) fn idle_clients(&self) -> usize {
        match (self.subject, self.pace) {
            (Subject::Bindings, Pace::Full) => 10_000,
            (_, Pace::Full) | (Subject::Bindings, Pace::Quick) => 2_000,
            (_, Pace::Quick) => 1_000,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Outcome<Options> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn all_bindings_are_compared_unless_some_are_named() {
        let all = parse("--bindings --quick").unwrap();
        assert_eq!(all.ours, "epoll");
        assert_eq!(all.peers, ["tokio", "smol", "async-std", "blocking"]);
        assert!(all.scenarios.contains(&Scenario::Memory));
        let some = parse("--bindings smol,tokio --markdown").unwrap();
        assert_eq!(
            (some.ours.as_str(), some.peers),
            ("smol", vec!["tokio".to_owned()])
        );
    }

    #[test]
    fn markdown_is_for_bindings() {
        assert!(parse("--markdown").is_err());
    }
}

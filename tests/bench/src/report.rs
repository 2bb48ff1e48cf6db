//! What was found, as tables for people and JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::scenario::Scenario;
use crate::stall::{self, StallReading};
use crate::trial::Reading;

/// The readings of one scenario: per server (ours first), per round. A round in which a server failed has none.
pub(crate) struct ScenarioReport {
    pub(crate) scenario: Scenario,
    pub(crate) readings: Vec<Vec<Option<Reading>>>,
}

/// The readings of `stall` with one number of server threads.
pub(crate) struct StallReport {
    pub(crate) threads: usize,
    pub(crate) readings: Vec<Vec<Option<StallReading>>>,
}

/// What a ratio is.
#[derive(Clone, Copy)]
pub(crate) enum Ratio {
    /// The first server's price divided by that of another.
    FirstToOther,
    /// Another server's price divided by that of the first.
    OtherToFirst,
}

/// How much `memory` asked for.
pub(crate) struct Idle {
    pub(crate) clients: usize,
    /// The open files that a process may have; `clients` are kept below.
    pub(crate) open_files: usize,
}

pub(crate) struct Report {
    /// Names, ours first.
    pub(crate) servers: Vec<String>,
    pub(crate) ratio: Ratio,
    pub(crate) idle: Idle,
    pub(crate) scenarios: Vec<ScenarioReport>,
    pub(crate) stalls: Vec<StallReport>,
    pub(crate) failures: Vec<String>,
}

impl ScenarioReport {
    pub(crate) fn price(&self, server: usize) -> Option<f64> {
        self.median(server, |reading| reading.price)
    }

    fn median(&self, server: usize, value: impl Fn(&Reading) -> f64) -> Option<f64> {
        median(self.readings[server].iter().flatten().map(value))
    }

    /// The first server and another compared, round by round.
    pub(crate) fn ratios(&self, ratio: Ratio, other: usize) -> Vec<f64> {
        let (above, below) = match ratio {
            Ratio::FirstToOther => (0, other),
            Ratio::OtherToFirst => (other, 0),
        };
        let pairs = self.readings[above].iter().zip(&self.readings[below]);
        pairs
            .filter_map(|(above, below)| Some(above.as_ref()?.price / below.as_ref()?.price))
            .collect()
    }

    /// Idle connections that the server held in every round.
    pub(crate) fn held(&self, server: usize) -> Option<usize> {
        let readings = self.readings[server].iter().flatten();
        readings.filter_map(|reading| reading.held).min()
    }
}

impl StallReport {
    fn median(&self, server: usize, value: impl Fn(&StallReading) -> f64) -> Option<f64> {
        median(self.readings[server].iter().flatten().map(value))
    }
}

/// The middle value, or the mean of the two middle ones.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 {
        upper
    } else {
        (values[middle - 1] + upper) / 2.0
    })
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "failed".into(), |value| format!("{value:.2}"))
}

impl Report {
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if !self.scenarios.is_empty() {
            for peer in 1..self.servers.len() {
                self.prices(peer, &mut text);
            }
        }
        for stall in &self.stalls {
            self.stall(stall, &mut text);
        }
        for failure in &self.failures {
            text += &format!("FAILED {failure}\n");
        }
        text
    }

    fn prices(&self, peer: usize, text: &mut String) {
        let (ours, theirs) = (&self.servers[0], &self.servers[peer]);
        *text += &format!(
            "{:14} {:12} {ours:>14} {theirs:>14} {:>7}   ratio of each round\n",
            "scenario", "unit", "ratio"
        );
        for scenario in &self.scenarios {
            let ratios = scenario.ratios(self.ratio, peer);
            let rounds: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
            let price = |server| number(scenario.price(server));
            *text += &format!(
                "{:14} {:12} {:>14} {:>14} {:>7}   {}\n",
                scenario.scenario.name(),
                scenario.scenario.unit(),
                price(0),
                price(peer),
                number(median(ratios.iter().copied())),
                rounds.join(" "),
            );
            if scenario.scenario == Scenario::Memory {
                let held = |server| {
                    scenario
                        .held(server)
                        .map_or_else(String::new, |held| held.to_string())
                };
                let Idle { clients, open_files } = self.idle;
                *text += &format!(
                    "{:14} {:12} {:>14} {:>14} {:>7}   of {clients} asked for, {open_files} open files permitted\n",
                    "held",
                    "clients",
                    held(0),
                    held(peer),
                    "",
                );
            }
        }
        text.push('\n');
    }

    fn stall(&self, stall: &StallReport, text: &mut String) {
        let heading = format!("stall, {} server thread(s)", stall.threads);
        *text += &format!(
            "{heading:26} {:14} {:>10} {:>10} {:>11} {:>10} {:>12}\n",
            "beside", "p50 us", "p99 us", "p99 / alone", "echoes/s", "abuse MB/s"
        );
        for (server, name) in self.servers.iter().enumerate() {
            for (phase, phase_name) in stall::phase_names().enumerate() {
                let of = |value: fn(&stall::Latency) -> f64| {
                    number(stall.median(server, |reading| value(&phase_of(reading, phase))))
                };
                let closed = stall.readings[server]
                    .iter()
                    .flatten()
                    .any(|r| phase_of(r, phase).abuser_closed);
                let _ = writeln!(
                    text,
                    "{name:26} {phase_name:14} {:>10} {:>10} {:>11} {:>10} {:>12}{}",
                    of(|latency| latency.median),
                    of(|latency| latency.p99),
                    number(stall.median(server, |r| phase_of(r, phase).p99 / r.alone.p99)),
                    of(|latency| latency.echoes_per_second.round()),
                    of(|latency| latency.abuse_megabytes_per_second),
                    if closed { "  closed by the server" } else { "" },
                );
            }
        }
        text.push('\n');
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "servers": self.servers,
            "idle_clients_asked_for": self.idle.clients,
            "open_files_permitted": self.idle.open_files,
            "scenarios": self.scenarios.iter().map(|scenario| self.scenario_json(scenario)).collect::<Vec<_>>(),
            "stall": self.stalls.iter().map(|stall| self.stall_json(stall)).collect::<Vec<_>>(),
            "failures": self.failures,
        })
    }

    fn scenario_json(&self, scenario: &ScenarioReport) -> Value {
        let servers = self.servers.iter().enumerate().map(|(server, name)| {
            let prices: Vec<_> = scenario.readings[server]
                .iter()
                .map(|r| r.map(|r| r.price))
                .collect();
            json!({
                "name": name,
                "median": scenario.price(server),
                "rounds": prices,
                "operations_per_second": scenario.median(server, |reading| reading.operations_per_second),
                "processors_used": scenario.median(server, |reading| reading.processors_used),
                "held": scenario.held(server),
            })
        });
        let ratios = (1..self.servers.len()).map(|peer| {
            let rounds = scenario.ratios(self.ratio, peer);
            let (of, to) = match self.ratio {
                Ratio::FirstToOther => (0, peer),
                Ratio::OtherToFirst => (peer, 0),
            };
            json!({
                "of": self.servers[of],
                "to": self.servers[to],
                "median": median(rounds.iter().copied()),
                "rounds": rounds,
            })
        });
        json!({
            "name": scenario.scenario.name(),
            "unit": scenario.scenario.unit(),
            "servers": servers.collect::<Vec<_>>(),
            "ratios": ratios.collect::<Vec<_>>(),
        })
    }

    fn stall_json(&self, stall: &StallReport) -> Value {
        let servers = self.servers.iter().enumerate().map(|(server, name)| {
            let phases = stall::phase_names().enumerate().map(|(phase, phase_name)| {
                let of = |value: fn(&stall::Latency) -> f64| {
                    stall.median(server, |reading| value(&phase_of(reading, phase)))
                };
                json!({
                    "beside": phase_name,
                    "median_us": of(|latency| latency.median),
                    "p99_us": of(|latency| latency.p99),
                    "p99_to_alone": stall.median(server, |r| phase_of(r, phase).p99 / r.alone.p99),
                    "echoes_per_second": of(|latency| latency.echoes_per_second),
                    "abuse_megabytes_per_second": of(|latency| latency.abuse_megabytes_per_second),
                })
            });
            json!({ "name": name, "phases": phases.collect::<Vec<_>>() })
        });
        json!({ "threads": stall.threads, "servers": servers.collect::<Vec<_>>() })
    }
}

fn phase_of(reading: &StallReading, phase: usize) -> stall::Latency {
    reading.phases().nth(phase).unwrap_or(reading.alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_counts() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }

    #[test]
    fn ratios_leave_out_rounds_in_which_a_server_failed() {
        let reading = |price| {
            Some(Reading {
                price,
                operations_per_second: 0.0,
                processors_used: 0.0,
                held: None,
            })
        };
        let readings = vec![vec![reading(1.0), reading(3.0)], vec![None, reading(4.0)]];
        let report = ScenarioReport {
            scenario: Scenario::Rooms,
            readings,
        };
        assert_eq!(report.ratios(Ratio::FirstToOther, 1), [0.75]);
        assert_eq!(report.ratios(Ratio::OtherToFirst, 1), [4.0 / 3.0]);
    }
}

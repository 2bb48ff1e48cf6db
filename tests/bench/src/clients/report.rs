//! What clients cost, as a table for people and JSON for programs.

use std::collections::HashSet;

use serde_json::{Value, json};
use socketio_tests::client_load::Line;

use super::ONE_BY_ONE;
use crate::report::median;

/// Ours is the first client, the canned one the second.
const OURS: usize = 0;
const CANNED: usize = 1;

/// What was found.
#[derive(Default)]
pub(crate) struct ClientReport {
    pub(crate) clients: Vec<String>,
    /// Name of the case; per client, per round, its line. A round in which a client failed has none.
    pub(crate) cases: Vec<(&'static str, Vec<Vec<Option<Line>>>)>,
    pub(crate) failures: Vec<String>,
}

/// The lines of all clients in one case.
type Lines = [Vec<Option<Line>>];

fn middle(lines: &Lines, client: usize, value: impl Fn(&Line) -> f64) -> Option<f64> {
    median(lines[client].iter().flatten().map(value))
}

fn price(lines: &Lines, client: usize) -> Option<f64> {
    middle(lines, client, |line| line.cpu_us_per_operation)
}

/// Our price divided by another's, round by round.
fn ratios(lines: &Lines, other: usize) -> Vec<f64> {
    let pairs = lines[OURS].iter().zip(&lines[other]);
    pairs
        .filter_map(|(ours, theirs)| {
            Some(ours.as_ref()?.cpu_us_per_operation / theirs.as_ref()?.cpu_us_per_operation)
        })
        .collect()
}

/// The cheapest of the others that echo anything.
fn next_best(lines: &Lines) -> Option<usize> {
    let others = (0..lines.len()).filter(|client| ![OURS, CANNED].contains(client));
    others
        .filter_map(|client| Some((client, price(lines, client)?)))
        .min_by(|(_, left), (_, right)| left.total_cmp(right))
        .map(|(client, _)| client)
}

impl ClientReport {
    /// Whether the first client failed in any round. That others do is a finding.
    pub(crate) fn has_failed(&self) -> bool {
        self.cases.iter().any(|(_, lines)| lines[OURS].contains(&None))
    }

    /// A client that fails in one round mostly does so in all of them: one reason for each case is enough.
    pub(crate) fn keep_first_failures(&mut self) {
        let mut seen = HashSet::new();
        let of_whom = |failure: &str| failure.split(": ").next().map(str::to_owned);
        self.failures.retain(|failure| seen.insert(of_whom(failure)));
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (index, (name, lines)) in self.cases.iter().enumerate() {
            text += &format!(
                "{name:18} {:>11} {:>9} {:>9} {:>9} {:>8} {:>11}   ours / this, each round\n",
                "CPU us/echo", "echo/s", "p50 us", "p99 us", "errors", "connect us"
            );
            for client in 0..self.clients.len() {
                text += &self.row(index, client, lines);
            }
            text += &self.verdict(index, lines);
            text.push('\n');
        }
        for failure in &self.failures {
            text += &format!("FAILED {failure}\n");
        }
        text
    }

    fn row(&self, case: usize, client: usize, lines: &Lines) -> String {
        let name = &self.clients[client];
        if price(lines, client).is_none() {
            return format!("{name:18}      failed\n");
        }
        let of = |value: fn(&Line) -> f64, digits: usize| {
            middle(lines, client, value).map_or_else(String::new, |value| format!("{value:.digits$}"))
        };
        let errors: u64 = lines[client].iter().flatten().map(|line| line.errors).sum();
        let connect = if case == ONE_BY_ONE {
            of(|line| line.connect_to_joined_us, 0)
        } else {
            String::new()
        };
        let rounds = if client == OURS {
            Vec::new()
        } else {
            ratios(lines, client)
        };
        let rounds: Vec<String> = rounds.iter().map(|ratio| format!("{ratio:.2}")).collect();
        format!(
            "{name:18} {:>11} {:>9} {:>9} {:>9} {errors:>8} {connect:>11}   {}\n",
            of(|line| line.cpu_us_per_operation, 2),
            of(|line| line.operations as f64 / line.seconds, 0),
            of(|line| line.p50_us, 1),
            of(|line| line.p99_us, 1),
            rounds.join(" "),
        )
    }

    /// Medians of the ratios of the rounds, beside what they are meant to be.
    fn verdict(&self, case: usize, lines: &Lines) -> String {
        let ratio = |other| median(ratios(lines, other)).map(|ratio| format!("{ratio:.2}"));
        let next = next_best(lines)
            .and_then(|next| Some(format!("ours / {}: {}   ", self.clients[next], ratio(next)?)))
            .unwrap_or_default();
        let canned = ratio(CANNED).map_or_else(String::new, |ratio| format!("ours / canned: {ratio}"));
        let aim = if case == ONE_BY_ONE {
            "connect at most 2000 us"
        } else {
            "at most 0.25 and 4.00"
        };
        format!("{next}{canned}   ({aim})\n")
    }

    pub(crate) fn json(&self) -> Value {
        let cases = self.cases.iter().map(|(name, lines)| {
            let clients = self.clients.iter().enumerate().map(|(client, name)| {
                json!({
                    "name": name,
                    "cpu_us_per_operation": price(lines, client),
                    "ours_to_this": median(ratios(lines, client)),
                    "rounds": lines[client],
                })
            });
            json!({
                "name": name,
                "next_best": next_best(lines).map(|client| &self.clients[client]),
                "clients": clients.collect::<Vec<_>>(),
            })
        });
        json!({ "cases": cases.collect::<Vec<_>>(), "failures": self.failures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(price: f64) -> Option<Line> {
        Some(Line {
            client: "any".into(),
            operations: 10,
            seconds: 1.0,
            p50_us: 1.0,
            p99_us: 2.0,
            cpu_us_per_operation: price,
            errors: 0,
            connect_to_joined_us: 300.0,
        })
    }

    fn report() -> ClientReport {
        let lines = vec![
            vec![line(2.0), line(4.0)],
            vec![line(1.0), line(1.0)],
            vec![line(20.0), line(20.0)],
            vec![None, line(10.0)],
            vec![None, None],
        ];
        ClientReport {
            clients: ["ours", "canned", "slow", "fast", "dead"]
                .map(str::to_owned)
                .to_vec(),
            cases: vec![("echo-1", lines)],
            failures: vec!["echo-1, dead: it ended".into()],
        }
    }

    #[test]
    fn the_next_best_is_the_cheapest_that_echoes_and_not_the_canned_one() {
        let report = report();
        assert_eq!(next_best(&report.cases[0].1), Some(3));
        assert_eq!(ratios(&report.cases[0].1, 3), [0.4]);
    }

    #[test]
    fn failures_of_others_are_told_once_and_are_none_of_ours() {
        let mut report = report();
        report.failures = ["a, x: one", "a, x: two", "b, x: one"]
            .map(str::to_owned)
            .to_vec();
        report.keep_first_failures();
        assert_eq!(report.failures, ["a, x: one", "b, x: one"]);
        assert!(!report.has_failed());
        report.cases[0].1[0][1] = None;
        assert!(report.has_failed());
    }

    #[test]
    fn a_client_that_never_echoes_has_a_row_that_says_so() {
        let text = report().text();
        assert!(text.contains("dead                    failed\n"), "{text}");
        assert!(
            text.contains("ours / fast: 0.40   ours / canned: 3.00   (connect at most 2000 us)"),
            "{text}"
        );
    }
}

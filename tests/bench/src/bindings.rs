//! The table of bindings for the README of the project.

use crate::report::{Report, ScenarioReport, median};
use crate::scenario::Scenario;

/// One row for each binding, one column for each price, the ratio to the first binding behind it; then the command line
/// that made the table.
pub(crate) fn markdown(report: &Report, words: &[String]) -> String {
    let columns: Vec<String> = report
        .scenarios
        .iter()
        .map(|scenario| heading(scenario.scenario))
        .collect();
    let mut text = format!("| binding | {} |\n|---|{}\n", columns.join(" | "), rule(report));
    for (server, name) in report.servers.iter().enumerate() {
        let cells: Vec<String> = report
            .scenarios
            .iter()
            .map(|scenario| cells(report, scenario, server))
            .collect();
        text += &format!("| {name} | {} |\n", cells.join(" | "));
    }
    text += &caption(report);
    text + &format!("```sh\n{}\n```\n", command_line(words))
}

fn heading(scenario: Scenario) -> String {
    match scenario {
        Scenario::Echo { clients, in_flight } => format!("µs per echo, {clients}×{in_flight}"),
        Scenario::Broadcast { in_flight } => format!("µs per broadcast delivery, {in_flight} in flight"),
        Scenario::Memory => "connections held | KiB per idle connection".into(),
        other => format!("{}, {}", other.name(), other.unit()),
    }
}

/// Numbers stand at the right; `memory` has two columns.
fn rule(report: &Report) -> String {
    let columns = report.scenarios.iter().map(|scenario| match scenario.scenario {
        Scenario::Memory => "--:|--:|",
        _ => "--:|",
    });
    columns.collect()
}

fn cells(report: &Report, scenario: &ScenarioReport, server: usize) -> String {
    let price = scenario
        .price(server)
        .map_or_else(|| "failed".into(), |price| format!("{price:.2}"));
    let ratio = match server {
        0 => None,
        _ => median(scenario.ratios(report.ratio, server)),
    };
    let ratio = ratio.map_or_else(String::new, |ratio| format!(" ({ratio:.2})"));
    if scenario.scenario != Scenario::Memory {
        return price + &ratio;
    }
    let held = match scenario.held(server) {
        None => "failed".into(),
        Some(held) if held < report.idle.clients => format!("{}, then 503", grouped(held)),
        Some(held) => grouped(held),
    };
    format!("{held} | {price}{ratio}")
}

fn caption(report: &Report) -> String {
    let rounds = |scenario: &ScenarioReport| scenario.readings[0].len();
    let all_rounds = report.scenarios.iter().map(rounds).max().unwrap_or_default();
    let mut text = format!(
        "\nProcessor time of the server, user and kernel. Medians of {all_rounds} rounds of one run; in parentheses the \
         ratio to `{}`. 64×16 means 64 clients with 16 events in flight each; broadcasts go to 1,000 clients.",
        report.servers[0]
    );
    let mut scenarios = report.scenarios.iter();
    if let Some(memory) = scenarios.find(|scenario| scenario.scenario == Scenario::Memory) {
        text += &format!(
            " {} idle connections were asked for, in {} rounds; a process may open {} files here.",
            grouped(report.idle.clients),
            rounds(memory),
            grouped(report.idle.open_files)
        );
    }
    text + " Made by\n\n"
}

/// With commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(String::from_utf8_lossy)
        .collect();
    groups.join(",")
}

fn command_line(words: &[String]) -> String {
    let quoted = words.iter().map(|word| match word.contains(char::is_whitespace) {
        true => format!(" '{word}'"),
        false => format!(" {word}"),
    });
    format!(
        "cargo run --release -p socketio-bench --{}",
        quoted.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Idle, Ratio};
    use crate::trial::Reading;

    fn reading(price: f64, held: Option<usize>) -> Option<Reading> {
        Some(Reading {
            price,
            operations_per_second: 0.0,
            processors_used: 0.0,
            held,
        })
    }

    fn report() -> Report {
        let echo = Scenario::Echo {
            clients: 1,
            in_flight: 1,
        };
        let scenario = |scenario, readings| ScenarioReport { scenario, readings };
        Report {
            servers: ["epoll", "blocking", "dead"].map(str::to_owned).to_vec(),
            ratio: Ratio::OtherToFirst,
            idle: Idle {
                clients: 10_000,
                open_files: 20_000,
            },
            scenarios: vec![
                scenario(
                    echo,
                    vec![vec![reading(2.0, None)], vec![reading(3.0, None)], vec![None]],
                ),
                scenario(
                    Scenario::Memory,
                    vec![
                        vec![reading(4.0, Some(10_000))],
                        vec![reading(5.0, Some(4096))],
                        vec![None],
                    ],
                ),
            ],
            stalls: Vec::new(),
            failures: Vec::new(),
        }
    }

    #[test]
    fn every_price_but_the_first_has_its_ratio_and_a_full_server_says_so() {
        let text = markdown(
            &report(),
            &["--bindings".into(), "--command".into(), "a=b c".into()],
        );
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(
            rows[..5],
            [
                "| binding | µs per echo, 1×1 | connections held | KiB per idle connection |",
                "|---|--:|--:|--:|",
                "| epoll | 2.00 | 10,000 | 4.00 |",
                "| blocking | 3.00 (1.50) | 4,096, then 503 | 5.00 (1.25) |",
                "| dead | failed | failed | failed |",
            ]
        );
        assert_eq!(
            rows[rows.len() - 2],
            "cargo run --release -p socketio-bench -- --bindings --command 'a=b c'"
        );
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}

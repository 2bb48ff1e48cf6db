//! A server and its clients in all kinds of networks, compared with the model after every step.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `SIM_SEED` | only this scenario; prints everything that happens in it |
//! | `SIM_SIMPLE` | if it is 1, with a clock that steps and handlers in place, whatever the seed says |
//! | `SIM_SEEDS` | how many scenarios instead of 100, from `SIM_FIRST` (0) on |

use std::path::Path;
use std::thread;

use socketio_driver::engine::Handlers;
use socketio_world::scenario::{Report, Scenario};
use socketio_world::{Clock, Statistics, variable};

/// How many scenarios are run unless a variable says otherwise: enough for every fault of the network.
const SEEDS: u64 = 100;

/// Runs a scenario; gives its failure with its seed.
fn run(seed: u64) -> Result<Report, String> {
    judge(&Scenario::of(seed))
}

fn judge(scenario: &Scenario) -> Result<Report, String> {
    let Scenario {
        seed,
        clock,
        handlers,
        ..
    } = scenario;
    let about = format!("seed {seed}, clock {clock:?}, handlers {handlers:?}");
    let result = std::panic::catch_unwind(|| scenario.run());
    let report = result.map_err(|_| format!("{about}: it panicked"))?;
    match &report.failure {
        Some(failure) => Err(format!("{about}: {failure}")),
        None => Ok(report),
    }
}

/// Runs scenarios on two threads; gives the failures, and what the networks did in the others.
fn run_all(scenarios: impl Iterator<Item = Scenario> + Clone + Send) -> (Vec<String>, Statistics) {
    thread::scope(|scope| {
        let shards = [0, 1].map(|shard| {
            let own = scenarios.clone().skip(shard).step_by(2);
            scope.spawn(move || own.map(|scenario| judge(&scenario)).collect::<Vec<_>>())
        });
        let mut failures = Vec::new();
        let mut statistics = Statistics::default();
        for result in shards
            .into_iter()
            .flat_map(|shard| shard.join().expect("it does not panic"))
        {
            match result {
                Ok(report) => statistics += report.statistics,
                Err(failure) => failures.push(failure),
            }
        }
        (failures, statistics)
    })
}

#[test]
fn everything_happens_as_the_model_says() {
    if let Some(seed) = variable("SIM_SEED") {
        let mut scenario = Scenario::of(seed);
        if variable("SIM_SIMPLE") == Some(1) {
            (scenario.clock, scenario.handlers) = (Clock::Stepping, Handlers::InPlace);
        }
        println!("{scenario:#?}");
        let report = scenario.run();
        report.log.iter().for_each(|line| println!("{line}"));
        assert_eq!(report.failure, None, "seed {seed}");
        return;
    }
    let first = variable("SIM_FIRST").unwrap_or(0);
    let many = variable("SIM_SEEDS").unwrap_or(SEEDS);
    let (failures, statistics) = run_all((first..first + many).map(Scenario::of));
    let few = failures.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(
        failures.is_empty(),
        "{} failed; SIM_SEED=.. shows one\n{few}",
        failures.len()
    );
    println!("{many} seeds pass: {statistics:?}");
    let never: Vec<_> = statistics
        .all()
        .into_iter()
        .filter(|(_, count)| *count == 0)
        .collect();
    assert!(
        many < SEEDS || never.is_empty(),
        "the network never did this: {never:?}"
    );
}

#[test]
fn the_same_seed_gives_the_same_scenario_twice() {
    for seed in 0..12 {
        let trace = || Scenario::of(seed).run().trace;
        assert_eq!(trace(), trace(), "seed {seed}");
    }
}

/// For `mutations/run`: after how many seeds a failure is noticed.
#[test]
#[ignore = "it is meant to fail where the program is wrong"]
fn something_is_noticed() {
    let first = variable("SIM_FIRST").unwrap_or(0);
    for seed in first..first + variable("SIM_SEEDS").unwrap_or(SEEDS) {
        if let Err(failure) = run(seed) {
            println!("caught after {} seeds: {failure}", seed - first + 1);
            return;
        }
    }
    println!("survived");
}

/// Run it alone: `cargo test --profile world -p socketio-world --test scenario -- --ignored --nocapture seconds`.
#[test]
#[ignore = "it measures, and takes a minute"]
fn a_million_client_seconds_take_less_than_a_minute() {
    let before = cpu_seconds();
    let mut client_seconds = 0.0;
    let mut seeds = 0;
    while client_seconds < 1e6 {
        let report = run(seeds).expect("it passes");
        client_seconds += report.client_time.as_secs_f64();
        seeds += 1;
    }
    let seconds = cpu_seconds() - before;
    println!("{client_seconds:.0} client-seconds in {seconds:.1} seconds of CPU, {seeds} scenarios");
    assert!(seconds < 60.0);
}

/// The CPU time of this process, including threads that have ended.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux says so");
    let after_name = stat.rsplit(')').next().expect("it has a name");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |index: usize| -> f64 { fields[index].parse().expect("it is a number") };
    (ticks(11) + ticks(12)) / 100.0
}

#[test]
fn seeds_that_failed_once_do_not_fail_again() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds/scenario");
    let text = std::fs::read_to_string(path).expect("the list of seeds is there");
    let seeds = text
        .lines()
        .filter_map(|line| line.split('#').next()?.trim().parse().ok());
    let scenarios = seeds.flat_map(|seed| {
        let drawn = Scenario::of(seed);
        let simple = Scenario {
            clock: Clock::Stepping,
            handlers: Handlers::InPlace,
            ..drawn.clone()
        };
        [drawn, simple]
    });
    assert_eq!(run_all(scenarios).0, Vec::<String>::new());
}

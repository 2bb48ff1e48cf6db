//! One scenario on all servers, in slices that alternate.
//!
//! All servers run at once and all clients stay connected; only one server at a time is loaded. Whatever else the
//! machine does then meets all of them alike.

use std::time::{Duration, Instant};

use crate::Outcome;
use crate::load::{Run, memory};
use crate::machine::{CpuClock, Processors};
use crate::options::Pace;
use crate::scenario::Scenario;
use crate::server::{Placement, Program, Server};

/// Slices into which the window of each server is cut.
const SLICES: u32 = 5;

/// What one round of one scenario found out about one server.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    /// Microseconds of server CPU per operation, or KiB per connection.
    pub(crate) price: f64,
    /// 0 where operations are not counted.
    pub(crate) operations_per_second: f64,
    /// Share of one processor the server used. Far below 1 in a saturating scenario, the generator was the limit.
    pub(crate) processors_used: f64,
    /// Idle connections, where they are counted.
    pub(crate) held: Option<usize>,
}

/// Measures the servers in the given order; the results are in that order too.
pub(crate) fn measure(
    scenario: Scenario,
    programs: &[&Program],
    pace: Pace,
    idle_clients: usize,
    processors: &Processors,
) -> Vec<Outcome<Reading>> {
    if scenario == Scenario::Memory {
        return programs
            .iter()
            .map(|program| idle(program, idle_clients, processors))
            .collect();
    }
    let timing = scenario.timing(pace);
    let mut trials: Vec<Outcome<Trial>> = programs
        .iter()
        .map(|program| Trial::start(program, scenario, timing.warm_up, processors))
        .collect();
    for _ in 0..SLICES {
        for trial in &mut trials {
            if let Ok(running) = trial
                && let Err(error) = running.slice(timing.window / SLICES)
            {
                *trial = Err(error);
            }
        }
    }
    trials.into_iter().map(|trial| trial?.reading()).collect()
}

fn idle(program: &Program, clients: usize, processors: &Processors) -> Outcome<Reading> {
    let server = program.start(1, Placement::OwnProcessor, processors)?;
    let memory = memory::memory(server, clients)?;
    Ok(Reading {
        price: memory.kib_per_client,
        operations_per_second: 0.0,
        processors_used: 0.0,
        held: Some(memory.held),
    })
}

/// A server with its clients, and what has been counted since the warm-up.
struct Trial {
    /// Ends before its clients: whoever closes first keeps the port, and that of a server is one.
    server: Server,
    run: Run,
    /// The server's clock at the end of the warm-up.
    clock: CpuClock,
    operations: u64,
    /// Includes what the server does between slices: it finishes what is in flight, and the next slice counts it.
    cpu: Duration,
    wall: Duration,
}

impl Trial {
    fn start(
        program: &Program,
        scenario: Scenario,
        warm_up: Duration,
        processors: &Processors,
    ) -> Outcome<Self> {
        let server = program.start(1, Placement::OwnProcessor, processors)?;
        let mut run = scenario.connect(server.address)?;
        run(warm_up)?;
        let clock = server.cpu()?;
        Ok(Self {
            server,
            run,
            clock,
            operations: 0,
            cpu: Duration::ZERO,
            wall: Duration::ZERO,
        })
    }

    fn slice(&mut self, time: Duration) -> Outcome<()> {
        let start = Instant::now();
        self.operations += (self.run)(time)?;
        self.wall += start.elapsed();
        self.cpu = self.server.cpu()?.since(&self.clock);
        Ok(())
    }

    fn reading(&self) -> Outcome<Reading> {
        if self.operations == 0 {
            return Err(format!("no operation completed in {:?}", self.wall).into());
        }
        Ok(Reading {
            price: self.cpu.as_secs_f64() * 1e6 / self.operations as f64,
            operations_per_second: self.operations as f64 / self.wall.as_secs_f64(),
            processors_used: self.cpu.as_secs_f64() / self.wall.as_secs_f64(),
            held: None,
        })
    }
}

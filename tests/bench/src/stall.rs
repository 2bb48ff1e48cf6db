//! Fairness: how long honest clients wait, alone and beside one client that sends without pause.

use std::time::{Duration, Instant};

use crate::Outcome;
use crate::hub::Hub;
use crate::load::Timing;
use crate::load::abuse::{Abuse, Abuser};
use crate::load::echo::TimedEcho;
use crate::machine::Processors;
use crate::poller::Waiting;
use crate::server::{Placement, Program};

const HONEST_CLIENTS: usize = 32;
/// The numbers of server threads that are tried; the first is the one that counts.
pub(crate) const THREADS: [usize; 2] = [2, 1];

/// Latencies of the honest clients' echoes, in microseconds, and how much was done meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Latency {
    pub(crate) median: f64,
    pub(crate) p99: f64,
    pub(crate) echoes_per_second: f64,
    /// 10^6 bytes per second that the server took from the abusive client.
    pub(crate) abuse_megabytes_per_second: f64,
    /// The server closed the abusive client's connection.
    pub(crate) abuser_closed: bool,
}

/// Honest clients alone, then beside each kind of abuse in the order of [`Abuse::ALL`].
pub(crate) struct StallReading {
    pub(crate) alone: Latency,
    pub(crate) beside: [Latency; Abuse::ALL.len()],
}

impl StallReading {
    /// Alone first.
    pub(crate) fn phases(&self) -> impl Iterator<Item = Latency> {
        std::iter::once(self.alone).chain(self.beside)
    }
}

/// Names of [`StallReading::phases`].
pub(crate) fn phase_names() -> impl Iterator<Item = &'static str> {
    std::iter::once("alone").chain(Abuse::ALL.map(Abuse::name))
}

/// Measures one server with a number of threads; with one, it has a processor of its own.
pub(crate) fn measure(
    program: &Program,
    threads: usize,
    timing: Timing,
    processors: &Processors,
) -> Outcome<StallReading> {
    let placement = if threads == 1 {
        Placement::OwnProcessor
    } else {
        Placement::Anywhere
    };
    let server = program.start(threads, placement, processors)?;
    let mut hub = Hub::new(server.address, Waiting::Sleep)?;
    hub.join(HONEST_CLIENTS)?;
    let mut echo = TimedEcho::new(HONEST_CLIENTS);
    hub.start(|outbox| echo.start(outbox))?;
    let alone = phase(&mut hub, &mut echo, None, timing)?;
    let mut beside = [alone; Abuse::ALL.len()];
    for (latency, abuse) in beside.iter_mut().zip(Abuse::ALL) {
        let abuser = Abuser::start(server.address, abuse)?;
        *latency = phase(&mut hub, &mut echo, Some(&abuser), timing)
            .map_err(|error| format!("beside {}: {error}", abuse.name()))?;
    }
    Ok(StallReading { alone, beside })
}

fn phase(hub: &mut Hub, echo: &mut TimedEcho, abuser: Option<&Abuser>, timing: Timing) -> Outcome<Latency> {
    hub.run(echo, timing.warm_up)?;
    echo.take_latencies();
    let sent = || abuser.map_or(0, Abuser::sent);
    let (start, sent_before) = (Instant::now(), sent());
    hub.run(echo, timing.window)?;
    let (wall, abuse) = (start.elapsed(), sent() - sent_before);
    let mut latencies = echo.take_latencies();
    if latencies.is_empty() {
        // Every honest client waited at least as long as the window.
        latencies.push(wall.as_nanos() as u64);
    }
    latencies.sort_unstable();
    let per_second = |count: f64| count / wall.as_secs_f64();
    Ok(Latency {
        median: quantile(&latencies, 0.5),
        p99: quantile(&latencies, 0.99),
        echoes_per_second: per_second(latencies.len() as f64),
        abuse_megabytes_per_second: per_second(abuse as f64 / 1e6),
        abuser_closed: abuser.is_some_and(Abuser::is_over),
    })
}

/// A quantile of sorted nanoseconds, in microseconds.
fn quantile(sorted: &[u64], share: f64) -> f64 {
    let index = (sorted.len() as f64 * share) as usize;
    let nanoseconds = sorted[index.min(sorted.len() - 1)];
    Duration::from_nanos(nanoseconds).as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_stay_inside_the_samples() {
        let sorted: Vec<u64> = (1..=100).map(|value| value * 1000).collect();
        assert_eq!((quantile(&sorted, 0.5), quantile(&sorted, 0.99)), (51.0, 100.0));
        assert_eq!(quantile(&[7000], 0.99), 7.0);
    }
}

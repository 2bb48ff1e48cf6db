//! What the bench asks of the operating system: descriptors, processors, and what a process has used (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setpriority_process, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Outcome;

/// `USER_HZ`, the unit of `/proc/PID/stat`; 100 on every Linux architecture this runs on.
const NANOSECONDS_PER_TICK: u64 = 10_000_000;
/// `utime` and `stime` are cut to whole ticks, each by itself, so a difference of their sums has up to two too many.
const ROUNDED_TICKS: u64 = 2;
const LOWEST_PRIORITY: i32 = 19;

/// Lets this process and its children open as many descriptors as the system permits, and returns that number.
pub(crate) fn raise_descriptor_limit() -> Outcome<usize> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    Ok(limit.maximum.map_or(usize::MAX, |maximum| maximum as usize))
}

/// Where servers and load generator run.
#[derive(Clone)]
pub(crate) struct Processors {
    all: CpuSet,
    server: CpuSet,
    generator: CpuSet,
}

impl Processors {
    /// The first processor this process may use is the server's, the second the generator's.
    pub(crate) fn divide() -> Outcome<Self> {
        let all = sched_getaffinity(None)?;
        let mut usable = (0..CpuSet::MAX_CPU).filter(|&cpu| all.is_set(cpu));
        let (Some(first), Some(second)) = (usable.next(), usable.next()) else {
            return Err("two processors are needed: one for the server, one for the load".into());
        };
        let only = |cpu| {
            let mut set = CpuSet::new();
            set.set(cpu);
            set
        };
        Ok(Self {
            all,
            server: only(first),
            generator: only(second),
        })
    }

    /// Moves the calling thread, and what it starts, to the server's processor.
    pub(crate) fn enter_server(&self) -> Outcome<()> {
        Ok(sched_setaffinity(None, &self.server)?)
    }

    /// Moves the calling thread to the generator's processor.
    pub(crate) fn enter_generator(&self) -> Outcome<()> {
        Ok(sched_setaffinity(None, &self.generator)?)
    }

    /// Lets the calling thread run everywhere.
    pub(crate) fn enter_all(&self) -> Outcome<()> {
        Ok(sched_setaffinity(None, &self.all)?)
    }
}

/// Makes the calling thread yield to every other; Linux keeps this number per thread.
pub(crate) fn lower_own_priority() -> Outcome<()> {
    Ok(setpriority_process(None, LOWEST_PRIORITY)?)
}

/// Processor time a process has used so far.
pub(crate) struct CpuClock {
    /// Nanoseconds of every live thread, exact; threads that ended are missing.
    threads: BTreeMap<u32, u64>,
    /// Ticks of the whole process, ended threads included.
    ticks: u64,
}

impl CpuClock {
    pub(crate) fn read(process: u32) -> Outcome<Self> {
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{process}/task"))? {
            let entry = entry?;
            // A thread may end between the listing and the reading.
            let Ok(text) = fs::read_to_string(entry.path().join("schedstat")) else {
                continue;
            };
            let thread = entry.file_name().to_string_lossy().parse()?;
            let nanoseconds = text.split(' ').next().unwrap_or_default().parse()?;
            threads.insert(thread, nanoseconds);
        }
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        Ok(Self {
            threads,
            ticks: ticks(&stat)?,
        })
    }

    /// Time used since `earlier`, by all threads, new ones included. If threads have ended meanwhile, what they used
    /// counts as far as it is more than the rounding of ticks.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let live = self.threads.iter().map(|(thread, nanoseconds)| {
            nanoseconds.saturating_sub(earlier.threads.get(thread).copied().unwrap_or_default())
        });
        let ticks = self
            .ticks
            .saturating_sub(earlier.ticks)
            .saturating_sub(ROUNDED_TICKS);
        Duration::from_nanos(live.sum::<u64>().max(ticks.saturating_mul(NANOSECONDS_PER_TICK)))
    }
}

/// `utime` plus `stime`, fields 14 and 15; the name in parentheses before them may contain spaces.
fn ticks(stat: &str) -> Outcome<u64> {
    let (_, after_name) = stat.rsplit_once(')').ok_or("/proc/PID/stat has no name")?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut field = || fields.next().ok_or("/proc/PID/stat is too short");
    Ok(field()?.parse::<u64>()? + field()?.parse::<u64>()?)
}

/// Resident memory of a process in KiB. `VmRSS` of `status` is batched per processor; this one is counted.
pub(crate) fn resident_kib(process: u32) -> Outcome<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Rss:"))
        .ok_or("smaps_rollup has no Rss")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_a_name_with_spaces() {
        let stat = "7 (a b) c) S 1 1 1 0 -1 4194560 2 3 4 5 61 8 2 3 20 0 1 0 9";
        assert_eq!(ticks(stat).unwrap(), 69);
    }

    #[test]
    fn threads_that_begin_count_in_nanoseconds_and_threads_that_end_in_ticks() {
        let clock = |threads: &[(u32, u64)], ticks| CpuClock {
            threads: threads.iter().copied().collect(),
            ticks,
        };
        let earlier = clock(&[(1, 500), (2, 700)], 10);
        let begun = clock(&[(1, 600), (2, 700), (3, 50)], 12);
        assert_eq!(begun.since(&earlier), Duration::from_nanos(150));
        let ended = clock(&[(1, 600)], 32);
        assert_eq!(ended.since(&earlier), Duration::from_millis(200));
    }

    #[test]
    fn own_clock_advances_and_own_memory_is_known() {
        let before = CpuClock::read(std::process::id()).unwrap();
        let after = CpuClock::read(std::process::id()).unwrap();
        assert!(after.since(&before) < Duration::from_secs(1));
        assert!(resident_kib(std::process::id()).unwrap() > 100);
    }
}

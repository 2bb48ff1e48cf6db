//! What a process has: live memory, threads and open descriptors, counted before and after.
//!
//! A test binary that counts names the allocator:
//!
//! ```
//! use std::alloc::System;
//! use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
//!
//! #[global_allocator]
//! static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;
//! ```

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use stats_alloc::INSTRUMENTED_SYSTEM;

/// What this process has at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belongings {
    /// Bytes of heap that are alive.
    pub bytes: usize,
    /// Allocations that are alive.
    pub allocations: usize,
    /// Threads, workers that wait for work apart: those end some seconds after their last.
    pub threads: usize,
    /// Open descriptors.
    pub files: usize,
}

/// By how much a process may have more than before.
#[derive(Clone, Copy, Debug)]
pub struct Slack {
    /// Bytes of heap.
    pub bytes: usize,
    /// Allocations.
    pub allocations: usize,
    /// Threads.
    pub threads: usize,
    /// Open descriptors.
    pub files: usize,
}

impl Belongings {
    /// Counts.
    #[must_use]
    pub fn count() -> Self {
        let stats = INSTRUMENTED_SYSTEM.stats();
        let descriptors = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        Self {
            bytes: stats.bytes_allocated.saturating_sub(stats.bytes_deallocated),
            allocations: stats.allocations.saturating_sub(stats.deallocations),
            threads: threads(),
            files: descriptors,
        }
    }

    /// The most of several counts, taken while nothing but the usual goes on.
    #[must_use]
    pub fn at_rest() -> Self {
        let mut most = Self::count();
        for _ in 0..10 {
            sleep(Duration::from_millis(5));
            let now = Self::count();
            most = Self {
                bytes: most.bytes.max(now.bytes),
                allocations: most.allocations.max(now.allocations),
                threads: most.threads.max(now.threads),
                files: most.files.max(now.files),
            };
        }
        most
    }

    /// Whether there is no more than there was `before`, but for the slack.
    #[must_use]
    pub const fn is_within(&self, before: &Self, slack: Slack) -> bool {
        self.bytes <= before.bytes + slack.bytes
            && self.allocations <= before.allocations + slack.allocations
            && self.threads <= before.threads + slack.threads
            && self.files <= before.files + slack.files
    }

    /// Waits until there is no more than there was, but for the slack.
    ///
    /// # Errors
    ///
    /// What there is when `patience` has passed.
    pub fn await_return(&self, slack: Slack, patience: Duration) -> Result<Self, Self> {
        let started = Instant::now();
        loop {
            let now = Self::count();
            if now.is_within(self, slack) {
                return Ok(now);
            }
            if started.elapsed() >= patience {
                return Err(now);
            }
            sleep(Duration::from_millis(5));
        }
    }
}

fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    // The system cuts names off after 15 bytes.
    let is_worker = |task: &fs::DirEntry| {
        fs::read_to_string(task.path().join("comm"))
            .is_ok_and(|name| matches!(name.trim(), "socketio-worker" | "threads-worker"))
    };
    tasks.filter(|task| !is_worker(task)).count()
}

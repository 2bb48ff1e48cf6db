//! What a process uses: live memory, threads and open descriptors, measured before and after.
//!
//! Memory is measured only in test binaries that name this allocator:
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

use crate::binding::THREADS_NAME;

/// What this process uses at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceUsage {
    /// Bytes of heap that are alive.
    pub bytes: usize,
    /// Allocations that are alive.
    pub allocations: usize,
    /// Threads, without workers of the blocking binding, which end some seconds after their last work.
    pub threads: usize,
    /// Open descriptors.
    pub files: usize,
}

/// How much more than before a process may use.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Bytes of heap.
    pub bytes: usize,
    /// Allocations.
    pub allocations: usize,
    /// Threads.
    pub threads: usize,
    /// Open descriptors.
    pub files: usize,
}

impl ResourceUsage {
    /// The usage now.
    #[must_use]
    pub fn measure() -> Self {
        let stats = INSTRUMENTED_SYSTEM.stats();
        let descriptors = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        Self {
            bytes: stats.bytes_allocated.saturating_sub(stats.bytes_deallocated),
            allocations: stats.allocations.saturating_sub(stats.deallocations),
            threads: threads(),
            files: descriptors,
        }
    }

    /// The most of several measurements, taken while nothing unusual goes on.
    #[must_use]
    pub fn at_rest() -> Self {
        let mut most = Self::measure();
        for _ in 0..10 {
            sleep(Duration::from_millis(5));
            let now = Self::measure();
            most = Self {
                bytes: most.bytes.max(now.bytes),
                allocations: most.allocations.max(now.allocations),
                threads: most.threads.max(now.threads),
                files: most.files.max(now.files),
            };
        }
        most
    }

    /// Whether no more is used than `before` and the tolerance.
    #[must_use]
    pub const fn is_within(&self, before: &Self, tolerance: Tolerance) -> bool {
        self.bytes <= before.bytes + tolerance.bytes
            && self.allocations <= before.allocations + tolerance.allocations
            && self.threads <= before.threads + tolerance.threads
            && self.files <= before.files + tolerance.files
    }

    /// Waits until no more is used than at this measurement, within the tolerance.
    ///
    /// # Errors
    ///
    /// What is used when `timeout` has passed.
    pub fn await_return(&self, tolerance: Tolerance, timeout: Duration) -> Result<Self, Self> {
        let started = Instant::now();
        loop {
            let now = Self::measure();
            if now.is_within(self, tolerance) {
                return Ok(now);
            }
            if started.elapsed() >= timeout {
                return Err(now);
            }
            sleep(Duration::from_millis(5));
        }
    }
}

fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    // The system cuts names off after 15 bytes, of which a worker's number may be the last.
    let workers = ["socketio-worker".to_owned(), format!("{THREADS_NAME}-worker")];
    let is_worker = |task: &fs::DirEntry| {
        fs::read_to_string(task.path().join("comm"))
            .is_ok_and(|name| workers.iter().any(|worker| name.starts_with(worker)))
    };
    tasks.filter(|task| !is_worker(task)).count()
}

//! Hostile clients over real sockets, against a live server of each binding, while honest clients go on talking.
//!
//! Each attack is a function, run by [`Fortress::withstand`]: what the server must bear, whatever the attack is, is said
//! there once. What the attacked must hear is said by the attack.

mod acks;
mod bodies;
mod floods;
mod fortress;
mod frames;
mod guests;
mod json;
mod line;
mod names;
mod pipelined;
mod resets;
mod slow;
mod tls;
mod unread;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

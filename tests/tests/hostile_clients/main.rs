//! Hostile clients over real sockets, against a live server of each binding, while honest clients go on talking.
//!
//! Each attack is a function, run by [`Fortress::withstand`]: what the server must bear, whatever the attack is, is said
//! there once. What the attacked must hear is said by the attack. `ATTACK=name` in the environment runs only those whose
//! name contains it, which tells who it was that left something.

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

use socketio_tests::binding::Binding;
use socketio_tests::on_every_server;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use fortress::Fortress;

on_every_server![every_attack_is_withstood_by_all_and_leaves_nothing];

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn every_attack_is_withstood_by_all_and_leaves_nothing(binding: Binding) {
    let all = [
        slow::ATTACKS,
        floods::ATTACKS,
        pipelined::ATTACKS,
        bodies::ATTACKS,
        frames::ATTACKS,
        unread::ATTACKS,
        resets::ATTACKS,
        names::ATTACKS,
        acks::ATTACKS,
        json::ATTACKS,
    ];
    let chosen = std::env::var("ATTACK").unwrap_or_default();
    let mut attacks = all.concat();
    attacks.retain(|(name, _)| name.contains(&chosen));
    Fortress::of(binding).withstand(&attacks);
}

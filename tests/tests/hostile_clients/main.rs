//! Hostile clients over real sockets, against a running server of each binding, while honest clients exchange events.
//!
//! Each attack is a function, run by [`ServerUnderAttack::assert_withstands`], which checks what must hold whatever the
//! attack is. What the attacker must receive is checked by the attack. `ATTACK=name` in the environment runs only those
//! whose name contains it, to find the one that left something behind.

mod acks;
mod bodies;
mod floods;
mod frames;
mod honest_clients;
mod json;
mod names;
mod pipelined;
mod raw_connection;
mod resets;
mod server_under_attack;
mod slow;
mod tls;
mod unread;

use std::alloc::System;

use socketio_tests::binding::Binding;
use socketio_tests::on_every_server;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use server_under_attack::ServerUnderAttack;

on_every_server![every_server_withstands_every_attack_and_keeps_nothing_of_it];

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn every_server_withstands_every_attack_and_keeps_nothing_of_it(binding: Binding) {
    let all = [
        // They measure memory, some of which the server keeps for the sessions that other attacks leave.
        unread::ATTACKS,
        slow::ATTACKS,
        floods::ATTACKS,
        pipelined::ATTACKS,
        bodies::ATTACKS,
        frames::ATTACKS,
        resets::ATTACKS,
        names::ATTACKS,
        acks::ATTACKS,
        json::ATTACKS,
    ];
    let chosen = std::env::var("ATTACK").unwrap_or_default();
    let mut attacks = all.concat();
    attacks.retain(|(name, _)| name.contains(&chosen));
    ServerUnderAttack::of(binding).assert_withstands(&attacks);
}

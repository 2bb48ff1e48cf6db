//! The client against servers that break every rule: an error that names what happened, within the time stated, with
//! bounded memory; and it comes back when a good server takes the port.

mod frames;
mod handshakes;
mod probes;
mod sessions;
mod support;

use socketio_tests::live::{Scheduler, all_of};
use support::Attack;

fn withstand(attacks: Vec<Attack>, scheduler: Scheduler) {
    let cases = attacks
        .into_iter()
        .map(|attack| (attack.name, attack.withstand()))
        .collect();
    scheduler.runtime().block_on(all_of(cases));
}

#[test]
fn answers_to_the_handshake_that_are_none() {
    withstand(handshakes::attacks(), Scheduler::CurrentThread);
}

#[test]
fn answers_to_the_handshake_that_are_none_on_several_threads() {
    withstand(handshakes::attacks(), Scheduler::MultiThread);
}

#[test]
fn sessions_that_go_wrong() {
    withstand(sessions::attacks(), Scheduler::CurrentThread);
}

#[test]
fn sessions_that_go_wrong_on_several_threads() {
    withstand(sessions::attacks(), Scheduler::MultiThread);
}

#[test]
fn frames_that_break_rules() {
    withstand(frames::attacks(), Scheduler::CurrentThread);
}

#[test]
fn frames_that_break_rules_on_several_threads() {
    withstand(frames::attacks(), Scheduler::MultiThread);
}

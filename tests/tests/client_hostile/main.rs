//! The client against servers that break every rule: an error that names what happened, within the time stated, with
//! bounded memory; and it reconnects when a good server takes the port.

mod frames;
mod handshakes;
mod probes;
mod sessions;
mod support;

use socketio_tests::binding::Binding;
use socketio_tests::live::all_of;
use support::Attack;

socketio_tests::on_every_client![
    answers_to_the_handshake_that_are_none,
    sessions_that_go_wrong,
    frames_that_break_rules,
];

fn run_attacks(binding: Binding, attacks: fn() -> Vec<Attack>) {
    binding.run_test(|| {
        let cases = attacks()
            .into_iter()
            .map(|attack| (attack.name, attack.run(binding)));
        all_of(cases.collect())
    });
}

fn answers_to_the_handshake_that_are_none(binding: Binding) {
    run_attacks(binding, handshakes::attacks);
}

fn sessions_that_go_wrong(binding: Binding) {
    run_attacks(binding, sessions::attacks);
}

fn frames_that_break_rules(binding: Binding) {
    run_attacks(binding, frames::attacks);
}

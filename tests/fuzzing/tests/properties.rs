//! The same invariants for scenarios that are drawn at random from packets of the protocols, so that each of them gets
//! further than most bytes do.

use proptest::prelude::*;
use socketio_fuzzing::{client_bytes, pair, server_bytes};

/// Ends a text argument.
const END: u8 = 0xff;

/// Packets as they stand in Engine.IO messages; what they mean depends on whose they are.
const PACKETS: [&str; 22] = [
    "40",
    "40/chat,{\"token\":1}",
    "40{\"sid\":\"x\"}",
    "40/chat,{\"sid\":\"y\"}",
    "41",
    "41/chat,",
    "42[\"e\",1]",
    "421[\"e\",{\"a\":[]}]",
    "42/chat,[\"e\"]",
    "430[1]",
    "431[]",
    "43/chat,0[]",
    "44{\"message\":\"no\"}",
    "451-[\"b\",{\"_placeholder\":true,\"num\":0}]",
    "461-0[{\"_placeholder\":true,\"num\":0}]",
    "2probe",
    "3",
    "5",
    "1",
    "6",
    "4x",
    "bAQID",
];

/// A step, and what may follow it: numbers, or a packet between two.
fn step(kinds: core::ops::Range<u8>) -> impl Strategy<Value = Vec<u8>> {
    let numbers = prop::collection::vec(0_u8..8, 0..4);
    let packet = (0_u8..4, prop::sample::select(PACKETS.to_vec()), 0_u8..4)
        .prop_map(|(before, packet, after)| [&[before][..], packet.as_bytes(), &[END, after]].concat());
    let bare =
        prop::sample::select(PACKETS.to_vec()).prop_map(|packet| [packet.as_bytes(), &[END, 0]].concat());
    let arguments = prop_oneof![3 => numbers, 1 => packet, 2 => bare];
    (kinds, arguments).prop_map(|(kind, arguments)| [vec![kind], arguments].concat())
}

fn scenarios(beginning: Vec<Vec<u8>>, kinds: core::ops::Range<u8>) -> impl Strategy<Value = Vec<u8>> {
    let steps = prop::collection::vec(step(kinds), 0..40);
    (any::<u8>(), prop::sample::select(beginning), steps)
        .prop_map(|(choice, beginning, steps)| [vec![choice], beginning, steps.concat()].concat())
}

/// Nothing, or a client whose socket the server has accepted: on WebSocket, by polling, and during an upgrade.
fn joined_server() -> Vec<Vec<u8>> {
    let join = |packet: &str| [packet.as_bytes(), &[END]].concat();
    vec![
        Vec::new(),
        [&[2, 2, 0, 13][..], &join("40"), &[0, 32, 0]].concat(),
        [&[2, 0, 0, 2, 9, 0][..], &join("40"), &[32, 0, 2, 4, 0]].concat(),
        [
            &[2, 0, 0, 2, 9, 0][..],
            &join("40"),
            &[32, 0, 2, 7, 0, 13],
            &join("2probe"),
            &[0],
        ]
        .concat(),
    ]
}

/// Nothing, a client that joins its namespaces, and one that has joined the first.
fn joined_client() -> Vec<Vec<u8>> {
    let joining = [34, 0, 5, 5, 5, 45, 0, 45, 1];
    vec![
        Vec::new(),
        joining.to_vec(),
        [&joining[..], &[10, 3, END, 10, 3, END]].concat(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn neither_pieces_nor_spurious_timers_change_what_a_server_does(scenario in scenarios(joined_server(), 0..64)) {
        server_bytes(&scenario);
    }

    #[test]
    fn neither_pieces_nor_spurious_timers_change_what_a_client_does(scenario in scenarios(joined_client(), 0..64)) {
        client_bytes(&scenario);
    }

    #[test]
    fn pieces_change_nothing_between_a_client_and_a_server(scenario in scenarios(vec![Vec::new()], 0..32)) {
        pair(&scenario);
    }
}

//! Upgrades that come to nothing, at every step.

use super::bytes_on_the_wire::{HANDSHAKE, OFFER, accept, frames, text};
use super::world::{Dialling, World, ms};
use socketio_core::eio::client::{State, TransportOrder};
use socketio_core::eio::{Transport, Upgrades};

/// A polling session on link 0, with a probe on link 1 that waits for 101.
fn probing() -> World {
    let mut world = World::scripted();
    world.connect();
    world.answer(0, OFFER);
    world.sent(0);
    world.client_texts();
    world
}

/// The same, after `2probe`.
fn probed() -> World {
    let mut world = probing();
    accept(&mut world, 1);
    assert_eq!(frames(&mut world, 1), ["2probe"]);
    world
}

/// The same, after `3probe`, with a message that waits.
fn pausing() -> World {
    let mut world = probed();
    world.receive(1, text("3probe"));
    world.send("held").unwrap();
    world.settle();
    assert_eq!(world.links.len(), 2);
    world
}

/// The session still polls, and posts what waited.
fn assert_polls_on(world: &mut World) {
    assert!(world.is_closed(1));
    assert_eq!(world.client.transport(), Some(Transport::Polling));
    if world.links.len() == 2 {
        // Nothing was held back.
        world.send("held").unwrap();
    }
    world.settle();
    let post = world.links.len() - 1;
    assert!(world.sent(post).ends_with("\r\n\r\n4held"));
    world.answer(post, "ok");
    world.answer(0, "4a");
    assert!(world.sent(0).ends_with("\r\n\r\n"));
    assert_eq!(world.client_texts(), ["a"]);
    let rest = world.client.poll_timeout().unwrap() - world.now;
    assert!(rest > ms(20_000), "{rest:?}");
}

#[test]
fn whatever_becomes_of_a_probe_polling_goes_on() {
    type Fate = fn(&mut World);
    let fates: [(Fate, &str); 8] = [
        (|world| world.end(1), "ConnectionLost"),
        (|world| world.cut(1), "ConnectionLost"),
        (|world| world.receive(1, text("4a")), "InvalidHandshake"),
        (|world| world.receive(1, text("3")), "InvalidHandshake"),
        (|world| world.receive(1, text("x")), "InvalidHandshake"),
        (|world| world.receive(1, text("1")), "TransportClose"),
        (|world| world.receive(1, b"\x88\x00"), "TransportClose"),
        (|world| world.wait(ms(10_000)), "UpgradeTimedOut"),
    ];
    for start in [probed, pausing] {
        for (fate, reason) in &fates {
            let mut world = start();
            fate(&mut world);
            assert_eq!(world.client_texts(), [format!("UpgradeFailed {reason}")]);
            assert_polls_on(&mut world);
        }
    }
}

#[test]
fn a_probe_that_is_refused_leaves_the_session_polling() {
    let mut world = probing();
    world.answer_with(1, "400 Bad Request", "", "no");
    assert_eq!(world.client_texts(), ["UpgradeFailed Refused(400 Bad Request)"]);
    assert_polls_on(&mut world);

    let mut world = probing();
    world.receive(
        1,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    );
    assert_eq!(world.client_texts(), ["UpgradeFailed BadResponse(Handshake)"]);
    assert_polls_on(&mut world);

    let mut world = probing();
    world.wait(ms(10_000));
    assert_eq!(world.client_texts(), ["UpgradeFailed UpgradeTimedOut"]);
    assert_polls_on(&mut world);
}

#[test]
fn a_probe_that_can_not_be_dialled_leaves_the_session_polling() {
    let mut world = World::scripted();
    world.connect();
    world.dialling = Dialling::Fails;
    world.answer(0, OFFER);
    world.dialling = Dialling::Succeeds;
    world.sent(0);
    assert_eq!(
        world.client_texts(),
        ["Opened polling", "UpgradeFailed DialFailed"]
    );
    assert_polls_on(&mut world);

    let mut world = World::scripted();
    world.connect();
    world.dialling = Dialling::Hangs;
    world.answer(0, OFFER);
    world.wait(ms(10_000));
    world.dialling = Dialling::Succeeds;
    world.sent(0);
    assert_eq!(
        world.client_texts(),
        ["Opened polling", "UpgradeFailed UpgradeTimedOut"]
    );
    assert_polls_on(&mut world);
}

#[test]
fn polling_resumes_with_a_poll_when_the_probe_is_lost_after_the_last_was_answered() {
    let mut world = probed();
    // The POST under way keeps the upgrade waiting.
    world.send("a").unwrap();
    world.settle();
    world.receive(1, text("3probe"));
    world.answer(0, "4b");
    assert_eq!(world.sent(0), "");
    world.end(1);
    assert!(world.sent(0).starts_with("GET "));
    assert_eq!(world.client_texts(), ["b", "UpgradeFailed ConnectionLost"]);
    world.answer(2, "ok");
    assert_eq!(world.client.state(), State::Open);
}

#[test]
fn a_post_that_still_waits_for_its_connection_leaves_on_the_websocket() {
    for fails in [false, true] {
        let mut world = probed();
        world.dialling = Dialling::Hangs;
        world.send("a").unwrap();
        world.receive(1, text("3probe"));
        if fails {
            world.lose(2);
        } else {
            world.make(2);
        }
        assert_eq!(world.sent(2), "");
        world.answer(0, "6");
        assert_eq!(frames(&mut world, 1), ["5", "4a"]);
        assert_eq!(world.client_texts(), ["Upgraded"]);
        assert!(world.is_closed(0) && world.is_closed(2));
        world.wait(ms(21_000));
        assert_eq!(world.client.state(), State::Open);
    }
}

#[test]
fn a_poll_lost_while_pausing_does_not_hold_the_upgrade_up() {
    let mut world = pausing();
    world.end(0);
    assert_eq!(frames(&mut world, 1), ["5", "4held"]);
    assert_eq!(world.client_texts(), ["Upgraded"]);
}

#[test]
fn after_the_switch_a_lost_websocket_is_the_end() {
    let mut world = pausing();
    world.answer(0, "6");
    world.end(1);
    assert_eq!(world.client_texts(), ["Upgraded", "Closed ConnectionLost"]);
    world.assert_idle();
}

#[test]
fn a_session_that_ends_takes_its_probe_along() {
    for mut world in [probing(), probed(), pausing()] {
        world.answer(0, "1");
        assert_eq!(world.client_texts(), ["Closed TransportClose"]);
        assert!(world.is_closed(1));
        world.assert_idle();
    }
}

#[test]
fn nothing_is_probed_that_is_not_offered_or_not_wanted() {
    let mut world = World::scripted();
    world.connect();
    world.answer(0, HANDSHAKE);
    assert_eq!(world.links.len(), 1);
    let mut world = World::scripted_with(|config| config.upgrades = Upgrades::Refused);
    world.connect();
    world.answer(0, OFFER);
    assert_eq!(world.links.len(), 1);
    let mut world = World::scripted_with(|config| config.transports = TransportOrder::Polling);
    world.connect();
    world.answer(0, OFFER);
    assert_eq!(world.links.len(), 1);
}

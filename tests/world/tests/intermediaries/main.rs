//! Clients behind HTTP intermediaries of all kinds. Where one takes nothing but time, everything is heard exactly once
//! and in order; where it takes more, everything at most once and in order, and both sides hear why their session ended.
//!
//! `SIM_SEEDS` says how many drawn intermediaries are tried, from `SIM_FIRST` on.

mod party;

use std::time::Duration;

use party::{Party, Session, Story};
use socketio_core::eio::client::CloseReason;
use socketio_core::http::StatusCode;
use socketio_core::sio::client::Reason as Why;
use socketio_driver::client::{ConnectionEvent, TransportOrder};
use socketio_driver::{Reason, Transport};
use socketio_world::intermediary::{
    Buffering, Case, Coding, Cuts, Dialect, Intermediary, Lines, Manner, Notice, Persistence, Struck, Toll,
    Traces, Upgrades,
};

const POLLING: TransportOrder = TransportOrder::Polling;
const UPGRADING: TransportOrder = TransportOrder::PollingFirst;
const FALLING_BACK: TransportOrder = TransportOrder::WebSocketFirst;
const WEBSOCKET: TransportOrder = TransportOrder::WebSocket;

/// Everybody had one session, and heard everything.
fn check_complete(story: &Story, guests: usize, about: &str) {
    assert_eq!(story.wrongs, Vec::<String>::new(), "{about}");
    let mut people: Vec<usize> = story.sessions.iter().map(|session| session.person).collect();
    people.sort_unstable();
    assert_eq!(people, (0..guests).collect::<Vec<_>>(), "{about}: {story:?}");
    for session in &story.sessions {
        assert_eq!(session.said, session.taken, "{about}: {session:?}");
        assert_eq!(session.sent, session.heard, "{about}: {session:?}");
    }
}

/// What was heard is the beginning of what was said; where an end is missing, both sides know that their session was
/// broken.
fn check_prefixes(story: &Story, about: &str) {
    assert_eq!(story.wrongs, Vec::<String>::new(), "{about}");
    for session in &story.sessions {
        let Session {
            said,
            taken,
            sent,
            heard,
            ..
        } = session;
        assert!(said.starts_with(taken), "{about}: {session:?}");
        assert!(sent.starts_with(heard), "{about}: {session:?}");
        let left = matches!(&session.client_end, Some(reason) if reason.kind == Why::ClientDisconnect);
        let was_let_go = matches!(session.server_end, Some(Reason::ClientNamespaceDisconnect));
        if said != taken || sent != heard {
            assert!(!left && !was_let_go, "{about}: {session:?}");
        }
        // A client may never have heard that it was let in.
        assert!(session.server_end.is_some(), "{about}: {session:?}");
        if !heard.is_empty() || !said.is_empty() {
            assert!(session.client_end.is_some(), "{about}: {session:?}");
        }
    }
}

/// Nothing is lost; gives all stories.
fn loses_nothing(seeds: u64, party: &Party) -> Vec<Story> {
    let stories = (0..seeds).map(|seed| {
        let (story, _) = party.take_place(seed);
        check_complete(
            &story,
            party.guests.len(),
            &format!("seed {seed} {:?}", party.quirks),
        );
        story
    });
    stories.collect()
}

/// Sessions may end; gives all stories.
fn may_lose(seeds: u64, party: &Party) -> Vec<Story> {
    let stories = (0..seeds).map(|seed| {
        let (story, _) = party.take_place(seed);
        check_prefixes(&story, &format!("seed {seed} {:?}", party.quirks));
        story
    });
    stories.collect()
}

/// Why sessions ended, as clients heard, but for those that left.
fn ends(stories: &[Story]) -> Vec<Why> {
    let sessions = stories.iter().flat_map(|story| &story.sessions);
    let ends = sessions.filter_map(|session| session.client_end.as_ref());
    ends.map(|reason| reason.kind)
        .filter(|why| *why != Why::ClientDisconnect)
        .collect()
}

#[test]
fn nothing_is_lost_where_everything_is_only_passed_on() {
    for story in loses_nothing(10, &Party::of(Intermediary::default())) {
        let (polling, websocket) = (Some(Transport::Polling), Some(Transport::WebSocket));
        assert_eq!(story.transports, [polling, websocket, websocket, websocket]);
        assert_eq!(story.tally.tunnels, 3);
    }
}

#[test]
fn nothing_is_lost_where_answers_come_late_and_whole() {
    for most in [1, 50, 2_000].map(Duration::from_millis) {
        let quirks = Intermediary {
            buffering: Buffering::Whole(Duration::ZERO..most),
            ..Intermediary::default()
        };
        loses_nothing(4, &Party::of(quirks).with_guests(&[POLLING, UPGRADING]));
    }
}

#[test]
fn connections_that_rest_may_be_closed() {
    let cuts = [
        (5, Notice::None),
        (7, Notice::None),
        (1, Notice::Header),
        (2, Notice::Header),
    ];
    for (seconds, notice) in cuts {
        let quirks = Intermediary {
            clients: Cuts {
                after: Some(Duration::from_secs(seconds)),
                notice,
                ..Cuts::default()
            },
            servers: Cuts {
                after: Some(Duration::from_secs(1)),
                ..Cuts::default()
            },
            lines: Lines::Shared(3),
            ..Intermediary::default()
        };
        let mut party = Party::of(quirks).with_guests(&[POLLING, POLLING]);
        party.pause = Duration::ZERO..Duration::from_secs(12);
        party.heartbeat = (Duration::from_secs(20), Duration::from_secs(5));
        let stories = loses_nothing(4, &party);
        let cut: u64 = stories.iter().map(|story| story.tally.cuts).sum();
        assert!(cut > 0, "{seconds} {notice:?}");
    }
}

#[test]
fn a_poll_that_meets_the_end_of_a_connection_is_sent_again() {
    let quirks = Intermediary {
        clients: Cuts {
            at_request: 3,
            struck: Struck::Polls,
            manner: Manner::End,
            ..Cuts::default()
        },
        ..Intermediary::default()
    };
    for story in loses_nothing(8, &Party::of(quirks).with_guests(&[POLLING, UPGRADING, POLLING])) {
        assert!(story.tally.strikes > 0);
    }
}

#[test]
fn a_request_whose_fate_nobody_knows_ends_the_session() {
    for (struck, manner) in [
        (Struck::All, Manner::End),
        (Struck::Polls, Manner::Reset),
        (Struck::All, Manner::Reset),
    ] {
        let quirks = Intermediary {
            clients: Cuts {
                at_request: 8,
                struck,
                manner,
                ..Cuts::default()
            },
            ..Intermediary::default()
        };
        let stories = may_lose(5, &Party::of(quirks).with_guests(&[POLLING, UPGRADING, POLLING]));
        let ends = ends(&stories);
        assert!(!ends.is_empty());
        let lost = Why::Engine(CloseReason::ConnectionLost);
        assert!(ends.iter().all(|why| *why == lost), "{ends:?}");
    }
}

#[test]
fn a_request_that_is_lost_before_the_server_ends_the_session() {
    for manner in [Manner::End, Manner::Reset] {
        let quirks = Intermediary {
            servers: Cuts {
                at_request: 8,
                struck: Struck::All,
                manner,
                ..Cuts::default()
            },
            lines: Lines::Shared(3),
            ..Intermediary::default()
        };
        let stories = may_lose(6, &Party::of(quirks).with_guests(&[POLLING, POLLING]));
        let ends = ends(&stories);
        let bad_gateway = |why: &Why| {
            *why == Why::Engine(CloseReason::RequestFailed(StatusCode::BAD_GATEWAY))
                || *why == Why::Engine(CloseReason::TransportClose)
        };
        assert!(!ends.is_empty() && ends.iter().all(bad_gateway), "{ends:?}");
    }
}

/// Why upgrades failed, for each guest.
fn failures(story: &Story) -> Vec<Vec<Why>> {
    let guests = story.events.iter().map(|events| {
        let failures = events.iter().filter_map(|event| match event {
            ConnectionEvent::UpgradeFailed { reason } => Some(reason.kind),
            _ => None,
        });
        failures.collect()
    });
    guests.collect()
}

#[test]
fn who_gets_no_websocket_stays_on_polling() {
    let refused = |status| Why::Engine(CloseReason::Refused(status));
    for (upgrades, why) in [
        (
            Upgrades::Refused(StatusCode::BAD_REQUEST),
            refused(StatusCode::BAD_REQUEST),
        ),
        (
            Upgrades::Refused(StatusCode::BAD_GATEWAY),
            refused(StatusCode::BAD_GATEWAY),
        ),
        (Upgrades::Stripped, refused(StatusCode::BAD_REQUEST)),
        (Upgrades::Swallowed, Why::Engine(CloseReason::UpgradeTimedOut)),
        (Upgrades::Unanswered, Why::Engine(CloseReason::ConnectionLost)),
        (Upgrades::Dropped(0), Why::Engine(CloseReason::ConnectionLost)),
    ] {
        let quirks = Intermediary {
            upgrades,
            ..Intermediary::default()
        };
        for story in loses_nothing(4, &Party::of(quirks).with_guests(&[POLLING, UPGRADING])) {
            assert_eq!(failures(&story), [vec![], vec![why]], "{upgrades:?}");
            assert_eq!(story.transports, [Some(Transport::Polling); 2], "{upgrades:?}");
        }
    }
}

#[test]
fn who_begins_with_websocket_falls_back_to_polling() {
    for upgrades in [
        Upgrades::Refused(StatusCode::BAD_REQUEST),
        Upgrades::Refused(StatusCode::BAD_GATEWAY),
        Upgrades::Stripped,
        Upgrades::Swallowed,
        Upgrades::Unanswered,
        Upgrades::Dropped(0),
    ] {
        let quirks = Intermediary {
            upgrades,
            ..Intermediary::default()
        };
        for story in loses_nothing(4, &Party::of(quirks).with_guests(&[FALLING_BACK])) {
            assert_eq!(story.transports, [Some(Transport::Polling)], "{upgrades:?}");
        }
    }
}

#[test]
fn who_wants_nothing_but_a_websocket_hears_why_there_is_none() {
    let refused = |status| CloseReason::Refused(status);
    for (upgrades, why) in [
        (
            Upgrades::Refused(StatusCode::BAD_GATEWAY),
            refused(StatusCode::BAD_GATEWAY),
        ),
        (Upgrades::Stripped, refused(StatusCode::BAD_REQUEST)),
        (Upgrades::Swallowed, CloseReason::ConnectTimedOut),
        (Upgrades::Unanswered, CloseReason::ConnectionLost),
        (Upgrades::Dropped(0), CloseReason::ConnectionLost),
    ] {
        let quirks = Intermediary {
            upgrades,
            ..Intermediary::default()
        };
        let (story, _) = Party::of(quirks).with_guests(&[WEBSOCKET]).take_place(1);
        assert_eq!(story.wrongs, Vec::<String>::new());
        assert!(story.sessions.is_empty(), "{story:?}");
        let failed = story.events[0].iter().filter_map(|event| match event {
            ConnectionEvent::AttemptFailed { error, .. } => Some(error.kind),
            _ => None,
        });
        let failed: Vec<_> = failed.collect();
        assert!(failed.len() > 1, "{upgrades:?}");
        assert!(failed.iter().all(|kind| *kind == Why::Engine(why)), "{failed:?}");
    }
}

#[test]
fn a_websocket_that_is_cut_at_any_moment_is_a_named_end_or_none() {
    for pieces in [1, 2, 3, 4, 6, 9, 20] {
        let quirks = Intermediary {
            upgrades: Upgrades::Dropped(pieces),
            ..Intermediary::default()
        };
        let party = Party::of(quirks).with_guests(&[UPGRADING, FALLING_BACK, WEBSOCKET]);
        for why in ends(&may_lose(2, &party)) {
            let Why::Engine(reason) = why else {
                panic!("{why:?}");
            };
            let lost = [CloseReason::ConnectionLost, CloseReason::TransportClose];
            assert!(lost.contains(&reason), "{reason:?}");
        }
    }
}

#[test]
fn requests_of_a_session_may_come_on_any_connection() {
    for lines in [
        Lines::Fresh,
        Lines::Shared(1),
        Lines::Shared(3),
        Lines::Shared(50),
    ] {
        let quirks = Intermediary {
            lines,
            ..Intermediary::default()
        };
        let party = Party::of(quirks).with_guests(&[POLLING, UPGRADING, POLLING, POLLING, FALLING_BACK]);
        for story in loses_nothing(4, &party) {
            let expects_sharing = lines != Lines::Fresh;
            assert_eq!(story.tally.shared > 0, expects_sharing, "{lines:?}");
            if lines == Lines::Fresh {
                assert_eq!(story.tally.dials, story.tally.requests);
            }
        }
    }
}

#[test]
fn a_deadline_longer_than_the_time_between_pings_costs_nothing() {
    let mut quirks = Intermediary {
        deadline: Some(Duration::from_secs(10)),
        ..Intermediary::default()
    };
    assert_eq!(quirks.toll(Duration::from_secs(6)), Toll::Nothing);
    let mut party = Party::of(quirks.clone());
    party.pause = Duration::ZERO..Duration::from_secs(8);
    loses_nothing(4, &party);
    quirks.deadline = Some(Duration::from_secs(3));
    party.quirks = quirks;
    let stories = may_lose(4, &party.with_guests(&[POLLING, POLLING]));
    let ends = ends(&stories);
    let late = Why::Engine(CloseReason::RequestFailed(StatusCode::GATEWAY_TIMEOUT));
    assert!(
        !ends.is_empty() && ends.iter().all(|why| *why == late),
        "{ends:?}"
    );
}

#[test]
fn it_does_not_matter_how_messages_are_written() {
    for case in [Case::Kept, Case::Lower, Case::Upper] {
        for coding in [Coding::Kept, Coding::Chunked] {
            for persistence in [Persistence::KeepAlive, Persistence::Close] {
                let quirks = Intermediary {
                    persistence,
                    dialect: Dialect {
                        case,
                        requests: coding,
                        answers: coding,
                        traces: Traces::Added,
                    },
                    ..Intermediary::default()
                };
                loses_nothing(1, &Party::of(quirks));
            }
        }
    }
}

#[test]
fn only_the_client_that_is_silent_is_given_up() {
    for seed in 0..8 {
        let quirks = Intermediary {
            lines: Lines::Shared(50),
            // Those of the silent one rest for ever.
            clients: Cuts {
                after: Some(Duration::from_secs(20)),
                ..Cuts::default()
            },
            ..Intermediary::default()
        };
        let mut party = Party::of(quirks).with_guests(&[POLLING, POLLING, POLLING, UPGRADING]);
        party.silent = Some(1);
        let (story, _) = party.take_place(seed);
        assert_eq!(story.wrongs, Vec::<String>::new(), "seed {seed}");
        for session in &story.sessions {
            let about = format!("seed {seed}: {session:?}");
            if session.person != 1 {
                assert_eq!(
                    session.server_end,
                    Some(Reason::ClientNamespaceDisconnect),
                    "{about}"
                );
                assert_eq!(
                    (&session.said, &session.sent),
                    (&session.taken, &session.heard),
                    "{about}"
                );
            }
        }
        let given_up = story.sessions.iter().filter(|session| session.person == 1);
        assert_eq!(
            given_up.count(),
            2,
            "seed {seed}: one before and one after the silence"
        );
    }
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("the variable is a number"))
}

/// Any quirks, and any guests.
fn drawn(seed: u64) -> Party {
    let mut chance = socketio_world::chance::Chance::of(seed, "drawn", 0);
    let quirks = Intermediary::drawn(&mut chance);
    let orders = [POLLING, UPGRADING, FALLING_BACK, WEBSOCKET];
    let guests: Vec<_> = (0..chance.length(1..5)).map(|_| *chance.pick(&orders)).collect();
    let mut party = Party::of(quirks).with_guests(&guests);
    party.rounds = 20;
    party
}

#[test]
fn whatever_an_intermediary_does_is_survived_or_named() {
    let first = variable("SIM_FIRST").unwrap_or(0);
    for seed in first..first + variable("SIM_SEEDS").unwrap_or(30) {
        let mut party = drawn(seed);
        let about = format!("seed {seed}: {:?} {:?}", party.guests, party.quirks);
        if party.quirks.upgrades != Upgrades::Passed {
            // Nobody else would have a session.
            party.guests.push(POLLING);
            party.guests.retain(|order| *order != WEBSOCKET);
        }
        let (story, _) = party.take_place(seed);
        match party.quirks.toll(party.heartbeat.0) {
            Toll::Nothing => check_complete(&story, party.guests.len(), &about),
            Toll::Sessions => check_prefixes(&story, &about),
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_story_twice() {
    for seed in 0..10 {
        let trace = || drawn(seed).take_place(seed).1;
        assert_eq!(trace(), trace(), "seed {seed}");
    }
}

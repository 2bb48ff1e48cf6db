//! The model detects violations and accepts what is allowed.

use std::time::Duration;

use crate::{
    AnswerExpectation, Broadcast, CallOutcome, ClientId, Delivery, DisconnectCause, Fact, Guarantee, Message,
    Model, Namespace, Room, Side, SocketId, Violation,
};

const ONE: SocketId = SocketId(1);
const TWO: SocketId = SocketId(2);
const CLIENT: ClientId = ClientId(1);
const NAMESPACE: Namespace = Namespace(0);
const DETECTION_TIME: Duration = Duration::from_secs(45);

/// Two connected sockets.
fn pair() -> Model {
    let mut model = Model::new(Guarantee::Reliable, DETECTION_TIME);
    for socket_id in [ONE, TWO] {
        let facts = [
            Fact::ServerConnecting {
                socket_id,
                namespace: NAMESPACE,
            },
            Fact::ServerConnected(socket_id),
            Fact::ClientConnected(socket_id),
        ];
        for fact in facts {
            assert_eq!(model.note(Duration::ZERO, &fact), Ok(()));
        }
    }
    model
}

fn note_later(model: &mut Model, fact: Fact) -> Result<(), Violation> {
    model.note(Duration::from_secs(1), &fact)
}

fn broadcast(to: &[u8], except: &[u8], except_socket: Option<SocketId>) -> Fact {
    let rooms = |rooms: &[u8]| rooms.iter().copied().map(Room).collect();
    Fact::Broadcast(Broadcast {
        namespace: NAMESPACE,
        to: rooms(to),
        except: rooms(except),
        except_socket,
        message: Message(9),
        delivery: Delivery::Reliable,
    })
}

fn sent(message: u64) -> Fact {
    Fact::ServerSent(ONE, Message(message), Delivery::Reliable)
}

/// Message 1 asks for an acknowledgement, a second after the beginning.
fn call_started(expectation: AnswerExpectation) -> Fact {
    Fact::CallStarted {
        caller: Side::Server,
        socket_id: ONE,
        message: Message(1),
        at: Duration::from_secs(1),
        timeout: DETECTION_TIME,
        expectation,
    }
}

fn call_ended(outcome: CallOutcome) -> Fact {
    Fact::CallEnded {
        caller: Side::Server,
        message: Message(1),
        outcome,
    }
}

fn received(socket_id: SocketId, message: u64) -> Fact {
    Fact::ClientReceived(socket_id, Message(message))
}

#[test]
fn what_is_sent_is_received_once_and_in_order() {
    let mut model = pair();
    for fact in [sent(1), sent(2), sent(3), received(ONE, 1)] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    let again = received(ONE, 1);
    assert_eq!(
        note_later(&mut model, again.clone()),
        Err(Violation::Duplicate(again))
    );
    let other = received(TWO, 2);
    assert_eq!(
        note_later(&mut model, other.clone()),
        Err(Violation::WrongRecipient(other))
    );
    let gap = received(ONE, 3);
    assert_eq!(
        note_later(&mut model, gap.clone()),
        Err(Violation::Gap(gap, Message(2)))
    );
}

#[test]
fn what_was_not_received_is_missing_when_idle_unless_the_connection_was_lost() {
    let mut model = pair();
    assert_eq!(note_later(&mut model, sent(1)), Ok(()));
    let missing = Err(Violation::Missing(ONE, Side::Server, Message(1)));
    assert_eq!(model.check_idle(Duration::from_secs(2)), missing);
    assert_eq!(
        note_later(
            &mut model,
            Fact::DisconnectCaused(ONE, DisconnectCause::ConnectionLost)
        ),
        Ok(())
    );
    assert_eq!(model.check_idle(Duration::from_secs(2)), Ok(()));
}

#[test]
fn broadcasts_reach_members_but_not_those_excepted() {
    for (fact, recipients) in [
        (broadcast(&[], &[], None), &[ONE, TWO][..]),
        (broadcast(&[], &[], Some(ONE)), &[TWO]),
        (broadcast(&[1, 2], &[], None), &[ONE]),
        (broadcast(&[], &[1], None), &[TWO]),
        (broadcast(&[3], &[], None), &[]),
    ] {
        let mut model = pair();
        for room in [Room(1), Room(2)] {
            assert_eq!(note_later(&mut model, Fact::RoomJoined(ONE, room)), Ok(()));
        }
        assert_eq!(note_later(&mut model, fact), Ok(()));
        for socket_id in [ONE, TWO] {
            let is_recipient = note_later(&mut model, received(socket_id, 9)).is_ok();
            assert_eq!(is_recipient, recipients.contains(&socket_id), "{socket_id:?}");
            assert!(note_later(&mut model, received(socket_id, 9)).is_err());
        }
    }
}

#[test]
fn nothing_is_received_before_connecting_or_after_disconnecting() {
    let mut model = pair();
    assert_eq!(note_later(&mut model, sent(1)), Ok(()));
    assert_eq!(
        note_later(&mut model, Fact::DisconnectCaused(ONE, DisconnectCause::ByClient)),
        Ok(())
    );
    assert_eq!(note_later(&mut model, Fact::ClientDisconnected(ONE)), Ok(()));
    let late = received(ONE, 1);
    assert_eq!(
        note_later(&mut model, late.clone()),
        Err(Violation::WrongState(late))
    );
    let early = received(SocketId(3), 1);
    assert_eq!(
        note_later(&mut model, early.clone()),
        Err(Violation::WrongState(early))
    );
}

#[test]
fn no_socket_disconnects_twice_or_without_a_cause() {
    let mut model = pair();
    let disconnected = Fact::ServerDisconnected(ONE);
    assert_eq!(
        note_later(&mut model, disconnected.clone()),
        Err(Violation::NoCause(disconnected.clone()))
    );
    assert_eq!(
        note_later(&mut model, disconnected.clone()),
        Err(Violation::WrongState(disconnected))
    );
}

#[test]
fn a_call_ends_once_and_as_it_must() {
    let answered = call_ended(CallOutcome::Answered(1));
    let mut model = pair();
    for fact in [sent(1), call_started(AnswerExpectation::InTime)] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    assert_eq!(
        note_later(&mut model, answered.clone()),
        Err(Violation::WrongCallOutcome(answered.clone()))
    );

    let mut model = pair();
    for fact in [
        sent(1),
        call_started(AnswerExpectation::InTime),
        received(ONE, 1),
        answered.clone(),
    ] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    assert_eq!(
        note_later(&mut model, answered.clone()),
        Err(Violation::WrongCallOutcome(answered))
    );

    let mut model = pair();
    for fact in [sent(1), call_started(AnswerExpectation::Never)] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    let late = call_ended(CallOutcome::TimedOut);
    assert_eq!(
        note_later(&mut model, late.clone()),
        Err(Violation::WrongCallOutcome(late))
    );
}

#[test]
fn a_call_may_end_with_a_client_that_never_received_the_connect_packet() {
    let mut model = Model::new(Guarantee::Reliable, DETECTION_TIME);
    let facts = [
        Fact::ServerConnecting {
            socket_id: ONE,
            namespace: NAMESPACE,
        },
        Fact::ServerConnected(ONE),
        sent(1),
        call_started(AnswerExpectation::InTime),
        Fact::ServerDisconnected(ONE),
        call_ended(CallOutcome::Disconnected),
    ];
    for fact in facts {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    assert_eq!(model.check_finished(), Ok(()));
}

#[test]
fn rooms_and_open_calls_are_known() {
    let mut model = pair();
    let started = call_started(AnswerExpectation::Never);
    for fact in [Fact::RoomJoined(ONE, Room(1)), sent(1), started] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    assert_eq!(model.rooms(ONE), [Room(1)].into());
    assert!(model.rooms(TWO).is_empty());
    assert_eq!(
        (model.open_calls(Side::Server), model.open_calls(Side::Client)),
        (1, 0)
    );
    let deadline = Duration::from_secs(1) + DETECTION_TIME;
    assert_eq!(model.note(deadline, &call_ended(CallOutcome::TimedOut)), Ok(()));
    assert_eq!(model.open_calls(Side::Server), 0);
}

#[test]
fn a_lost_connection_is_detected_in_time() {
    let mut model = pair();
    assert_eq!(
        note_later(
            &mut model,
            Fact::DisconnectCaused(ONE, DisconnectCause::ConnectionLost)
        ),
        Ok(())
    );
    let lost = Duration::from_secs(1);
    assert_eq!(model.check_idle(lost + DETECTION_TIME), Ok(()));
    let later = lost + DETECTION_TIME + Duration::from_millis(1);
    assert_eq!(
        model.check_idle(later),
        Err(Violation::NotDetected(ONE, Side::Server))
    );
    for fact in [Fact::ServerDisconnected(ONE), Fact::ClientDisconnected(ONE)] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    assert_eq!(model.check_idle(later), Ok(()));
}

#[test]
fn an_end_that_began_before_the_client_connected_is_detected_in_time() {
    let mut model = Model::new(Guarantee::Reliable, DETECTION_TIME);
    for fact in [
        Fact::ServerConnecting {
            socket_id: ONE,
            namespace: NAMESPACE,
        },
        Fact::ServerConnected(ONE),
        Fact::DisconnectCaused(ONE, DisconnectCause::ByServer),
        Fact::ServerDisconnected(ONE),
        Fact::ClientConnected(ONE),
    ] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    let later = Duration::from_secs(1) + DETECTION_TIME + Duration::from_millis(1);
    assert_eq!(
        model.check_idle(later),
        Err(Violation::NotDetected(ONE, Side::Client))
    );
}

const TOLERANCE: Duration = Duration::from_millis(100);
const MORE: Duration = Duration::from_millis(101);

/// As [`pair`], with facts that are noted late.
fn tolerant_pair() -> Model {
    pair().with_tolerance(TOLERANCE)
}

#[test]
fn a_call_ends_at_its_deadline_or_is_noted_within_the_tolerance() {
    let deadline = Duration::from_secs(1) + DETECTION_TIME;
    let end = |lost: bool, outcome, at| {
        let mut model = tolerant_pair();
        for fact in [sent(1), call_started(AnswerExpectation::Never)] {
            assert_eq!(note_later(&mut model, fact), Ok(()));
        }
        if lost {
            let caused = Fact::DisconnectCaused(ONE, DisconnectCause::ByClient);
            for fact in [
                caused,
                Fact::ServerDisconnected(ONE),
                Fact::ClientDisconnected(ONE),
            ] {
                assert_eq!(note_later(&mut model, fact), Ok(()));
            }
        }
        model.note(at, &call_ended(outcome)).is_ok()
    };
    let millisecond = Duration::from_millis(1);
    assert!(!end(false, CallOutcome::TimedOut, deadline - millisecond));
    assert!(end(false, CallOutcome::TimedOut, deadline));
    assert!(end(false, CallOutcome::TimedOut, deadline + TOLERANCE));
    assert!(!end(false, CallOutcome::TimedOut, deadline + MORE));
    assert!(end(true, CallOutcome::Disconnected, deadline + TOLERANCE));
    assert!(!end(true, CallOutcome::Disconnected, deadline + MORE));
}

#[test]
fn a_broadcast_just_before_a_socket_may_reach_it_within_the_tolerance() {
    const THREE: SocketId = SocketId(3);
    for (pause, may_reach) in [(TOLERANCE, true), (MORE, false)] {
        let mut model = tolerant_pair();
        assert_eq!(note_later(&mut model, broadcast(&[], &[], None)), Ok(()));
        let at = Duration::from_secs(1) + pause;
        for fact in [
            Fact::ServerConnecting {
                socket_id: THREE,
                namespace: NAMESPACE,
            },
            Fact::ServerConnected(THREE),
            Fact::ClientConnected(THREE),
        ] {
            assert_eq!(model.note(at, &fact), Ok(()));
        }
        assert_eq!(
            model.note(at, &received(THREE, 9)).is_ok(),
            may_reach,
            "{pause:?}"
        );
    }
}

#[test]
fn a_lost_connection_is_detected_in_time_or_noted_within_the_tolerance() {
    let mut model = tolerant_pair();
    let lost = Fact::DisconnectCaused(ONE, DisconnectCause::ConnectionLost);
    assert_eq!(note_later(&mut model, lost), Ok(()));
    let latest = Duration::from_secs(1) + DETECTION_TIME + TOLERANCE;
    assert_eq!(model.check_idle(latest), Ok(()));
    assert!(model.check_idle(latest + Duration::from_millis(1)).is_err());
}

/// A client has buffered the messages 1 to 3, and gets a socket at the server.
fn buffering() -> Model {
    let mut model = Model::new(Guarantee::Reliable, DETECTION_TIME);
    let connecting = Fact::ServerConnecting {
        socket_id: ONE,
        namespace: NAMESPACE,
    };
    let buffered = |message| Fact::Buffered(CLIENT, NAMESPACE, Message(message));
    for fact in [
        buffered(1),
        buffered(2),
        buffered(3),
        connecting,
        Fact::ServerConnected(ONE),
    ] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    model
}

#[test]
fn what_was_buffered_is_received_once_in_order_and_before_anything_else() {
    let sent = |message| Fact::ClientSent(ONE, Message(message), Delivery::Reliable);
    let received = |message| Fact::ServerReceived(ONE, Message(message));
    let buffer_sent = Fact::BufferSent(CLIENT, NAMESPACE, Some(ONE));
    for first in [buffer_sent.clone(), received(1)] {
        let mut model = buffering();
        for fact in [
            first.clone(),
            buffer_sent.clone(),
            Fact::ClientConnected(ONE),
            sent(4),
        ] {
            assert_eq!(note_later(&mut model, fact), Ok(()));
        }
        let gap = received(4);
        assert_eq!(
            note_later(&mut model, gap.clone()),
            Err(Violation::Gap(
                gap,
                Message(if first == buffer_sent { 1 } else { 2 })
            ))
        );
    }
    let mut model = buffering();
    for fact in [received(1), buffer_sent, received(2)] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    let again = Fact::ServerReceived(ONE, Message(2));
    assert_eq!(
        note_later(&mut model, again.clone()),
        Err(Violation::Duplicate(again))
    );
    for fact in [
        Fact::ServerConnecting {
            socket_id: TWO,
            namespace: NAMESPACE,
        },
        Fact::ServerConnected(TWO),
    ] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    let again = Fact::ServerReceived(TWO, Message(2));
    assert_eq!(
        note_later(&mut model, again.clone()),
        Err(Violation::Duplicate(again))
    );
}

#[test]
fn what_was_buffered_is_sent_or_reported() {
    let not_sent = Fact::BufferedNotSent(CLIENT, NAMESPACE);
    let mut model = buffering();
    assert_eq!(
        note_later(&mut model, Fact::BufferSent(CLIENT, NAMESPACE, Some(ONE))),
        Ok(())
    );
    assert_eq!(
        note_later(&mut model, not_sent.clone()),
        Err(Violation::WrongState(not_sent.clone()))
    );
    let mut model = buffering();
    let disconnected = Fact::ServerDisconnected(ONE);
    for fact in [disconnected.clone(), not_sent.clone(), not_sent.clone()] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    let left = Err(Violation::LostSilently(CLIENT, Message(3)));
    assert_eq!(model.check_finished(), left);
    for end in [
        not_sent,
        Fact::BuffersLost(CLIENT),
        Fact::BufferSent(CLIENT, NAMESPACE, None),
    ] {
        let mut model = buffering();
        for _ in 0..2 {
            assert!(note_later(&mut model, Fact::BufferedNotSent(CLIENT, NAMESPACE)).is_ok());
        }
        assert_eq!(note_later(&mut model, disconnected.clone()), Ok(()));
        assert_eq!(note_later(&mut model, end), Ok(()));
        assert_eq!(model.check_finished(), Ok(()));
    }
}

#[test]
fn a_report_of_a_message_behind_one_that_may_have_been_sent_accounts_for_it() {
    let mut model = Model::new(Guarantee::Reliable, DETECTION_TIME);
    let buffered = |message| Fact::Buffered(CLIENT, NAMESPACE, Message(message));
    for fact in [
        buffered(1),
        Fact::BufferSent(CLIENT, NAMESPACE, None),
        buffered(2),
        buffered(3),
        Fact::BufferedNotSent(CLIENT, NAMESPACE),
    ] {
        assert_eq!(note_later(&mut model, fact), Ok(()));
    }
    assert_eq!(model.buffered(CLIENT, NAMESPACE), 2);
    let left = Err(Violation::LostSilently(CLIENT, Message(3)));
    assert_eq!(model.check_finished(), left);
    assert_eq!(
        note_later(&mut model, Fact::BufferedNotSent(CLIENT, NAMESPACE)),
        Ok(())
    );
    assert_eq!(model.check_finished(), Ok(()));
}

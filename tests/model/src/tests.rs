//! The model itself must notice.

use std::time::Duration;

use crate::{
    Breach, Cast, Delivery, Due, Ending, Fact, Message, Model, Namespace, Outcome, Promise, Room, Seat, Side,
};

const ONE: Seat = Seat(1);
const TWO: Seat = Seat(2);
const HALL: Namespace = Namespace(0);
const NOTICE: Duration = Duration::from_secs(45);

/// Two who have joined.
fn pair() -> Model {
    let mut model = Model::new(Promise::Kept, NOTICE);
    for seat in [ONE, TWO] {
        let facts = [
            Fact::Joined {
                seat,
                namespace: HALL,
            },
            Fact::Welcomed(seat),
            Fact::Met(seat),
        ];
        for fact in facts {
            assert_eq!(model.note(Duration::ZERO, &fact), Ok(()));
        }
    }
    model
}

fn second(model: &mut Model, fact: Fact) -> Result<(), Breach> {
    model.note(Duration::from_secs(1), &fact)
}

fn cast(to: &[u8], except: &[u8], but: Option<Seat>) -> Fact {
    let rooms = |rooms: &[u8]| rooms.iter().copied().map(Room).collect();
    Fact::Cast(Cast {
        namespace: HALL,
        to: rooms(to),
        except: rooms(except),
        but,
        message: Message(9),
        delivery: Delivery::Reliable,
    })
}

fn sent(message: u64) -> Fact {
    Fact::Sent(ONE, Message(message), Delivery::Reliable)
}

fn heard(seat: Seat, message: u64) -> Fact {
    Fact::Heard(seat, Message(message))
}

#[test]
fn what_is_sent_is_heard_once_and_in_order() {
    let mut model = pair();
    for fact in [sent(1), sent(2), sent(3), heard(ONE, 1)] {
        assert_eq!(second(&mut model, fact), Ok(()));
    }
    let again = heard(ONE, 1);
    assert_eq!(second(&mut model, again.clone()), Err(Breach::Twice(again)));
    let other = heard(TWO, 2);
    assert_eq!(second(&mut model, other.clone()), Err(Breach::Unaddressed(other)));
    let gap = heard(ONE, 3);
    assert_eq!(second(&mut model, gap.clone()), Err(Breach::Gap(gap, Message(2))));
}

#[test]
fn what_nobody_heard_is_missing_at_rest_unless_the_connection_broke() {
    let mut model = pair();
    assert_eq!(second(&mut model, sent(1)), Ok(()));
    let missing = Err(Breach::Missing(ONE, Side::Server, Message(1)));
    assert_eq!(model.rest(Duration::from_secs(2)), missing);
    assert_eq!(second(&mut model, Fact::Ends(ONE, Ending::Break)), Ok(()));
    assert_eq!(model.rest(Duration::from_secs(2)), Ok(()));
}

#[test]
fn broadcasts_are_for_members_but_not_for_those_left_out() {
    for (fact, hearers) in [
        (cast(&[], &[], None), &[ONE, TWO][..]),
        (cast(&[], &[], Some(ONE)), &[TWO]),
        (cast(&[1, 2], &[], None), &[ONE]),
        (cast(&[], &[1], None), &[TWO]),
        (cast(&[3], &[], None), &[]),
    ] {
        let mut model = pair();
        for room in [Room(1), Room(2)] {
            assert_eq!(second(&mut model, Fact::Entered(ONE, room)), Ok(()));
        }
        assert_eq!(second(&mut model, fact), Ok(()));
        for seat in [ONE, TWO] {
            let is_for_it = second(&mut model, heard(seat, 9)).is_ok();
            assert_eq!(is_for_it, hearers.contains(&seat), "{seat:?}");
            assert!(second(&mut model, heard(seat, 9)).is_err());
        }
    }
}

#[test]
fn nobody_hears_anything_before_joining_or_after_leaving() {
    let mut model = pair();
    assert_eq!(second(&mut model, sent(1)), Ok(()));
    assert_eq!(second(&mut model, Fact::Ends(ONE, Ending::Goodbye)), Ok(()));
    assert_eq!(second(&mut model, Fact::Parted(ONE)), Ok(()));
    let late = heard(ONE, 1);
    assert_eq!(second(&mut model, late.clone()), Err(Breach::Presence(late)));
    let early = heard(Seat(3), 1);
    assert_eq!(second(&mut model, early.clone()), Err(Breach::Presence(early)));
}

#[test]
fn nobody_leaves_twice_or_without_a_reason() {
    let mut model = pair();
    let left = Fact::Left(ONE);
    assert_eq!(
        second(&mut model, left.clone()),
        Err(Breach::NoReason(left.clone()))
    );
    assert_eq!(second(&mut model, left.clone()), Err(Breach::Presence(left)));
}

#[test]
fn a_call_ends_once_and_as_it_must() {
    let asked = |due| Fact::Asked {
        by: Side::Server,
        seat: ONE,
        message: Message(1),
        patience: NOTICE,
        due,
    };
    let ended = |outcome| Fact::Ended {
        by: Side::Server,
        message: Message(1),
        outcome,
    };
    let unheard = ended(Outcome::Answered(1));
    let mut model = pair();
    for fact in [sent(1), asked(Due::Answer)] {
        assert_eq!(second(&mut model, fact), Ok(()));
    }
    assert_eq!(
        second(&mut model, unheard.clone()),
        Err(Breach::Call(unheard.clone()))
    );

    let mut model = pair();
    for fact in [sent(1), asked(Due::Answer), heard(ONE, 1), unheard.clone()] {
        assert_eq!(second(&mut model, fact), Ok(()));
    }
    assert_eq!(second(&mut model, unheard.clone()), Err(Breach::Call(unheard)));

    let mut model = pair();
    for fact in [sent(1), asked(Due::Never)] {
        assert_eq!(second(&mut model, fact), Ok(()));
    }
    let late = ended(Outcome::TimedOut);
    assert_eq!(second(&mut model, late.clone()), Err(Breach::Call(late)));
}

#[test]
fn a_call_may_end_with_a_client_that_never_heard_that_it_was_let_in() {
    let mut model = Model::new(Promise::Kept, NOTICE);
    let facts = [
        Fact::Joined {
            seat: ONE,
            namespace: HALL,
        },
        Fact::Welcomed(ONE),
        sent(1),
        Fact::Asked {
            by: Side::Server,
            seat: ONE,
            message: Message(1),
            patience: NOTICE,
            due: Due::Answer,
        },
        Fact::Left(ONE),
        Fact::Ended {
            by: Side::Server,
            message: Message(1),
            outcome: Outcome::Disconnected,
        },
    ];
    for fact in facts {
        assert_eq!(second(&mut model, fact), Ok(()));
    }
    assert_eq!(model.end(), Ok(()));
}

#[test]
fn rooms_and_open_calls_are_known() {
    let mut model = pair();
    let asked = Fact::Asked {
        by: Side::Server,
        seat: ONE,
        message: Message(1),
        patience: NOTICE,
        due: Due::Never,
    };
    for fact in [Fact::Entered(ONE, Room(1)), sent(1), asked] {
        assert_eq!(second(&mut model, fact), Ok(()));
    }
    assert_eq!(model.rooms(ONE), [Room(1)].into());
    assert!(model.rooms(TWO).is_empty());
    assert_eq!(
        (model.open_calls(Side::Server), model.open_calls(Side::Client)),
        (1, 0)
    );
    let ended = Fact::Ended {
        by: Side::Server,
        message: Message(1),
        outcome: Outcome::TimedOut,
    };
    let deadline = Duration::from_secs(1) + NOTICE;
    assert_eq!(model.note(deadline, &ended), Ok(()));
    assert_eq!(model.open_calls(Side::Server), 0);
}

#[test]
fn a_break_is_noticed_in_time() {
    let mut model = pair();
    assert_eq!(second(&mut model, Fact::Ends(ONE, Ending::Break)), Ok(()));
    let broken = Duration::from_secs(1);
    assert_eq!(model.rest(broken + NOTICE), Ok(()));
    let later = broken + NOTICE + Duration::from_millis(1);
    assert_eq!(model.rest(later), Err(Breach::Unnoticed(ONE, Side::Server)));
    for fact in [Fact::Left(ONE), Fact::Parted(ONE)] {
        assert_eq!(second(&mut model, fact), Ok(()));
    }
    assert_eq!(model.rest(later), Ok(()));
}

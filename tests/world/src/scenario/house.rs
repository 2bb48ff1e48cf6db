//! The server and its handlers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use socketio_driver::{
    Ack, Arg, Args, Async, Auth, Limits, NamespaceBuilder, Refusal, Reply, Server, Socket, State, engine,
};
use socketio_model::{Delivery, Ending, Fact, Message, Namespace, Room, Seat, Side};

use super::parcel::{is_blob, is_text};
use super::stage::{NAMESPACES, Present, Stage};
use super::{Act, Climate, Kind, Parcel, Question, Welcome};
use crate::Host;

/// Where it is.
pub(super) const PORT: u16 = 80;

/// Most bytes that are queued for a client where it may fail: so little that some do not read fast enough.
pub(super) const QUEUED_BYTES: usize = 100_000;

/// A server from its start to its end. Clones are handles to the same.
#[derive(Clone)]
pub(super) struct House(Arc<Inner>);

struct Inner {
    stage: Arc<Stage>,
    host: Host,
    /// Not after its host was killed: nobody hears what runs while its tasks are dropped.
    is_alive: AtomicBool,
}

impl House {
    /// Starts a server.
    pub(super) fn open(stage: &Arc<Stage>, host: &Host) -> (Self, Server) {
        let house = Self(Arc::new(Inner {
            stage: Arc::clone(stage),
            host: host.clone(),
            is_alive: AtomicBool::new(true),
        }));
        let (interval, timeout) = stage.scenario.heartbeat;
        let failures = house.clone();
        let server = Server::builder()
            .state(house.clone())
            .ping_interval(interval)
            .ping_timeout(timeout)
            .limits(limits(stage.scenario.climate))
            .on_error(move |report| failures.stage().fail(report.to_string()))
            .namespace(NAMESPACES[0], describe)
            .namespace(NAMESPACES[1], describe)
            .build();
        let (runtime, served) = (host.clone(), server.clone());
        match host.listen(PORT) {
            Ok(listener) => host.run(async move {
                let _ = engine::serve(runtime, listener, served).await;
            }),
            Err(_) => stage.fail("the port is taken".to_owned()),
        }
        (house, server)
    }

    pub(super) fn stage(&self) -> &Arc<Stage> {
        &self.0.stage
    }

    pub(super) fn host(&self) -> &Host {
        &self.0.host
    }

    pub(super) fn note(&self, fact: Fact) {
        if self.0.is_alive.load(Ordering::Relaxed) {
            self.stage().note(fact);
        }
    }

    pub(super) fn seat(&self, socket: &Socket) -> Seat {
        self.stage().seat(socket.id().as_str())
    }

    /// Its host is switched off.
    pub(super) fn die(&self) {
        for seat in self.stage().sockets().into_keys() {
            self.note(Fact::Ends(seat, Ending::Break));
            self.stage().left(seat);
        }
        for seat in self.stage().seats() {
            self.note(Fact::Died(Side::Server, seat));
        }
        self.0.is_alive.store(false, Ordering::Relaxed);
        self.stage().world.kill(self.host());
    }

    fn taken(&self, socket: &Socket, number: u64) {
        self.note(Fact::Taken(self.seat(socket), Message(number)));
    }
}

fn limits(climate: Climate) -> Limits {
    let mut limits = Limits::default();
    if climate == Climate::Storm {
        limits.queued_bytes = QUEUED_BYTES;
    }
    limits
}

fn describe(namespace: NamespaceBuilder<Async>) -> NamespaceBuilder<Async> {
    namespace
        .guard(guard)
        .on_connect(on_connect)
        .on("note", on_note)
        .on("blob", on_blob)
        .on("wish", on_wish)
        .on("ask", on_ask)
        .on("slow", on_slow)
        .on("relay", on_relay)
        .on("mute", on_mute)
        .on_disconnect(on_disconnect)
}

/// Lets those in who must be, perhaps after a while, and every second time those who are not always welcome.
async fn guard(State(house): State<House>, Auth(who): Auth<BTreeMap<String, usize>>) -> Result<(), Refusal> {
    let person = who.get("person").copied().unwrap_or(0);
    match house
        .stage()
        .scenario
        .guests
        .get(person)
        .map(|guest| guest.welcome)
    {
        Some(Welcome::Sometimes) if house.stage().knocks(person) % 2 == 0 => Err("not now".into()),
        Some(Welcome::Slow(time)) => {
            house.stage().world.sleep(time / 2).await;
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn on_connect(socket: Socket, State(house): State<House>, Auth(who): Auth<BTreeMap<String, usize>>) {
    let seat = house.seat(&socket);
    let name = socket.namespace().name().to_owned();
    let namespace = Namespace(u8::from(name != NAMESPACES[0]));
    let person = who.get("person").copied().unwrap_or(0);
    house.note(Fact::Joined { seat, namespace });
    let present = Present {
        socket: socket.clone(),
        person,
        namespace,
    };
    house.stage().arrived(seat, present);
    let room = Room(person as u8 % 4);
    house.enter(&socket, seat, room);
    let greeting = Parcel {
        kind: Kind::Text,
        size: 10,
    };
    house.send(&socket, greeting, Delivery::Reliable);
    let guest = house.stage().scenario.guests.get(person);
    if let Some(Welcome::Slow(time)) = guest.map(|guest| guest.welcome) {
        house.stage().world.sleep(time).await;
    }
    house.note(Fact::Welcomed(seat));
}

fn on_disconnect(socket: Socket, State(house): State<House>) {
    let seat = house.seat(&socket);
    house.note(Fact::Left(seat));
    house.stage().left(seat);
}

fn on_note(
    socket: Socket,
    State(house): State<House>,
    Args((number, size, text)): Args<(u64, usize, String)>,
) {
    house.taken(&socket, number);
    if !is_text(number, size, &text) {
        house.stage().fail(format!("message {number} was spoiled"));
    }
}

fn on_blob(
    socket: Socket,
    State(house): State<House>,
    Args((number, size, first, second)): Args<(u64, usize, Bytes, Bytes)>,
) {
    house.taken(&socket, number);
    if !is_blob(number, size, &first) || !is_blob(number + 1, size / 2, &second) {
        house.stage().fail(format!("message {number} was spoiled"));
    }
}

/// Does what a step says.
fn on_wish(socket: Socket, State(house): State<House>, Args((number, step)): Args<(u64, usize)>) {
    house.taken(&socket, number);
    if let Some(Act::Wish(verb)) = house.stage().scenario.steps.get(step).map(|step| &step.act) {
        house.perform(&socket, verb);
    }
}

fn on_ask(socket: Socket, State(house): State<House>, Arg(number): Arg<u64>) -> Reply<u64> {
    house.taken(&socket, number);
    Reply(number)
}

async fn on_slow(socket: Socket, State(house): State<House>, Arg(number): Arg<u64>) -> Reply<u64> {
    house.taken(&socket, number);
    house.stage().world.sleep(Question::SLOW).await;
    Reply(number)
}

async fn on_relay(socket: Socket, State(house): State<House>, Arg(number): Arg<u64>) -> Reply<u64> {
    house.taken(&socket, number);
    house.ask(socket, Question::INNER).await;
    Reply(number)
}

fn on_mute(socket: Socket, State(house): State<House>, Arg(number): Arg<u64>, _: Ack) {
    house.taken(&socket, number);
}

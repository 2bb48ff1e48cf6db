//! A client and its handlers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use socketio_driver::client::{Client, ClientReason};
use socketio_driver::{Ack, Arg, Args, Async, ClientSocket, NamespaceBuilder, Reply, State, engine};
use socketio_model::{Delivery, Ending, Fact, Message, Seat, Side};

use super::parcel::{is_blob, is_text};
use super::stage::{NAMESPACES, Stage};
use super::{Kind, Parcel, Question, Visitor};
use crate::Host;

/// The host of the first; the others follow.
const FIRST_HOST: u8 = 10;

/// A client from its making to its end. Clones are handles to the same, and do not keep it.
#[derive(Clone)]
pub(super) struct Guest(Arc<Inner>);

struct Inner {
    stage: Arc<Stage>,
    host: Host,
    /// Not after its host was killed: nobody hears what runs while its tasks are dropped.
    is_alive: AtomicBool,
    places: Mutex<[Place; 2]>,
    /// All that it ever had.
    seats: Mutex<Vec<Seat>>,
}

/// Where it is in one namespace.
#[derive(Clone, Default)]
struct Place {
    seat: Option<Seat>,
    socket: Option<ClientSocket>,
    /// Whether it was told to leave, and not to come back since.
    leaves: bool,
}

impl Guest {
    /// Starts a client.
    pub(super) fn start(stage: &Arc<Stage>, person: usize, visitor: Visitor) -> Option<(Self, Client)> {
        let host = stage.world.host(FIRST_HOST + person as u8);
        let guest = Self(Arc::new(Inner {
            stage: Arc::clone(stage),
            host: host.clone(),
            is_alive: AtomicBool::new(true),
            places: Mutex::default(),
            seats: Mutex::default(),
        }));
        let who = BTreeMap::from([("person", person)]);
        let failures = guest.clone();
        let mut builder = Client::builder(stage.scenario.way.url())
            .state(guest.clone())
            .transports(visitor.transports)
            .retry_initial(true)
            .on_error(move |report| failures.0.stage.fail(report.to_string()));
        for name in NAMESPACES.iter().take(usize::from(visitor.namespaces)) {
            builder = builder.namespace(name, |namespace| describe(namespace).auth(&who));
        }
        match engine::start(host, builder) {
            Ok(client) => Some((guest, client)),
            Err(error) => {
                stage.fail(error.to_string());
                None
            }
        }
    }

    pub(super) fn host(&self) -> &Host {
        &self.0.host
    }

    fn places(&self) -> MutexGuard<'_, [Place; 2]> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seats(&self) -> MutexGuard<'_, Vec<Seat>> {
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, fact: Fact) {
        if self.0.is_alive.load(Ordering::Relaxed) {
            self.0.stage.note(fact);
        }
    }

    /// Its seat in a namespace, if its `on_connect` has begun and its `on_disconnect` has not.
    pub(super) fn seat(&self, place: usize) -> Option<Seat> {
        self.places()[place].seat
    }

    /// Its socket in a namespace, once it was there.
    pub(super) fn socket(&self, place: usize) -> Option<ClientSocket> {
        self.places()[place].socket.clone()
    }

    /// It is about to be told to leave.
    pub(super) fn leaves(&self, place: usize) {
        let seat = {
            let own = &mut self.places()[place];
            own.leaves = true;
            own.seat
        };
        if let Some(seat) = seat {
            self.note(Fact::Ends(seat, Ending::Goodbye));
        }
    }

    /// It is about to be told to come back.
    pub(super) fn returns(&self, place: usize) {
        self.places()[place].leaves = false;
    }

    /// Its connection may end or ends for another reason.
    pub(super) fn ends(&self, ending: Ending) {
        let seats = [self.seat(0), self.seat(1)];
        for seat in seats.into_iter().flatten() {
            self.note(Fact::Ends(seat, ending));
        }
    }

    /// Its host is switched off.
    pub(super) fn die(&self) {
        let seats = std::mem::take(&mut *self.seats());
        for seat in seats {
            // What it sent before it left may still be under way.
            self.note(Fact::Ends(seat, Ending::Break));
            self.note(Fact::Died(Side::Client, seat));
        }
        self.0.is_alive.store(false, Ordering::Relaxed);
        self.0.stage.world.kill(self.host());
    }

    /// Sends something; notes it if it was taken.
    pub(super) fn say(&self, socket: &ClientSocket, parcel: Parcel, delivery: Delivery) {
        let message = self.0.stage.message();
        let sent = parcel.send(socket, message, delivery);
        self.said(socket, message, delivery, sent.is_ok());
    }

    /// Asks the server for what a step says.
    pub(super) fn wish(&self, socket: &ClientSocket, step: usize) {
        let message = self.0.stage.message();
        let sent = socket.emit("wish", &(message.0, step));
        self.said(socket, message, Delivery::Reliable, sent.is_ok());
    }

    fn said(&self, socket: &ClientSocket, message: Message, delivery: Delivery, is_sent: bool) {
        match socket.id() {
            Some(id) if is_sent => {
                let seat = self.0.stage.seat(id.as_str());
                self.note(Fact::Said(seat, message, delivery));
            }
            Some(_) => self.0.stage.fail(format!(
                "{message:?} was refused although the namespace is joined"
            )),
            None => {}
        }
    }

    pub(super) async fn ask(&self, socket: ClientSocket, question: Question) {
        let Some(id) = socket.id() else { return };
        let message = self.0.stage.message();
        let call = socket.call(question.event(), &message.0);
        let seat = self.0.stage.seat(id.as_str());
        question
            .follow(Side::Client, seat, message, call, |fact| self.note(fact))
            .await;
    }

    fn heard(&self, socket: &ClientSocket, number: u64) {
        if let Some(seat) = self.seat(place(socket)) {
            self.note(Fact::Heard(seat, Message(number)));
        }
    }
}

fn describe(namespace: NamespaceBuilder<Async, ClientSocket>) -> NamespaceBuilder<Async, ClientSocket> {
    namespace
        .on_connect(on_connect)
        .on("note", on_note)
        .on("blob", on_blob)
        .on("ask", on_ask)
        .on("slow", on_slow)
        .on("relay", on_relay)
        .on("mute", on_mute)
        .on_disconnect(on_disconnect)
}

fn place(socket: &ClientSocket) -> usize {
    usize::from(socket.namespace_name() != NAMESPACES[0])
}

fn on_connect(socket: ClientSocket, State(guest): State<Guest>) {
    // Without an id it has left again already, and cannot say any more which socket this was.
    let seat = socket.id().map(|id| guest.0.stage.seat(id.as_str()));
    let leaves = {
        let own = &mut guest.places()[place(&socket)];
        own.seat = seat;
        own.socket = Some(socket.clone());
        own.leaves
    };
    let Some(seat) = seat else { return };
    guest.seats().push(seat);
    guest.note(Fact::Met(seat));
    if leaves {
        guest.note(Fact::Ends(seat, Ending::Goodbye));
    }
    let greeting = Parcel {
        kind: Kind::Text,
        size: 5,
    };
    guest.say(&socket, greeting, Delivery::Reliable);
}

fn on_disconnect(socket: ClientSocket, State(guest): State<Guest>, reason: ClientReason) {
    let seat = guest.places()[place(&socket)].seat.take();
    if let Some(seat) = seat {
        guest.0.stage.tell(format!("{seat:?} parts: {reason}"));
        guest.note(Fact::Parted(seat));
    }
}

fn on_note(
    socket: ClientSocket,
    State(guest): State<Guest>,
    Args((number, size, text)): Args<(u64, usize, String)>,
) {
    guest.heard(&socket, number);
    if !is_text(number, size, &text) {
        guest.0.stage.fail(format!("message {number} was spoiled"));
    }
}

fn on_blob(
    socket: ClientSocket,
    State(guest): State<Guest>,
    Args((number, size, first, second)): Args<(u64, usize, Bytes, Bytes)>,
) {
    guest.heard(&socket, number);
    if !is_blob(number, size, &first) || !is_blob(number + 1, size / 2, &second) {
        guest.0.stage.fail(format!("message {number} was spoiled"));
    }
}

fn on_ask(socket: ClientSocket, State(guest): State<Guest>, Arg(number): Arg<u64>) -> Reply<u64> {
    guest.heard(&socket, number);
    Reply(number)
}

async fn on_slow(socket: ClientSocket, State(guest): State<Guest>, Arg(number): Arg<u64>) -> Reply<u64> {
    guest.heard(&socket, number);
    guest.0.stage.world.sleep(Question::SLOW).await;
    Reply(number)
}

async fn on_relay(socket: ClientSocket, State(guest): State<Guest>, Arg(number): Arg<u64>) -> Reply<u64> {
    guest.heard(&socket, number);
    guest.ask(socket, Question::INNER).await;
    Reply(number)
}

fn on_mute(socket: ClientSocket, State(guest): State<Guest>, Arg(number): Arg<u64>, _: Ack) {
    guest.heard(&socket, number);
}

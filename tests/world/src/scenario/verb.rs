//! What the server does to its sockets: each verb is noted in the moment in which it is called.

use socketio_driver::{Broadcast, Error, Socket};
use socketio_model::{Cast, Delivery, Ending, Fact, Namespace, Room, Seat, Side};

use super::house::House;
use super::stage::NAMESPACES;
use super::{Casting, Parcel, Question, Verb};

/// The names of the rooms.
pub(super) const ROOMS: [&str; 4] = ["red", "blue", "green", "grey"];

/// The name of a room.
pub(super) fn name(room: Room) -> &'static str {
    ROOMS[usize::from(room.0) % ROOMS.len()]
}

impl House {
    pub(super) fn perform(&self, socket: &Socket, verb: &Verb) {
        let seat = self.seat(socket);
        match verb {
            Verb::Send(parcel, delivery) => self.send(socket, *parcel, *delivery),
            Verb::Cast(casting) => {
                let namespace = Namespace(u8::from(socket.namespace().name() != NAMESPACES[0]));
                self.cast(socket.broadcast(), namespace, casting, Some(seat));
            }
            Verb::Ask(question) => {
                let (house, socket, question) = (self.clone(), socket.clone(), *question);
                self.host().run(async move { house.ask(socket, question).await });
            }
            Verb::Enter(room) => self.enter(socket, seat, *room),
            Verb::Exit(room) => {
                if socket.leave(name(*room)).is_ok() {
                    self.note(Fact::Exited(seat, *room));
                }
            }
            Verb::Dismiss => {
                self.note(Fact::Ends(seat, Ending::Dismissal));
                let _ = socket.disconnect();
            }
            Verb::DismissSession => {
                self.dismiss_session(socket, seat);
                let _ = socket.disconnect_client();
            }
        }
    }

    /// All sockets of the client end; those of its earlier connections do so anyway.
    fn dismiss_session(&self, socket: &Socket, seat: Seat) {
        // The verb of a socket that has left does nothing, although its last handlers still run.
        if !socket.connected() {
            return;
        }
        self.note(Fact::Ends(seat, Ending::Dismissal));
        let sockets = self.stage().sockets();
        let Some(own) = sockets.get(&seat) else { return };
        for (other, present) in &sockets {
            let is_own = present.person == own.person && *other != seat;
            if is_own && present.socket.handshake().peer == socket.handshake().peer {
                self.note(Fact::Ends(*other, Ending::Dismissal));
            }
        }
    }

    pub(super) fn enter(&self, socket: &Socket, seat: Seat, room: Room) {
        if socket.join(name(room)).is_ok() {
            self.note(Fact::Entered(seat, room));
        }
    }

    pub(super) fn send(&self, socket: &Socket, parcel: Parcel, delivery: Delivery) {
        let message = self.stage().message();
        let sent = parcel.send(socket, message, delivery);
        if sent.is_ok() {
            self.note(Fact::Sent(self.seat(socket), message, delivery));
        } else if socket.connected() {
            self.stage()
                .fail(format!("not sent to a socket that is there: {sent:?}"));
        }
    }

    pub(super) fn cast(
        &self,
        mut broadcast: Broadcast,
        namespace: Namespace,
        casting: &Casting,
        but: Option<Seat>,
    ) {
        let message = self.stage().message();
        for room in &casting.to {
            broadcast = broadcast.to(name(*room));
        }
        for room in &casting.except {
            broadcast = broadcast.except(name(*room));
        }
        self.note(Fact::Cast(Cast {
            namespace,
            to: casting.to.clone(),
            except: casting.except.clone(),
            but,
            message,
            delivery: casting.delivery,
        }));
        match casting.parcel.send(&broadcast, message, casting.delivery) {
            // A server that begins or has ended has no members.
            Ok(()) | Err(Error::NotServing) => {}
            Err(error) => self.stage().fail(format!("a broadcast was refused: {error}")),
        }
    }

    pub(super) async fn ask(&self, socket: Socket, question: Question) {
        let message = self.stage().message();
        let call = socket.call(question.event(), &message.0);
        let seat = self.seat(&socket);
        question
            .follow(Side::Server, seat, message, call, |fact| self.note(fact))
            .await;
    }
}

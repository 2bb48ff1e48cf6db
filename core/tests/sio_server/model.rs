//! Random steps of a server, compared with sets and queues that say what must happen.

use crate::client::{ClientId, Packet, text};
use crate::pair::{Pair, describe, prefix};
use crate::steps::{CLIENTS, NAMESPACES, ROOMS, Step, TargetChoice, steps};
use core::time::Duration;
use proptest::prelude::*;
use socketio_core::eio::Delivery;
use socketio_core::sio::{AckError, AckId, Counts, EmitError, Event, SocketId, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// What must be true: sets, maps and queues.
#[derive(Default)]
struct Model {
    clients: [Option<ClientId>; CLIENTS],
    sockets: BTreeMap<(usize, usize), Member>,
    next_numbers: [u64; NAMESPACES.len()],
    pending: Vec<PendingAck>,
    /// Those that were answered, by client, namespace and number.
    acknowledged: Vec<PendingAck>,
    serial: usize,
    /// What each client must receive next.
    packets: [Vec<Packet>; CLIENTS],
    events: Vec<String>,
}

struct Member {
    socket: SocketId,
    /// Later sockets have larger ones.
    serial: usize,
    sid: String,
    rooms: BTreeSet<usize>,
}

#[derive(Clone, Copy)]
struct PendingAck {
    ack: AckId,
    owner: (usize, usize),
    number: u64,
    deadline: Instant,
}

/// The server, and the model of it.
struct World {
    pair: Pair,
    model: Model,
}

impl Model {
    fn pick(pending_ack: &[PendingAck], number: usize) -> Option<usize> {
        (!pending_ack.is_empty()).then(|| number % pending_ack.len())
    }

    fn name(&mut self) -> String {
        self.serial += 1;
        format!("m{}", self.serial)
    }

    /// A socket ends: its acknowledgements fail in the order of their numbers, then its disconnection is texts.
    fn end(&mut self, owner: (usize, usize), reason: &str) {
        if self.sockets.remove(&owner).is_none() {
            return;
        }
        let mut failed: Vec<PendingAck> = self
            .pending
            .iter()
            .copied()
            .filter(|pending_ack| pending_ack.owner == owner)
            .collect();
        failed.sort_by_key(|pending_ack| pending_ack.number);
        self.pending.retain(|pending_ack| pending_ack.owner != owner);
        self.events.extend(
            failed
                .iter()
                .map(|pending_ack| format!("{:?} ack failed: {}", pending_ack.ack, AckError::Disconnected)),
        );
        self.events.push(format!("disconnected: {reason}"));
    }

    fn recipients_of(&self, namespace: usize, choice: &TargetChoice) -> BTreeSet<usize> {
        let is_in = |client: usize, member: &Member, rooms: &[usize], sockets: &[usize]| {
            rooms.iter().any(|room| member.rooms.contains(room)) || sockets.contains(&client)
        };
        self.sockets
            .iter()
            .filter(|((_, own), _)| *own == namespace)
            .filter(|((client, _), member)| {
                // The id of a socket that is gone is a room without members.
                let meant = choice.rooms.is_empty() && choice.sockets.is_empty()
                    || is_in(*client, member, &choice.rooms, &choice.sockets);
                meant
                    && !is_in(*client, member, &choice.except, &choice.except_sockets)
                    && choice.skip != Some(*client)
            })
            .map(|((client, _), _)| *client)
            .collect()
    }
}

impl World {
    fn new() -> Self {
        Self {
            pair: Pair::new(),
            model: Model::default(),
        }
    }

    fn socket(&self, client: usize, namespace: usize) -> Option<SocketId> {
        Some(self.model.sockets.get(&(client, namespace))?.socket)
    }

    fn sid(&self, client: usize, namespace: usize) -> String {
        self.model
            .sockets
            .get(&(client, namespace))
            .map_or_else(|| format!("absent{client}"), |member| member.sid.clone())
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Connect(client, namespace) => self.connect(client, namespace),
            Step::Leave(client, namespace) => {
                if let (Some(id), Some(_)) = (self.model.clients[client], self.socket(client, namespace)) {
                    let prefix = prefix(NAMESPACES[namespace]);
                    self.pair.send(id, &format!("41{prefix}"));
                    self.model.end((client, namespace), "client namespace disconnect");
                }
            }
            Step::Disconnect(client, namespace) => {
                if let Some(socket) = self.socket(client, namespace) {
                    self.pair.server.disconnect(self.pair.now, socket);
                    self.expect_disconnect(client, namespace);
                }
            }
            Step::DisconnectClient(client, namespace) => self.disconnect_client(client, namespace),
            Step::Lose(client) => {
                if let Some(id) = self.model.clients[client].take() {
                    self.pair.lose(id);
                    self.end_all(client, "transport close");
                }
            }
            Step::BreakRules(client) => {
                if let Some(id) = self.model.clients[client].take() {
                    self.pair.send(id, "4abc");
                    assert_eq!(self.pair.receive(id), [Packet::Closed]);
                    self.end_all(client, "forced close");
                }
            }
            Step::Join(..) | Step::LeaveRoom(..) | Step::CloseRoom(..) => self.change_rooms(step),
            Step::Broadcast(namespace, ref choice) => self.broadcast(namespace, choice),
            Step::Emit(client, namespace) => self.emit(client, namespace),
            Step::EmitWithAck(client, namespace, after) => self.emit_with_ack(client, namespace, after),
            Step::Acknowledge(number) => self.acknowledge(number),
            Step::AcknowledgeAgain(number) => {
                if let Some(index) = Model::pick(&self.model.acknowledged, number) {
                    self.send_ack(self.model.acknowledged[index]);
                }
            }
            Step::Forget(number) => {
                if let Some(index) = Model::pick(&self.model.pending, number) {
                    let pending_ack = self.model.pending.remove(index);
                    self.pair.server.forget_ack(pending_ack.ack);
                    self.model.acknowledged.push(pending_ack);
                }
            }
            Step::Wait(milliseconds) => {
                self.pair.wait(Duration::from_millis(milliseconds));
                self.expire();
            }
            Step::Sleep(milliseconds) => {
                self.pair.now += Duration::from_millis(milliseconds);
                self.pair.server.handle_timeout(self.pair.now);
                self.expire();
            }
        }
    }

    fn connect(&mut self, client: usize, namespace: usize) {
        let id = *self.model.clients[client].get_or_insert_with(|| self.pair.websocket());
        if self.socket(client, namespace).is_some() {
            return;
        }
        let socket = self.pair.join(id, NAMESPACES[namespace]);
        let sid = self.pair.server.sid(socket).unwrap().to_string();
        let welcome = format!("40{}{{\"sid\":\"{sid}\"}}", prefix(NAMESPACES[namespace]));
        self.model.packets[client].push(text(&welcome));
        self.model.serial += 1;
        let member = Member {
            socket,
            serial: self.model.serial,
            sid,
            rooms: BTreeSet::new(),
        };
        self.model.sockets.insert((client, namespace), member);
    }

    fn expect_disconnect(&mut self, client: usize, namespace: usize) {
        let packet = format!("41{}", prefix(NAMESPACES[namespace]));
        self.model.packets[client].push(text(&packet));
        self.model.end((client, namespace), "server namespace disconnect");
    }

    fn disconnect_client(&mut self, client: usize, namespace: usize) {
        let Some(socket) = self.socket(client, namespace) else {
            return;
        };
        let id = self.model.clients[client].take().unwrap();
        self.pair.server.disconnect_client(self.pair.now, socket);
        for namespace in self.in_order(client) {
            self.expect_disconnect(client, namespace);
        }
        let mut expected = core::mem::take(&mut self.model.packets[client]);
        expected.push(Packet::Closed);
        assert_eq!(self.pair.receive(id), expected);
    }

    /// The namespaces a client is in, in the order in which its sockets were made.
    fn in_order(&self, client: usize) -> Vec<usize> {
        let mut namespaces: Vec<usize> = (0..NAMESPACES.len())
            .filter(|namespace| self.socket(client, *namespace).is_some())
            .collect();
        namespaces.sort_by_key(|namespace| self.model.sockets[&(client, *namespace)].serial);
        namespaces
    }

    fn end_all(&mut self, client: usize, reason: &str) {
        for namespace in self.in_order(client) {
            self.model.end((client, namespace), reason);
        }
        self.model.packets[client].clear();
    }

    fn change_rooms(&mut self, step: &Step) {
        match *step {
            Step::Join(client, namespace, room) => {
                if let Some(member) = self.model.sockets.get_mut(&(client, namespace)) {
                    self.pair.server.join(member.socket, ROOMS[room]).unwrap();
                    member.rooms.insert(room);
                }
            }
            Step::LeaveRoom(client, namespace, room) => {
                if let Some(member) = self.model.sockets.get_mut(&(client, namespace)) {
                    self.pair.server.leave(member.socket, ROOMS[room]);
                    member.rooms.remove(&room);
                }
            }
            Step::CloseRoom(namespace, room) => {
                let id = self.pair.namespace(NAMESPACES[namespace]);
                self.pair.server.close_room(id, ROOMS[room]);
                for ((_, own), member) in &mut self.model.sockets {
                    if *own == namespace {
                        member.rooms.remove(&room);
                    }
                }
            }
            _ => {}
        }
    }

    fn broadcast(&mut self, namespace: usize, choice: &TargetChoice) {
        let names = |rooms: &[usize], sockets: &[usize]| {
            let rooms = rooms.iter().map(|room| ROOMS[*room].into());
            let sockets = sockets.iter().map(|client| self.sid(*client, namespace).into());
            rooms.chain(sockets).collect()
        };
        let target = Target {
            rooms: names(&choice.rooms, &choice.sockets),
            except: names(&choice.except, &choice.except_sockets),
            skip: choice.skip.and_then(|client| self.socket(client, namespace)),
        };
        let recipients = self.model.recipients_of(namespace, choice);
        let name = self.model.name();
        let count = self.pair.broadcast(NAMESPACES[namespace], &target, &name);
        assert_eq!(count, recipients.len());
        let packet = format!("42{}[\"{name}\"]", prefix(NAMESPACES[namespace]));
        for client in recipients {
            self.model.packets[client].push(text(&packet));
        }
    }

    fn emit(&mut self, client: usize, namespace: usize) {
        let Some(socket) = self.socket(client, namespace) else {
            return;
        };
        let name = self.model.name();
        let packet = self.pair.encode(NAMESPACES[namespace], &name, &());
        let outcome = self
            .pair
            .server
            .emit(self.pair.now, socket, &packet, Delivery::Reliable);
        assert_eq!(outcome, Ok::<(), EmitError>(()));
        let packet = format!("42{}[\"{name}\"]", prefix(NAMESPACES[namespace]));
        self.model.packets[client].push(text(&packet));
    }

    fn emit_with_ack(&mut self, client: usize, namespace: usize, after: u64) {
        let Some(socket) = self.socket(client, namespace) else {
            return;
        };
        let name = self.model.name();
        let packet = self.pair.encode(NAMESPACES[namespace], &name, &());
        // At least one millisecond, so that steps at the same time come before it.
        let deadline = self.pair.now + Duration::from_millis(after + 1);
        let ack = self
            .pair
            .server
            .emit_with_ack(self.pair.now, socket, &packet, deadline)
            .unwrap();
        let number = self.model.next_numbers[namespace];
        self.model.next_numbers[namespace] += 1;
        let packet = format!("42{}{number}[\"{name}\"]", prefix(NAMESPACES[namespace]));
        self.model.packets[client].push(text(&packet));
        self.model.pending.push(PendingAck {
            ack,
            owner: (client, namespace),
            number,
            deadline,
        });
    }

    fn acknowledge(&mut self, number: usize) {
        if let Some(index) = Model::pick(&self.model.pending, number) {
            let pending_ack = self.model.pending.remove(index);
            self.send_ack(pending_ack);
            self.model
                .events
                .push(format!("{:?} acked ({}) 0", pending_ack.ack, pending_ack.number));
            self.model.acknowledged.push(pending_ack);
        }
    }

    /// Answers, unless the client is no longer in the namespace.
    fn send_ack(&mut self, pending_ack: PendingAck) {
        let (client, namespace) = pending_ack.owner;
        if let (Some(id), Some(_)) = (self.model.clients[client], self.socket(client, namespace)) {
            let prefix = prefix(NAMESPACES[namespace]);
            let number = pending_ack.number;
            self.pair.send(id, &format!("43{prefix}{number}[{number}]"));
        }
    }

    /// Acknowledgements that were not given in time.
    fn expire(&mut self) {
        let (mut due, pending): (Vec<PendingAck>, Vec<PendingAck>) = self
            .model
            .pending
            .iter()
            .partition(|pending_ack| pending_ack.deadline <= self.pair.now);
        due.sort_by_key(|pending_ack| (pending_ack.deadline, pending_ack.ack));
        self.model.pending = pending;
        for pending_ack in due {
            let event = format!("{:?} ack failed: {}", pending_ack.ack, AckError::TimedOut);
            self.model.events.push(event);
            self.model.acknowledged.push(pending_ack);
        }
    }

    /// Compares everything that can be seen.
    fn check(&mut self) {
        // The model knows sockets; that a client without any broke a rule is no socket's story.
        let events = self.pair.events();
        let of_sockets = events
            .iter()
            .filter(|event| !matches!(event, Event::Refused { .. }));
        let texts: Vec<String> = of_sockets.map(short).collect();
        assert_eq!(texts, core::mem::take(&mut self.model.events));
        for (client, id) in self.model.clients.iter().enumerate() {
            if let Some(id) = id {
                let expected = core::mem::take(&mut self.model.packets[client]);
                assert_eq!(self.pair.receive(*id), expected, "client {client}");
            }
        }
        for (namespace, name) in NAMESPACES.iter().enumerate() {
            let id = self.pair.namespace(name);
            let members = |is_in: &dyn Fn(&Member) -> bool| -> BTreeSet<SocketId> {
                let own = self
                    .model
                    .sockets
                    .iter()
                    .filter(|((_, own), _)| *own == namespace);
                own.filter(|(_, member)| is_in(member))
                    .map(|(_, member)| member.socket)
                    .collect()
            };
            assert_eq!(as_set(self.pair.server.sockets(id)), members(&|_| true));
            for (room, name) in ROOMS.iter().enumerate() {
                let expected = members(&|member| member.rooms.contains(&room));
                assert_eq!(as_set(&self.pair.server.members(id, name)), expected, "{name}");
            }
        }
        for member in self.model.sockets.values() {
            let rooms = self.pair.server.rooms(member.socket);
            let expected = member.rooms.iter().map(|room| ROOMS[*room]);
            let expected: BTreeSet<&str> = expected.chain([member.sid.as_str()]).collect();
            assert_eq!(rooms.len(), expected.len());
            assert_eq!(rooms[0], member.sid);
            assert_eq!(
                rooms.iter().map(String::as_str).collect::<BTreeSet<_>>(),
                expected
            );
        }
        let counts = self.pair.server.counts();
        let rooms: BTreeSet<(usize, usize)> = self
            .model
            .sockets
            .iter()
            .flat_map(|((_, namespace), member)| member.rooms.iter().map(move |room| (*namespace, *room)))
            .collect();
        let open = self.model.clients.iter().flatten().count();
        assert_eq!((counts.connections, counts.sessions), (open, open));
        assert_eq!(counts.sockets, self.model.sockets.len());
        assert_eq!(
            (counts.rooms, counts.acks),
            (rooms.len(), self.model.pending.len())
        );
    }

    /// Everybody leaves; nothing may be left of them.
    fn finish(mut self) {
        for client in 0..CLIENTS {
            self.apply(&Step::Lose(client));
        }
        self.check();
        assert_eq!(self.pair.server.counts(), Counts::default());
        assert_eq!(self.pair.server.poll_timeout(), None);
    }
}

fn as_set(sockets: &[SocketId]) -> BTreeSet<SocketId> {
    let set: BTreeSet<SocketId> = sockets.iter().copied().collect();
    assert_eq!(set.len(), sockets.len(), "nobody is there twice");
    set
}

fn short(event: &Event) -> String {
    match event {
        Event::Acked { ack, .. } => format!("{ack:?} {}", describe(event)),
        other => describe(other),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_happens_is_as_the_model_says(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.apply(step);
            world.check();
        }
        world.finish();
    }
}

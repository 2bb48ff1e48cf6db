//! Plays a scenario.

use std::sync::Arc;
use std::time::Duration;

use socketio_driver::client::Client;
use socketio_driver::{Error, Server, Transport};
use socketio_model::{Ending, Fact, Model, Namespace};

use super::audit::{audit, audit_at_rest, audit_empty};
use super::guest::Guest;
use super::house::House;
use super::stage::{NAMESPACES, Stage};
use super::verb::name;
use super::way::{HOUSE, Way};
use super::{Act, Climate, Question, Scenario, Step, Verb, Visitor};
use crate::intermediary::Proxy;
use crate::{Tally, Weather, World};

/// How long a shutdown waits for the connections.
const GRACE: Duration = Duration::from_secs(5);
/// Longer than anything takes that is not waiting for a peer: the windows of a link, handlers, polls that linger,
/// requests that are given up, connections that nobody uses any more.
const REST: Duration = Duration::from_secs(100);

/// What was wrong, what happened, what the network did, and how long it took.
pub(super) async fn play(world: World, scenario: Scenario) -> (Option<String>, Vec<String>, Tally, Duration) {
    let mut play = Play::new(world, scenario);
    let steps = play.stage.scenario.steps.clone();
    for (number, step) in steps.iter().enumerate() {
        if step.pause > Duration::ZERO {
            play.stage.world.sleep(step.pause).await;
        }
        play.stage.tell(format!("{step:?}"));
        play.step(number, step).await;
        audit(&play.stage, &play.server);
        if play.stage.has_failed() {
            break;
        }
    }
    if !play.stage.has_failed() {
        play.end().await;
    }
    let age = play.stage.world.age();
    let tally = play.stage.world.tally();
    let (failure, log) = play.stage.finish();
    (failure, log, tally, age)
}

struct Play {
    stage: Arc<Stage>,
    house: House,
    server: Server,
    proxy: Option<Proxy>,
    guests: Vec<Played>,
}

struct Played {
    person: usize,
    visitor: Visitor,
    guest: Guest,
    client: Client,
    /// Those before it on its host, whose handles were dropped.
    former: Vec<Guest>,
}

impl Play {
    fn new(world: World, scenario: Scenario) -> Self {
        let host = world.host(HOUSE);
        for address in Way::addresses(&world) {
            world.set_weather(address, scenario.climate.weather());
        }
        let stage = Stage::new(world, scenario);
        let (house, server) = House::open(&stage, &host);
        let proxy = stage.scenario.way.open(&stage.world).unwrap_or_else(|error| {
            stage.fail(error.to_string());
            None
        });
        let visitors = stage.scenario.guests.iter().enumerate();
        let guests = visitors.filter_map(|(person, visitor)| Played::new(&stage, person, *visitor));
        Self {
            guests: guests.collect(),
            stage,
            house,
            server,
            proxy,
        }
    }

    async fn step(&mut self, number: usize, step: &Step) {
        let many = self.guests.len().max(1);
        let Some(played) = self.guests.get_mut(step.who % many) else {
            return;
        };
        let place = usize::from(step.place % played.visitor.namespaces);
        let socket = played.guest.socket(place);
        match &step.act {
            Act::Say(parcel, delivery) => {
                if let Some(socket) = socket {
                    played.guest.say(&socket, *parcel, *delivery);
                }
            }
            Act::Wish(_) => {
                if let Some(socket) = socket {
                    played.guest.wish(&socket, number);
                }
            }
            Act::Ask(question) => {
                if let Some(socket) = socket {
                    let (guest, question) = (played.guest.clone(), *question);
                    let host = guest.host().clone();
                    host.run(async move { guest.ask(socket, question).await });
                }
            }
            Act::LeaveNamespace => played.leave(place),
            Act::Rejoin => played.rejoin(place),
            Act::Disconnect => played.disconnect(),
            Act::Return => played.come_back(),
            Act::Renew => played.disconnect_by_drop(&self.stage),
            Act::Kill => played.kill(&self.stage).await,
            Act::Silence => played.silence(&self.stage),
            Act::Do(verb) => {
                let person = played.person;
                self.perform(person, Namespace(place as u8), verb);
            }
            Act::Cast(casting) => {
                let all = self.server.of(NAMESPACES[place]).to([""; 0]);
                self.house.cast(all, Namespace(place as u8), casting, None);
            }
            Act::Empty(room) => {
                let closed = self.server.of(NAMESPACES[place]).close_room(name(*room));
                if closed.is_ok() {
                    let emptied = Fact::Emptied(Namespace(place as u8), *room);
                    self.house.note(emptied);
                }
            }
            Act::Crash(outage) => self.crash(*outage).await,
            Act::Shutdown(outage) => self.shut_down(*outage).await,
        }
    }

    /// Does something to the newest socket of a guest in a namespace.
    fn perform(&self, person: usize, namespace: Namespace, verb: &Verb) {
        let sockets = self.stage.sockets();
        let own = sockets
            .values()
            .rfind(|present| present.person == person && present.namespace == namespace);
        if let Some(present) = own {
            self.house.perform(&present.socket, verb);
        }
    }

    async fn crash(&mut self, outage: Duration) {
        self.house.die();
        self.stage.world.sleep(outage).await;
        self.open();
    }

    async fn shut_down(&mut self, outage: Duration) {
        let sockets = self.stage.sockets();
        let transports: Vec<_> = sockets
            .iter()
            .map(|(seat, present)| (*seat, present.socket.transport()))
            .collect();
        match self.server.shutdown(GRACE) {
            Ok(()) => {}
            // It has not begun; it will.
            Err(Error::NotServing) => return,
            Err(error) => self.stage.fail(error.to_string()),
        }
        for (seat, transport) in transports {
            self.house.note(Fact::Ends(seat, Ending::Dismissal));
            if transport == Some(Transport::Polling) {
                // What is queued while no poll waits is lost.
                self.house.note(Fact::Ends(seat, Ending::Doubt));
            }
        }
        self.stage.world.sleep(outage).await;
        self.open();
    }

    fn open(&mut self) {
        let host = self.house.host().clone();
        (self.house, self.server) = House::open(&self.stage, &host);
    }

    /// Lets everything come to rest, everybody leave, and the server end; nothing may be left of it.
    async fn end(&mut self) {
        let world = self.stage.world.clone();
        for address in Way::addresses(&world) {
            world.set_weather(address, Weather::fair());
        }
        let (interval, timeout) = self.stage.scenario.heartbeat;
        let rest = match (self.stage.scenario.climate, &self.stage.scenario.way) {
            (Climate::Storm, _) | (_, Way::Through(_)) => interval + timeout + REST,
            // The last question has ended, too.
            (_, Way::Direct) => Question::LONG + Duration::from_secs(1),
        };
        world.sleep(rest).await;
        match (self.stage.scenario.climate, &self.stage.scenario.way) {
            // Somebody may have died a moment ago.
            (Climate::Storm, _) | (_, Way::Through(_)) => audit(&self.stage, &self.server),
            (_, Way::Direct) => audit_at_rest(&self.stage, &self.server),
        }
        let at_rest = self.stage.ask(|model| model.rest(world.age()));
        if let Err(breach) = at_rest {
            self.stage.fail(breach.to_string());
        }
        for played in self.guests.drain(..) {
            played.disconnect();
        }
        world.sleep(interval + timeout + REST).await;
        let links = world.load();
        if links != (0, 0) {
            self.stage.fail(format!(
                "all clients have left, and there are connections and bytes: {links:?}"
            ));
        }
        audit_empty(&self.stage, &self.server);
        if let Err(error) = self.server.shutdown(GRACE) {
            self.stage.fail(error.to_string());
        }
        if let Some(proxy) = self.proxy.take() {
            proxy.close();
        }
        world.sleep(GRACE + REST).await;
        let tasks = world.tasks();
        if tasks != 1 {
            self.stage
                .fail(format!("the server has ended, and tasks are left: {}", tasks - 1));
        }
        if let Err(breach) = self.stage.ask(Model::end) {
            self.stage.fail(breach.to_string());
        }
    }
}

impl Played {
    fn new(stage: &Arc<Stage>, person: usize, visitor: Visitor) -> Option<Self> {
        let (guest, client) = Guest::start(stage, person, visitor)?;
        Some(Self {
            person,
            visitor,
            guest,
            client,
            former: Vec::new(),
        })
    }

    fn places(&self) -> std::ops::Range<usize> {
        0..usize::from(self.visitor.namespaces)
    }

    fn leave(&self, place: usize) {
        self.guest.leaves(place);
        if let Ok(socket) = self.client.of(NAMESPACES[place]) {
            socket.disconnect();
        }
    }

    fn disconnect(&self) {
        for place in self.places() {
            self.guest.leaves(place);
        }
        self.client.disconnect();
    }

    fn come_back(&self) {
        self.places().for_each(|place| self.enter(place));
        self.client.connect();
    }

    fn rejoin(&self, place: usize) {
        self.leave(place);
        self.enter(place);
    }

    fn enter(&self, place: usize) {
        self.guest.returns(place);
        if let Ok(socket) = self.client.of(NAMESPACES[place]) {
            socket.connect();
        }
    }

    /// Dropping the handle is leaving.
    fn disconnect_by_drop(&mut self, stage: &Arc<Stage>) {
        for place in self.places() {
            self.guest.leaves(place);
        }
        if let Some((guest, client)) = Guest::start(stage, self.person, self.visitor) {
            self.former.push(std::mem::replace(&mut self.guest, guest));
            self.client = client;
        }
    }

    async fn kill(&mut self, stage: &Arc<Stage>) {
        self.former.drain(..).for_each(|former| former.die());
        self.guest.die();
        stage.world.sleep(Duration::from_millis(1)).await;
        if let Some((guest, client)) = Guest::start(stage, self.person, self.visitor) {
            (self.guest, self.client) = (guest, client);
        }
    }

    /// A poll that is about to be made gets a connection that works.
    fn silence(&self, stage: &Stage) {
        let ending = match self.client.transport() {
            Some(Transport::WebSocket) => Ending::Break,
            _ => Ending::Doubt,
        };
        self.guest.ends(ending);
        // It may not have heard yet that it was let in.
        for (seat, present) in stage.sockets() {
            if present.person == self.person {
                stage.note(Fact::Ends(seat, ending));
            }
        }
        stage.world.silence(self.guest.host());
    }
}

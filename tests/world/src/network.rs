//! Listeners and links, and what is due on them when.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::task::Waker;
use std::time::Instant;

use crate::chance::Chance;
use crate::link::{Arrivals, Link, Side};
use crate::weather::{Tally, Weather};

/// The handle of a link; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub(crate) u64);

/// What becomes of a dial.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialled {
    Link(LinkId),
    Refused,
    /// Nobody will ever say.
    Lost,
}

/// Somebody who listens.
#[derive(Debug, Default)]
struct Listener {
    waiting: VecDeque<(LinkId, SocketAddr)>,
    acceptor: Option<Waker>,
}

/// Everything between the hosts.
#[derive(Debug)]
pub(crate) struct Network {
    seed: u64,
    links: BTreeMap<LinkId, (Link, [IpAddr; 2])>,
    last_link: u64,
    listeners: BTreeMap<SocketAddr, Listener>,
    weather: BTreeMap<SocketAddr, Weather>,
    next_port: u16,
    dials: Chance,
    /// Of dials, and of links that are no more.
    tally: Tally,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            links: BTreeMap::new(),
            last_link: 0,
            listeners: BTreeMap::new(),
            weather: BTreeMap::new(),
            next_port: 1_024,
            dials: Chance::of(seed, "dials", 0),
            tally: Tally::default(),
        }
    }

    /// How connections to `address` fare from now on.
    pub(crate) fn set_weather(&mut self, address: SocketAddr, weather: Weather) {
        self.weather.insert(address, weather);
    }

    /// Whether nobody listened there.
    pub(crate) fn listen(&mut self, address: SocketAddr) -> bool {
        let is_free = !self.listeners.contains_key(&address);
        if is_free {
            self.listeners.insert(address, Listener::default());
        }
        is_free
    }

    /// Nobody listens there any more; links that were not accepted are cut.
    pub(crate) fn unlisten(&mut self, address: SocketAddr) -> Vec<LinkId> {
        let listener = self.listeners.remove(&address).unwrap_or_default();
        listener.waiting.into_iter().map(|(link, _)| link).collect()
    }

    /// Somebody at `from` wants a connection.
    pub(crate) fn dial(&mut self, now: Instant, from: IpAddr, to: SocketAddr) -> Dialled {
        let weather = self.weather.get(&to).cloned().unwrap_or_else(Weather::fair);
        if self.dials.once_in(weather.black_holes) {
            self.tally.black_holes += 1;
            return Dialled::Lost;
        }
        if !self.listeners.contains_key(&to) || self.dials.once_in(weather.refusals) {
            self.tally.refusals += 1;
            return Dialled::Refused;
        }
        self.last_link += 1;
        let id = LinkId(self.last_link);
        let link = Link::new(now, Chance::of(self.seed, "link", id.0), weather);
        self.links.insert(id, (link, [from, to.ip()]));
        Dialled::Link(id)
    }

    /// How long a dial to `address` takes.
    pub(crate) fn dial_time(&mut self, now: Instant, address: SocketAddr) -> Instant {
        let weather = self.weather.get(&address).cloned().unwrap_or_else(Weather::fair);
        now + self.dials.time(&weather.latency)
    }

    /// A link has reached its listener; whether there still is one, and whom to wake.
    pub(crate) fn offer(&mut self, link: LinkId, to: SocketAddr) -> (bool, Option<Waker>) {
        let from = self.links.get(&link).map(|(_, hosts)| hosts[0]);
        let (Some(listener), Some(from)) = (self.listeners.get_mut(&to), from) else {
            return (false, None);
        };
        self.next_port = self.next_port.checked_add(1).unwrap_or(1_024);
        listener
            .waiting
            .push_back((link, SocketAddr::new(from, self.next_port)));
        (true, listener.acceptor.take())
    }

    pub(crate) fn accept(&mut self, at: SocketAddr, acceptor: &Waker) -> Option<(LinkId, SocketAddr)> {
        let listener = self.listeners.get_mut(&at)?;
        let accepted = listener.waiting.pop_front();
        if accepted.is_none() {
            listener.acceptor = Some(acceptor.clone());
        }
        accepted
    }

    pub(crate) fn link(&mut self, id: LinkId) -> Option<&mut Link> {
        self.links.get_mut(&id).map(|(link, _)| link)
    }

    /// One side lets go.
    pub(crate) fn close(
        &mut self,
        now: Instant,
        id: LinkId,
        side: Side,
        arrivals: &mut Arrivals,
    ) -> [Option<Waker>; 2] {
        let Some((link, _)) = self.links.get_mut(&id) else {
            return [None, None];
        };
        let wakers = link.close(now, side, arrivals);
        if link.is_forgotten() {
            self.tally += link.tally;
            self.links.remove(&id);
        }
        wakers
    }

    /// The links of a host.
    pub(crate) fn links_of(&self, host: IpAddr) -> Vec<LinkId> {
        let of_host = self.links.iter().filter(|(_, (_, hosts))| hosts.contains(&host));
        of_host.map(|(id, _)| *id).collect()
    }

    /// The listeners of a host.
    pub(crate) fn listeners_of(&self, host: IpAddr) -> Vec<SocketAddr> {
        let addresses = self.listeners.keys();
        addresses
            .filter(|address| address.ip() == host)
            .copied()
            .collect()
    }

    /// How often each thing happened so far.
    pub(crate) fn tally(&self) -> Tally {
        let mut sum = self.tally;
        for (link, _) in self.links.values() {
            sum += link.tally;
        }
        sum
    }

    /// Open links, and the bytes on them that nobody has read.
    pub(crate) fn load(&self) -> (usize, usize) {
        let held = self.links.values().map(|(link, _)| link.held()).sum();
        (self.links.len(), held)
    }
}

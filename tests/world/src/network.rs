//! Listeners and links, and what is due on them when.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::task::Waker;
use std::time::Instant;

use crate::conditions::{NetworkConditions, Statistics};
use crate::link::{Arrivals, Link, Side};
use crate::random::Random;

/// The number of a link; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub(crate) u64);

/// The result of a dial.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialled {
    Link(LinkId),
    Refused,
    /// It never ends.
    Lost,
}

/// Connections that wait to be accepted, and the task that accepts them.
#[derive(Debug, Default)]
struct Listener {
    waiting: VecDeque<(LinkId, SocketAddr)>,
    acceptor: Option<Waker>,
}

/// The links between the hosts, and their listeners.
#[derive(Debug)]
pub(crate) struct Network {
    seed: u64,
    links: BTreeMap<LinkId, (Link, [IpAddr; 2])>,
    last_link: u64,
    listeners: BTreeMap<SocketAddr, Listener>,
    conditions: BTreeMap<SocketAddr, NetworkConditions>,
    next_port: u16,
    dials: Random,
    /// Of dials, and of links that are closed.
    statistics: Statistics,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            links: BTreeMap::new(),
            last_link: 0,
            listeners: BTreeMap::new(),
            conditions: BTreeMap::new(),
            next_port: 1_024,
            dials: Random::of(seed, "dials", 0),
            statistics: Statistics::default(),
        }
    }

    /// Sets the conditions of later connections to `address`.
    pub(crate) fn set_conditions(&mut self, address: SocketAddr, conditions: NetworkConditions) {
        self.conditions.insert(address, conditions);
    }

    /// Listens at an address; false if it is in use.
    pub(crate) fn listen(&mut self, address: SocketAddr) -> bool {
        let is_free = !self.listeners.contains_key(&address);
        if is_free {
            self.listeners.insert(address, Listener::default());
        }
        is_free
    }

    /// Ends a listener; gives the links that were not accepted.
    pub(crate) fn unlisten(&mut self, address: SocketAddr) -> Vec<LinkId> {
        let listener = self.listeners.remove(&address).unwrap_or_default();
        listener.waiting.into_iter().map(|(link, _)| link).collect()
    }

    /// Connects a host to an address.
    pub(crate) fn dial(&mut self, now: Instant, from: IpAddr, to: SocketAddr) -> Dialled {
        let conditions = self.conditions_of(to);
        if self.dials.once_in(conditions.black_holes) {
            self.statistics.black_holes += 1;
            return Dialled::Lost;
        }
        if !self.listeners.contains_key(&to) || self.dials.once_in(conditions.refusals) {
            self.statistics.refusals += 1;
            return Dialled::Refused;
        }
        self.last_link += 1;
        let id = LinkId(self.last_link);
        let link = Link::new(now, Random::of(self.seed, "link", id.0), conditions);
        self.links.insert(id, (link, [from, to.ip()]));
        Dialled::Link(id)
    }

    /// How long a dial to `address` takes.
    pub(crate) fn dial_time(&mut self, now: Instant, address: SocketAddr) -> Instant {
        let conditions = self.conditions_of(address);
        now + self.dials.time(&conditions.latency)
    }

    fn conditions_of(&self, address: SocketAddr) -> NetworkConditions {
        let known = self.conditions.get(&address).cloned();
        known.unwrap_or_else(NetworkConditions::typical)
    }

    /// Hands a link to its listener; whether there still is one, and the task to wake.
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

    /// One side closes a link; gives the tasks to wake.
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
        if link.is_closed() {
            self.statistics += link.statistics;
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

    /// How often each thing has happened so far.
    pub(crate) fn statistics(&self) -> Statistics {
        let mut sum = self.statistics;
        for (link, _) in self.links.values() {
            sum += link.statistics;
        }
        sum
    }

    /// The number of open links, and of the bytes on them that were not read.
    pub(crate) fn load(&self) -> (usize, usize) {
        let pending_bytes = self.links.values().map(|(link, _)| link.pending_bytes()).sum();
        (self.links.len(), pending_bytes)
    }
}

//! Which connections are let in: how many there are, how many from one address, how many without a request.

use super::connection::{Command, Connection, Role};
use super::{ConnId, Peer, RefusalContext, RequestError, Server, TimerKind};
use crate::http::{Headers, RequestHead, Response, StatusCode};
use crate::id::Keyed;
use core::net::IpAddr;
use hashbrown::HashMap;
use std::time::Instant;

/// A connection in so many may be one beyond a limit, which is there to be told so.
const EXCESS: usize = 16;

const fn far_beyond(limit: usize) -> usize {
    limit.saturating_add(limit / EXCESS).saturating_add(1)
}

impl<M> Server<M> {
    /// A connection was made. Its owner keeps a [`Wire`](crate::wire::Wire) for it and passes on the wire's items.
    ///
    /// Beyond [`Limits::connections`](crate::Limits::connections) its first request is answered 503, and beyond
    /// [`Limits::connections_per_address`](crate::Limits::connections_per_address) 429, which ends it. It may end the
    /// oldest connection that has sent no request yet, see [`Limits::half_open`](crate::Limits::half_open).
    pub fn open(&mut self, now: Instant, peer: Peer) -> ConnId {
        self.advance(now);
        self.make_room();
        let excess = self.excess(peer, |limit| limit);
        self.addresses.enter(peer);
        let role = excess.map_or(Role::Idle, Role::Excess);
        let connection = ConnId(self.connections.insert(Connection::new(peer, role)));
        self.arm_connection(connection, TimerKind::Head);
        connection
    }

    /// As [`open`](Self::open), but `None` far beyond a limit, a sixteenth above it: close the connection at once. The
    /// application is told.
    pub fn try_open(&mut self, now: Instant, peer: Peer) -> Option<ConnId> {
        self.advance(now);
        match self.excess(peer, far_beyond) {
            Some(excess) => {
                self.report_peer(peer, RequestError::BadRequest, excess.context());
                None
            }
            None => Some(self.open(now, peer)),
        }
    }

    /// The limit, as `most` reads it, that one connection more would exceed.
    fn excess(&self, peer: Peer, most: fn(usize) -> usize) -> Option<Excess> {
        let limits = &self.config.limits;
        if self.connections.len() >= most(limits.connections) {
            Some(Excess::Total)
        } else if self
            .addresses
            .count(peer)
            .is_some_and(|count| count >= most(limits.connections_per_address))
        {
            Some(Excess::Address)
        } else {
            None
        }
    }

    /// Ends the connection that has waited longest for its first request, if there may be no other such.
    fn make_room(&mut self) {
        if self.timers.count(TimerKind::Head as usize) < self.config.limits.half_open {
            return;
        }
        if let Some(super::Due::Connection(oldest)) = self.timers.first(TimerKind::Head as usize) {
            self.report(oldest, RequestError::BadRequest, RefusalContext::TooManyHalfOpen);
            self.end_connection(oldest);
            self.command(oldest, Command::Expire(None, Headers::new()));
        }
    }

    /// Answers the first request of a connection that is one too many, and ends it.
    pub(super) fn turn_away(&mut self, connection: ConnId, head: &RequestHead, context: RefusalContext) {
        let status = context.status().unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let mut response = Response::new(status);
        self.add_cors(head, &mut response);
        self.report(connection, RequestError::BadRequest, context);
        self.answer_last(connection, response);
    }

    /// Answers a handshake about which the application has not decided when the server shuts down.
    pub(super) fn turn_undecided_away(&mut self, connection: ConnId) {
        let Some(state) = self.connections.get_mut(connection.0) else {
            return;
        };
        if let Role::Deciding(head) = core::mem::replace(&mut state.role, Role::Ending) {
            self.turn_away(connection, &head, RefusalContext::Unavailable);
        }
    }
}

/// Of what there are too many.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    /// Connections.
    Total,
    /// Connections from the same address.
    Address,
}

impl Excess {
    pub(super) const fn context(self) -> RefusalContext {
        match self {
            Self::Total => RefusalContext::TooManyConnections,
            Self::Address => RefusalContext::TooManyFromAddress,
        }
    }
}

/// How many connections each address has. Addresses without any are not in it.
pub(super) struct Addresses {
    counts: HashMap<Network, u32, Keyed>,
    counting: Counting,
}

/// Whether anybody asks for the counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counting {
    Each,
    /// The limit of all is reached before that of one address.
    Nothing,
}

/// Who counts as one address. Whoever has one IPv6 address has 2^64, so these are counted by their network.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Network {
    V4([u8; 4]),
    V6([u8; 8]),
}

impl Addresses {
    pub(super) fn new(limits: &crate::Limits, keyed: Keyed) -> Self {
        let counting = if limits.connections_per_address < limits.connections {
            Counting::Each
        } else {
            Counting::Nothing
        };
        Self {
            counts: HashMap::with_hasher(keyed),
            counting,
        }
    }

    /// How many connections the address of a peer has; `None` where nobody counts them.
    fn count(&self, peer: Peer) -> Option<usize> {
        let network = self.key(peer)?;
        Some(self.counts.get(&network).map_or(0, |count| *count as usize))
    }

    fn enter(&mut self, peer: Peer) {
        if let Some(network) = self.key(peer) {
            let count = self.counts.entry(network).or_insert(0);
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn leave(&mut self, peer: Peer) {
        let Some(network) = self.key(peer) else { return };
        let Some(count) = self.counts.get_mut(&network) else {
            return;
        };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.counts.remove(&network);
        }
    }

    fn key(&self, peer: Peer) -> Option<Network> {
        match (self.counting, peer) {
            (Counting::Each, Peer::Address(address)) => Some(Network::of(address.ip())),
            (Counting::Nothing, _) | (Counting::Each, Peer::Unknown) => None,
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::id::Random;

    fn addresses(limits: &Limits) -> Addresses {
        Addresses::new(limits, Random::new([7; 32]).keyed())
    }

    fn peer(address: &str) -> Peer {
        Peer::Address((address.parse::<IpAddr>().unwrap(), 1).into())
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_a_mapped_address_an_ipv4() {
        let limits = Limits {
            connections_per_address: 5,
            ..Limits::default()
        };
        let mut table = addresses(&limits);
        for address in ["2001:db8::1", "2001:db8::ffff:1", "10.0.0.1", "::ffff:10.0.0.1"] {
            table.enter(peer(address));
        }
        assert_eq!(table.count(peer("2001:db8::2")), Some(2));
        assert_eq!(table.count(peer("2001:db8:0:1::1")), Some(0));
        assert_eq!(table.count(peer("10.0.0.1")), Some(2));
        assert_eq!(table.count(Peer::Unknown), None);
        for address in ["2001:db8::1", "2001:db8::1", "10.0.0.1", "10.0.0.1"] {
            table.leave(peer(address));
        }
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn nothing_is_counted_where_all_may_come_from_one_address() {
        let mut table = addresses(&Limits::default());
        table.enter(peer("10.0.0.1"));
        assert_eq!(table.len(), 0);
    }
}

//! Several servers that act as one: what one does to the members of rooms, its peers do to theirs.

use super::{NamespaceId, Server, Target};
use crate::Text;
use crate::eio::Delivery;
use crate::sio::Encoded;
use core::fmt;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// Another server, in this process or elsewhere, that what happens to rooms concerns too. Whoever carries the
/// messages chooses the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(u64);

impl PeerId {
    /// The peer of that number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number it was made of.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What one server asks of another. Cloning shares it.
#[derive(Clone)]
pub struct PeerMessage(Arc<Order>);

impl fmt::Debug for PeerMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PeerMessage").finish_non_exhaustive()
    }
}

struct Order {
    /// By name, because every server numbers its namespaces itself.
    namespace: Text,
    target: Target,
    verb: Verb,
}

/// What is done to everybody a [`Target`] means.
#[derive(Clone)]
pub(super) enum Verb {
    Send { packet: Encoded, delivery: Delivery },
    Join { room: Text },
    Leave { room: Text },
    Disconnect(DisconnectScope),
}

/// How much of a client a disconnect ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectScope {
    /// The socket alone; the client stays in its other namespaces.
    Namespace,
    /// All sockets of the client, and its session.
    Client,
}

/// What a message costs beside the bytes it holds.
const OVERHEAD: usize = size_of::<Order>();

impl PeerMessage {
    fn new(namespace: Text, target: &Target, verb: Verb) -> Self {
        let detach = |rooms: &[Text]| rooms.iter().map(Text::detach).collect();
        Self(Arc::new(Order {
            namespace,
            target: Target {
                rooms: detach(&target.rooms),
                except: detach(&target.except),
                // It is a socket of this server, so no peer can mean it.
                skip: None,
            },
            verb,
        }))
    }

    /// About how many bytes it holds.
    fn weight(&self) -> usize {
        let rooms = self.0.target.rooms.iter().chain(&self.0.target.except);
        let content = match &self.0.verb {
            Verb::Send { packet, .. } => packet.encoded_len(),
            Verb::Join { room } | Verb::Leave { room } => room.len(),
            Verb::Disconnect(_) => 0,
        };
        rooms
            .map(|room| room.len().saturating_add(size_of::<Text>()))
            .fold(content.saturating_add(OVERHEAD), usize::saturating_add)
    }
}

/// The peers and what they have not been told yet.
#[derive(Default)]
pub(super) struct Peers {
    members: Vec<PeerId>,
    queue: VecDeque<(PeerId, PeerMessage)>,
    queued_bytes: usize,
    lost: u64,
}

impl Peers {
    /// Queues a message for every peer; for none when there is no room for all.
    fn push(&mut self, message: &PeerMessage, limit: usize) {
        let added = message.weight().saturating_mul(self.members.len());
        let bytes = self.queued_bytes.saturating_add(added);
        if !self.queue.is_empty() && bytes > limit {
            self.lost = self.lost.saturating_add(1);
            return;
        }
        self.queued_bytes = bytes;
        self.queue
            .extend(self.members.iter().map(|peer| (*peer, message.clone())));
    }

    fn pop(&mut self) -> Option<(PeerId, PeerMessage)> {
        let (peer, message) = self.queue.pop_front()?;
        self.queued_bytes = self.queued_bytes.saturating_sub(message.weight());
        Some((peer, message))
    }

    fn remove(&mut self, peer: PeerId) {
        self.members.retain(|member| *member != peer);
        self.queue.retain(|(member, _)| *member != peer);
        let weights = self.queue.iter().map(|(_, message)| message.weight());
        self.queued_bytes = weights.fold(0, usize::saturating_add);
    }
}

/// Other servers. What [`broadcast`](Server::broadcast), [`join_all`](Server::join_all),
/// [`leave_all`](Server::leave_all), [`close_room`](Server::close_room) and
/// [`disconnect_all`](Server::disconnect_all) do here is asked of every peer too; a
/// [`Target::skip`] means nobody there. What a peer asked for is not passed on, so every server is a peer of
/// every other. Servers made from the same seed need different
/// [shard numbers](crate::eio::Config::shard), or their sockets have the same ids. The
/// room of a socket's id is [kept from others](super::RoomError::Private) only where that socket is.
impl Server {
    /// From now on `peer` is told. Adding it twice changes nothing.
    pub fn add_peer(&mut self, peer: PeerId) {
        if !self.peers.members.contains(&peer) {
            self.peers.members.push(peer);
        }
    }

    /// Nothing more is for `peer`, what is queued included, and nothing more is taken from it.
    pub fn remove_peer(&mut self, peer: PeerId) {
        self.peers.remove(peer);
    }

    /// The next message to carry, and to whom. The queue is bounded by
    /// [`Limits::queued_peer_bytes`](crate::Limits::queued_peer_bytes): take everything out after every verb.
    #[must_use]
    pub fn poll_peer(&mut self) -> Option<(PeerId, PeerMessage)> {
        self.peers.pop()
    }

    /// A message of a peer has come. From one that was not [added](Self::add_peer), or for a namespace that is
    /// not here, it changes nothing.
    pub fn handle_peer(&mut self, now: Instant, peer: PeerId, message: &PeerMessage) {
        self.advance(now);
        let Order {
            namespace,
            target,
            verb,
        } = &*message.0;
        if self.peers.members.contains(&peer)
            && let Some(namespace) = self.by_name.get(namespace.as_bytes()).copied()
        {
            self.apply(namespace, target, verb);
        }
    }

    /// How many messages were not queued for the peers because they did not take those before.
    pub const fn lost_peer_messages(&self) -> u64 {
        self.peers.lost
    }

    /// Does something to everybody a target means, here and at the peers; returns how many there were here.
    pub(super) fn order(&mut self, namespace: NamespaceId, target: &Target, verb: &Verb) -> usize {
        // Who may join the room of a socket's id is for the server of that socket to say.
        let is_private =
            matches!(verb, Verb::Join { room } if self.socket_by_sid(namespace, room.as_str()).is_some());
        if !self.peers.members.is_empty()
            && !is_private
            && let Some(name) = self.namespace_name(namespace)
        {
            let message = PeerMessage::new(name.clone(), target, verb.clone());
            self.peers
                .push(&message, self.engine.config().limits.queued_peer_bytes);
        }
        self.apply(namespace, target, verb)
    }
}

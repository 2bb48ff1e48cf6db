//! Two servers that act as one (their clients need not know on which they are).

use crate::client::{ClientId, Packet, text};
use crate::pair::Pair;
use socketio_core::eio::Delivery;
use socketio_core::sio::{Config, DisconnectScope, NamespaceId, PeerId, SocketId, Target};

const NOTHING: [Packet; 0] = [];

/// Two servers that are peers of each other; each numbers the other by its own place.
struct Cluster {
    nodes: [Pair; 2],
}

impl Cluster {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(adjust: impl Fn(&mut Config)) -> Self {
        let mut nodes = [0, 1].map(|shard| {
            Pair::with(|config| {
                config.engine.shard = shard;
                adjust(config);
            })
        });
        nodes[0].server.add_peer(PeerId::new(1));
        nodes[1].server.add_peer(PeerId::new(0));
        Self { nodes }
    }

    fn member(&mut self, node: usize, namespace: &str, rooms: &[&str]) -> (ClientId, SocketId) {
        let (client, socket) = self.nodes[node].member(namespace);
        for room in rooms {
            self.nodes[node].server.join(socket, room).unwrap();
        }
        (client, socket)
    }

    /// Carries messages until none is left; returns how many there were.
    fn carry(&mut self) -> usize {
        let mut carried = 0;
        loop {
            let before = carried;
            for (from, to) in [(0, 1), (1, 0)] {
                while let Some((peer, message)) = self.nodes[from].server.poll_peer() {
                    assert_eq!(peer, PeerId::new(to as u64));
                    let Pair { server, now, .. } = &mut self.nodes[to];
                    server.handle_peer(*now, PeerId::new(from as u64), &message);
                    carried += 1;
                }
            }
            if carried == before {
                self.nodes.iter_mut().for_each(Pair::pump);
                return carried;
            }
        }
    }

    fn main(&self) -> NamespaceId {
        self.nodes[0].namespace("/")
    }
}

fn rooms(rooms: &[&str]) -> Target {
    Target {
        rooms: rooms.iter().map(|room| (*room).into()).collect(),
        ..Target::default()
    }
}

#[test]
fn a_broadcast_reaches_the_members_on_both_servers_once() {
    let mut cluster = Cluster::new();
    let (sender, own) = cluster.member(0, "/", &["a"]);
    let (near, _) = cluster.member(0, "/", &["a", "b"]);
    let (far, far_socket) = cluster.member(1, "/", &["a", "b"]);
    let (outsider, _) = cluster.member(1, "/", &["c"]);
    let (elsewhere, _) = cluster.member(1, "/chat", &["a"]);
    let target = Target {
        skip: Some(own),
        except: vec!["c".into()],
        ..rooms(&["a", "b"])
    };
    assert_eq!(cluster.nodes[0].broadcast("/", &target, "hello"), 1);
    assert_eq!(cluster.carry(), 1);
    assert_eq!(cluster.nodes[0].receive(sender), NOTHING);
    assert_eq!(cluster.nodes[0].receive(near), [text("42[\"hello\"]")]);
    assert_eq!(cluster.nodes[1].receive(far), [text("42[\"hello\"]")]);
    assert_eq!(cluster.nodes[1].receive(outsider), NOTHING);
    assert_eq!(cluster.nodes[1].receive(elsewhere), NOTHING);

    let sid = cluster.nodes[1].server.sid(far_socket).unwrap().to_string();
    assert_eq!(cluster.nodes[0].broadcast("/", &rooms(&[&sid]), "you"), 0);
    cluster.carry();
    assert_eq!(cluster.nodes[1].receive(far), [text("42[\"you\"]")]);
}

#[test]
fn namespaces_meet_by_name_and_not_by_number() {
    let mut cluster = Cluster::new();
    let third = cluster.nodes[0].server.add_namespace("/third").unwrap();
    cluster.nodes[1].server.add_namespace("/other").unwrap();
    let same = cluster.nodes[1].server.add_namespace("/third").unwrap();
    assert_ne!(third, same);
    let (other, _) = cluster.member(1, "/other", &[]);
    let (meant, _) = cluster.member(1, "/third", &[]);
    cluster.nodes[0].broadcast("/third", &Target::default(), "hello");
    cluster.carry();
    assert_eq!(cluster.nodes[1].receive(other), NOTHING);
    assert_eq!(cluster.nodes[1].receive(meant), [text("42/third,[\"hello\"]")]);

    cluster.nodes[1].broadcast("/other", &Target::default(), "unknown");
    assert_eq!(cluster.carry(), 1);
}

#[test]
fn many_join_leave_and_close_rooms_on_both_servers() {
    let mut cluster = Cluster::new();
    let sockets = [0, 1].map(|node| cluster.member(node, "/", &["a"]).1);
    let main = cluster.main();
    let members = |cluster: &mut Cluster, room: &str| {
        cluster.carry();
        [0, 1].map(|node: usize| cluster.nodes[node].server.members(main, room).len())
    };
    assert_eq!(cluster.nodes[0].server.join_all(main, &rooms(&["a"]), "b"), 1);
    assert_eq!(members(&mut cluster, "b"), [1, 1]);
    assert_eq!(cluster.nodes[1].server.leave_all(main, &rooms(&["a"]), "b"), 1);
    assert_eq!(members(&mut cluster, "b"), [0, 0]);
    cluster.nodes[0].server.close_room(main, "a");
    assert_eq!(members(&mut cluster, "a"), [0, 0]);
    let sid = cluster.nodes[0].server.sid(sockets[0]).unwrap().to_string();
    assert_eq!(
        cluster.nodes[0].server.join_all(main, &Target::default(), &sid),
        1
    );
    assert_eq!(members(&mut cluster, &sid), [1, 0]);
}

#[test]
fn many_are_disconnected_on_both_servers() {
    let mut cluster = Cluster::new();
    let clients = [0, 1].map(|node| cluster.member(node, "/", &["a"]).0);
    for (node, client) in clients.into_iter().enumerate() {
        cluster.nodes[node].join(client, "/chat");
        cluster.nodes[node].receive(client);
    }
    let main = cluster.main();
    let now = cluster.nodes[0].now;
    let server = &mut cluster.nodes[0].server;
    let scope = DisconnectScope::Namespace;
    assert_eq!(server.disconnect_all(now, main, &rooms(&["a"]), scope), 1);
    cluster.carry();
    for (node, client) in clients.into_iter().enumerate() {
        assert_eq!(cluster.nodes[node].receive(client), [text("41")]);
        let told = cluster.nodes[node].texts();
        assert_eq!(told, ["disconnected: server namespace disconnect"]);
    }
    let chat = cluster.nodes[0].namespace("/chat");
    let server = &mut cluster.nodes[0].server;
    let scope = DisconnectScope::Client;
    assert_eq!(server.disconnect_all(now, chat, &Target::default(), scope), 1);
    cluster.carry();
    for (node, client) in clients.into_iter().enumerate() {
        assert!(cluster.nodes[node].is_closed(client));
        assert_eq!(cluster.nodes[node].server.counts().sessions, 0);
    }
}

#[test]
fn messages_of_strangers_and_removed_peers_are_ignored_and_they_get_none() {
    let mut cluster = Cluster::new();
    let (client, _) = cluster.member(1, "/", &[]);
    cluster.nodes[0].broadcast("/", &Target::default(), "hello");
    let (_, message) = cluster.nodes[0].server.poll_peer().unwrap();
    let now = cluster.nodes[1].now;
    cluster.nodes[1].server.handle_peer(now, PeerId::new(7), &message);
    cluster.nodes[1].server.remove_peer(PeerId::new(0));
    cluster.nodes[1].server.handle_peer(now, PeerId::new(0), &message);
    assert_eq!(cluster.nodes[1].receive(client), NOTHING);
    cluster.nodes[1].broadcast("/", &Target::default(), "alone");
    assert!(cluster.nodes[1].server.poll_peer().is_none());

    cluster.nodes[0].broadcast("/", &Target::default(), "late");
    cluster.nodes[0].server.remove_peer(PeerId::new(1));
    assert!(cluster.nodes[0].server.poll_peer().is_none());
}

#[test]
fn what_nobody_carries_away_is_bounded_and_counted() {
    let mut cluster = Cluster::with(|config| config.engine.limits.queued_peer_bytes = 10_000);
    let server = &mut cluster.nodes[0].server;
    server.add_peer(PeerId::new(2));
    server.add_peer(PeerId::new(2));
    let packet = cluster.nodes[0].encode("/", "a", &"x".repeat(1_000));
    let (main, all) = (cluster.main(), Target::default());
    let Pair { server, now, .. } = &mut cluster.nodes[0];
    for _ in 0..10 {
        server.broadcast(*now, main, &all, &packet, Delivery::Reliable);
    }
    let mut queued = [0; 3];
    while let Some((peer, _)) = server.poll_peer() {
        queued[peer.number() as usize] += 1;
    }
    assert_eq!(queued, [0, 4, 4]);
    assert_eq!(server.lost_peer_messages(), 6);
    server.broadcast(*now, main, &all, &packet, Delivery::Reliable);
    assert!(server.poll_peer().is_some());
    assert_eq!(server.lost_peer_messages(), 6);
}

//! What no caller can see: that the tables inside are empty when everybody is gone.

use super::*;
use crate::eio::CloseReason;
use crate::sio::Packet;
use crate::slab::Key;
use core::time::Duration;

fn connect(namespace: &str) -> Inbound {
    Inbound::Packet(Ok(Packet::Connect {
        namespace: namespace.into(),
        auth: None,
    }))
}

fn connected(server: &mut Server) -> SocketId {
    match server.poll_event() {
        Some(Event::Connect { socket, .. }) => socket,
        other => panic!("{other:?}"),
    }
}

#[test]
#[allow(clippy::disallowed_methods)]
fn every_table_is_empty_after_all_clients_left() {
    let now = Instant::now();
    let mut server = Server::new(Config::default(), [7; 32], now);
    server.add_namespace("/").unwrap();
    server.add_namespace("/chat").unwrap();
    for index in 0..3 {
        let session = SessionId(Key { index, generation: 0 });
        server.admit(session);
        server.receive(session, connect("/"));
        let socket = connected(&mut server);
        assert!(server.accept(now, socket));
        server.join(socket, "room").unwrap();
        let ack = server
            .acks
            .insert(Owed { socket, number: 0 }, Some(now + Duration::from_secs(1)));
        server.sockets.get_mut(socket.0).unwrap().acks.insert(0, ack);
        server.receive(session, connect("/chat"));
        connected(&mut server);
        server.dismiss(session, CloseReason::TransportClose);
        while server.poll_event().is_some() {}
    }
    assert_eq!(server.counts(), Counts::default());
    assert!(server.clients.iter().all(Option::is_none));
    assert!(server.by_sid.is_empty());
    assert_eq!(server.timers.next(), None);
    assert_eq!(server.acks.next_deadline(), None);
    assert!(
        server
            .namespaces
            .iter()
            .all(|namespace| namespace.sockets.is_empty())
    );
}

//! What comes of deadlines that pass while somebody looks at them.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use socketio_driver::engine::{Dial, Stream};
use socketio_driver::{Server, engine};
use socketio_world::{Clock, Host, NetworkConditions, World};

const INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(4);
const SESSIONS: u8 = 3;

/// The sessions that are left of some that began at the same moment, so that their deadlines are microseconds apart, and
/// of which nothing more is heard, not even a poll.
async fn survivors(world: World) -> usize {
    world.set_clock(Clock::Running);
    let host = world.host(2);
    let listener = host.listen(80).expect("the port is free");
    let address = SocketAddr::new(host.address(), 80);
    world.set_conditions(address, NetworkConditions::ideal());
    let server = Server::builder()
        .ping_interval(INTERVAL)
        .ping_timeout(TIMEOUT)
        .connect_timeout(INTERVAL + TIMEOUT)
        .build();
    let (runtime, served) = (host.clone(), server.clone());
    host.run(async move {
        let _ = engine::serve(runtime, listener, served).await;
    });
    for number in 10..10 + SESSIONS {
        let host = world.host(number);
        let runtime = host.clone();
        host.run(async move {
            begin_session(&runtime, address)
                .await
                .expect("the server answers")
        });
    }
    world.sleep(Duration::from_secs(1)).await;
    assert_eq!(
        server.counts().expect("it serves").sessions,
        usize::from(SESSIONS)
    );
    world.sleep(INTERVAL + TIMEOUT).await;
    server.counts().expect("it serves").sessions
}

/// Asks for a session and goes away when there is one.
async fn begin_session(host: &Host, address: SocketAddr) -> io::Result<()> {
    const REQUEST: &[u8] = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: host-2\r\n\r\n";
    let mut stream = host.dial(address).await?;
    let (mut written, mut answer) = (0, BytesMut::with_capacity(4_096));
    while written < REQUEST.len() {
        let rest = [IoSlice::new(&REQUEST[written..])];
        written += poll_fn(|task| stream.poll_write(task, &rest)).await?;
    }
    while !answer.ends_with(b"}") {
        let count = poll_fn(|task| stream.poll_read(task, &mut answer)).await?;
        assert_ne!(count, 0, "no session: {answer:?}");
    }
    Ok(())
}

#[test]
fn a_deadline_that_passes_while_it_is_looked_at_is_met_once() {
    for seed in 0..50 {
        assert_eq!(World::run(seed, survivors).0, 0, "seed {seed}");
    }
}

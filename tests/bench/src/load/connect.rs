//! From the TCP connection to the joined namespace. One client that joined is one operation.

use std::net::SocketAddr;
use std::time::Instant;

use super::Run;
use crate::Outcome;
use crate::hub::{ClientId, Hub, Message, Next, Outbox, Traffic, unexpected};
use crate::poller::Waiting;

const AT_ONCE: usize = 32;
/// Each client leaves its port waiting (TIME-WAIT), and there are 28,000 of them for all windows of a run.
const MOST_CLIENTS_PER_WINDOW: u64 = 2_000;

struct Visits {
    joined: u64,
}

impl Traffic for Visits {
    fn joined(&mut self, _client: ClientId, _outbox: &mut Outbox) -> Next {
        self.joined += 1;
        Next::Leave
    }

    fn message(&mut self, client: ClientId, message: Message<'_>, _outbox: &mut Outbox) -> Outcome<()> {
        Err(unexpected(client, message))
    }
}

pub(crate) fn connect(address: SocketAddr) -> Outcome<Run> {
    let mut hub = Hub::new(address, Waiting::Spin)?;
    let mut visits = Visits { joined: 0 };
    Ok(Box::new(move |time| {
        let (before, end) = (visits.joined, Instant::now() + time);
        while Instant::now() < end && visits.joined - before < MOST_CLIENTS_PER_WINDOW {
            while hub.connected() < AT_ONCE {
                hub.connect()?;
            }
            hub.turn(&mut visits)?;
        }
        Ok(visits.joined - before)
    }))
}

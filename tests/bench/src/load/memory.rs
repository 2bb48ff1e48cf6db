//! Memory of connections on which nothing happens.

use std::time::Duration;

use super::roll_call;
use crate::Outcome;
use crate::hub::{Hub, Idle};
use crate::poller::Waiting;
use crate::server::Server;

/// Connections before the first reading: code pages, first blocks of allocators and tables.
const FIRST: usize = 100;
/// For handshakes to be forgotten and memory to be given back.
const SETTLING: Duration = Duration::from_millis(300);

/// What idle clients of `/` cost.
pub(crate) struct Memory {
    /// Growth of resident memory.
    pub(crate) kib_per_client: f64,
    /// Clients that were connected at once and answered afterwards.
    pub(crate) held: usize,
}

/// Connects as many clients as wanted, fewer if the server answers 503, and ends the server.
pub(crate) fn memory(server: Server, wanted: usize) -> Outcome<Memory> {
    let mut hub = Hub::new(server.address, Waiting::Sleep)?;
    hub.join(FIRST)?;
    hub.run(&mut Idle, SETTLING)?;
    let before = server.resident_kib()?;
    hub.join_at_most(wanted.saturating_sub(FIRST))?;
    hub.run(&mut Idle, SETTLING)?;
    let grown = server.resident_kib()?.saturating_sub(before);
    let held = hub.connected();
    if held == FIRST {
        return Err(format!("the server holds no more than {FIRST} clients").into());
    }
    let everybody: Vec<_> = hub
        .ids()
        .map(|id| (id, r#"4210["echo","idle"]"#.to_owned()))
        .collect();
    roll_call(&mut hub, &everybody)?;
    // Before the clients: whoever closes first keeps the port, and that of a server is one.
    drop(server);
    Ok(Memory {
        kib_per_client: grown as f64 / (held - FIRST) as f64,
        held,
    })
}

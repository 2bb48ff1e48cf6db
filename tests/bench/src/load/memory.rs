//! Memory of connections on which nothing happens.

use std::time::Duration;

use crate::Outcome;
use crate::hub::{Hub, Idle};
use crate::poller::Waiting;
use crate::server::Server;

/// Connections before the first reading: code pages, first blocks of allocators and tables.
const FIRST: usize = 100;
/// For handshakes to be forgotten and memory to be given back.
const SETTLING: Duration = Duration::from_millis(300);

/// Resident memory per idle client that has joined `/`, in KiB.
pub(crate) fn memory(server: &Server, clients: usize) -> Outcome<f64> {
    let mut hub = Hub::new(server.address, Waiting::Sleep)?;
    hub.join(FIRST)?;
    hub.run(&mut Idle, SETTLING)?;
    let before = server.resident_kib()?;
    hub.join(clients)?;
    hub.run(&mut Idle, SETTLING)?;
    let grown = server.resident_kib()?.saturating_sub(before);
    Ok(grown as f64 / clients as f64)
}

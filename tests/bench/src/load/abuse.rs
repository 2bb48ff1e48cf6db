//! One client that sends without pause, on threads of its own.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use crate::Outcome;
use crate::frame::{Opcode, append, masked};
use crate::handshake;
use crate::machine::lower_own_priority;

/// The event with the large argument, just below the 1,000,000 bytes that servers take by default.
const LARGE_EVENT: usize = 999_000;
/// Bytes of tiny frames handed to the kernel at once.
const TINY_BATCH: usize = 64 * 1024;

/// What the client sends, back to back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abuse {
    /// Events with a 1 MB text, which the server acks with the same text.
    LargeEvents,
    /// WebSocket pongs without payload: 6 bytes each, valid, and due no answer.
    EmptyPongs,
    /// Engine.IO pongs: 7 bytes each, one packet each.
    EnginePongs,
}

impl Abuse {
    pub(crate) const ALL: [Self; 3] = [Self::LargeEvents, Self::EmptyPongs, Self::EnginePongs];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LargeEvents => "1 MB events",
            Self::EmptyPongs => "6 B pongs",
            Self::EnginePongs => "7 B packets",
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::LargeEvents => {
                let text = "x".repeat(LARGE_EVENT);
                masked(Opcode::Text, format!(r#"4210["echo","{text}"]"#).as_bytes())
            }
            Self::EmptyPongs => batch(Opcode::Pong, b""),
            Self::EnginePongs => batch(Opcode::Text, b"3"),
        }
    }
}

fn batch(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(TINY_BATCH);
    while bytes.len() < TINY_BATCH {
        append(&mut bytes, opcode, payload);
    }
    bytes
}

/// The abusive client; dropping it ends it.
pub(crate) struct Abuser {
    stream: TcpStream,
    sent: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Abuser {
    pub(crate) fn start(address: SocketAddr, abuse: Abuse) -> Outcome<Self> {
        let stream = handshake::join_blocking(address)?;
        stream.set_read_timeout(None)?;
        let sent = Arc::new(AtomicU64::new(0));
        let writer = {
            let (mut stream, sent, bytes) = (stream.try_clone()?, sent.clone(), abuse.bytes());
            std::thread::spawn(move || {
                yield_to_honest_clients();
                while stream.write_all(&bytes).is_ok() {
                    sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                }
            })
        };
        let reader = {
            let mut stream = stream.try_clone()?;
            std::thread::spawn(move || {
                yield_to_honest_clients();
                let mut buffer = vec![0; 256 * 1024];
                while let Ok(1..) = stream.read(&mut buffer) {}
            })
        };
        Ok(Self {
            stream,
            sent,
            threads: vec![writer, reader],
        })
    }

    /// Bytes the server or the kernel has taken so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether the server has closed the connection.
    pub(crate) fn is_over(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }
}

impl Drop for Abuser {
    fn drop(&mut self) {
        // Fails only when the server has closed the connection.
        let _ = self.stream.shutdown(Shutdown::Both);
        for thread in self.threads.drain(..) {
            // A panic has been printed.
            let _ = thread.join();
        }
    }
}

/// The load must wait for the server, not for the thread that measures.
fn yield_to_honest_clients() {
    // Without it, latencies are worse for every server alike.
    let _ = lower_own_priority();
}

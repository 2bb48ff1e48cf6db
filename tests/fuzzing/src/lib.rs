//! What must hold for every input, as functions of bytes.
//!
//! libFuzzer calls them from `fuzz/fuzz_targets`, one line each; `cargo test` calls them with every file of the
//! committed seeds and regressions. Each panics when something does not hold. Nothing else may: whatever a peer
//! sends ends in events or in one of the core's named errors.

mod client_bytes;
mod eio_payload;
mod http_head;
mod pair;
mod pieces;
mod script;
mod server_bytes;
mod simulation;
mod sio_packet;
mod ws_frames;
mod ws_oracle;

pub use client_bytes::client_bytes;
pub use eio_payload::eio_payload;
pub use http_head::http_head;
pub use pair::pair;
pub use server_bytes::server_bytes;
pub use sio_packet::sio_packet;
pub use ws_frames::ws_frames;
pub use ws_oracle::{Ending, Outcome, ours, ws_oracle, ws_oracle_for};

/// A function that panics when its invariant does not hold for these bytes.
pub type Target = fn(&[u8]);

/// Every target under the name its corpus has.
pub const TARGETS: [(&str, Target); 8] = [
    ("client_bytes", client_bytes),
    ("eio_payload", eio_payload),
    ("http_head", http_head),
    ("pair", pair),
    ("server_bytes", server_bytes),
    ("sio_packet", sio_packet),
    ("ws_frames", ws_frames),
    ("ws_oracle", ws_oracle),
];

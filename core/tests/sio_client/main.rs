//! The Socket.IO client against a real server, with a clock the tests own.

mod host;
mod pair;
mod raw;
#[path = "../reference/mod.rs"]
mod reference;

mod acks;
mod assembly;
mod attempts;
mod binary;
mod closing;
mod crowd;
mod deliver;
mod hostile;
mod joining;
mod model;
mod namespaces;
mod noise;
mod offline;
mod order;
mod ready;

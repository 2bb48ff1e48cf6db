//! The Socket.IO client against a real server, with a clock the tests own.

#[path = "../interleaving/mod.rs"]
mod interleaving;
mod pair;
mod raw;
#[path = "../reference/mod.rs"]
mod reference;
mod test_server;

mod acks;
mod assembly;
mod attempts;
mod binary;
mod closing;
mod deliver;
mod hostile;
mod joining;
mod many_namespaces;
mod model;
mod namespaces;
mod noise;
mod offline;
mod order;
mod ready;

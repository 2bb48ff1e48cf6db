//! The Socket.IO server against clients made of bytes, with a clock the tests own.

mod client;
#[path = "../interleaving/mod.rs"]
mod interleaving;
mod pair;
#[path = "../reference/mod.rs"]
mod reference;
mod steps;

mod acks;
mod assembly;
mod binary;
mod broadcast;
mod connect;
mod disconnect;
mod echo;
mod model;
mod noise;
mod order;
mod peers;
mod readiness;
mod ready;
mod rooms;
mod violations;

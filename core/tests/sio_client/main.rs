//! The Socket.IO client against a real server, with a clock the tests own.

mod host;
mod pair;
mod raw;

mod acks;
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
mod ready;

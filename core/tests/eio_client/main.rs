//! The Engine.IO client: against our own server, both cores with their wires and a clock the test owns, and
//! against raw bytes.

mod attempts;
mod bytes_on_the_wire;
mod closing;
mod heartbeat;
mod limits;
mod noise;
mod ready;
mod sessions;
mod upgrade;
mod world;

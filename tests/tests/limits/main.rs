//! Every limit is reached over real sockets: what the peer receives, and what the application is told.

mod clients;
mod connections;
mod requests;
mod sessions;
mod sockets;
mod support;

pub(crate) use socketio_tests::on_every_runtime;

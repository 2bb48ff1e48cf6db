//! Socket.IO on plain threads, without an async runtime.
#![forbid(unsafe_code)]

pub mod client;
mod listener;
mod server;
mod serving;
mod threads;
mod wait;

pub use socketio_driver::*;

pub use client::{Client, SimpleClient, connect, connect_simple, start};
pub use listener::IntoListener;
pub use server::Server;
pub use serving::{DROP_GRACE, Serving, serve, serve_engine, start_engine, start_server};
pub use threads::{
    DEFAULT_END_TIMEOUT, DEFAULT_WORKERS, Sleep, Socket as StreamSocket, SocketListener, SocketSource,
    SocketStream, Threads, ThreadsBuilder, ThreadsHandle,
};
pub use wait::Wait;

/// The kind of builders that this binding runs: with plain functions as handlers.
pub type Blocking = socketio_driver::Blocking<Server>;

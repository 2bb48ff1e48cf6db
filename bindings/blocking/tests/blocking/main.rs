//! The binding over real sockets on 127.0.0.1: our own server and our own clients.

mod clients;
mod deadlock;
mod ends;
mod handlers;
mod limits;
mod readiness;
mod support;
mod talk;

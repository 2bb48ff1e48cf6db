//! What the driver guarantees, over real sockets and the public API, on every binding, and on both schedulers of tokio.

mod backpressure;
mod backpressure_ready;
mod calls;
mod emitting;
mod failures;
mod guards;
mod leaks;
mod order;
mod requests;
mod shutdown;
mod support;
mod upgrade;

pub(crate) use socketio_tests::on_every_runtime;

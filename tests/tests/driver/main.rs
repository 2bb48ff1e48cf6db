//! What the driver promises, over real sockets and the public API, on both schedulers of tokio.

mod backpressure;
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

//! What the driver promises, over real sockets and the public API, on every binding, and on
//! both schedulers of tokio.

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

/// Makes one `#[test]` for each [`Ground`](socketio_tests::binding::Ground) and each function named, which takes it.
macro_rules! on_every_ground {
    ($($test:ident),* $(,)?) => {
        mod on_current_thread { crate::on_one_ground!(CurrentThread: $($test),*); }
        mod on_multi_thread { crate::on_one_ground!(MultiThread: $($test),*); }
        mod on_smol { crate::on_one_ground!(Smol: $($test),*); }
        mod on_async_std { crate::on_one_ground!(AsyncStd: $($test),*); }
        mod on_blocking { crate::on_one_ground!(Blocking: $($test),*); }
    };
}
pub(crate) use on_every_ground;

macro_rules! on_one_ground {
    ($ground:ident: $($test:ident),*) => {$(
        #[test]
        fn $test() {
            super::$test(socketio_tests::binding::Ground::$ground);
        }
    )*};
}
pub(crate) use on_one_ground;

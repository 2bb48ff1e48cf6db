//! Every limit is reached over real sockets: what the peer is answered, and what the application is told.

mod clients;
mod connections;
mod requests;
mod sessions;
mod sockets;
mod support;

/// Makes one `#[test]` for each way a server runs and each function named, which takes its
/// [`Ground`](socketio_tests::binding::Ground).
macro_rules! on_every_ground {
    ($($test:ident),* $(,)?) => {
        mod on_tokio { crate::on_one_ground!(MultiThread: $($test),*); }
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

//! The conformance table over the core in a bare event loop, the example `epoll`.

socketio_tests::conformance_tests!("epoll");

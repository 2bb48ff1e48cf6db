//! The conformance table over the blocking binding.

socketio_tests::conformance_tests!("blocking");

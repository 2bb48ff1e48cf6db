//! The conformance table over the async-std binding.

socketio_tests::conformance_tests!("async-std");

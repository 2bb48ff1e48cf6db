//! The conformance table over the smol binding.

socketio_tests::conformance_tests!("smol");

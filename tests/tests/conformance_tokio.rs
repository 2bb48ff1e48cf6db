//! The conformance table over the tokio binding.

socketio_tests::conformance_tests!("tokio");

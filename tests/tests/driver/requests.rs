//! HTTP requests that are not for Socket.IO.

use socketio_tests::binding::TestRuntime;
use socketio_tests::kit::{HttpConnection, Request};
use socketio_tokio::http::StatusCode;
use socketio_tokio::{Response, Server};

use crate::support::TestServer;

crate::on_every_runtime![
    the_client_bundle_is_served_under_the_path_and_leaves_other_paths_to_the_fallback,
    a_client_that_ends_its_side_after_its_request_is_still_answered,
];

/// Any file.
const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

fn the_client_bundle_is_served_under_the_path_and_leaves_other_paths_to_the_fallback(runtime: TestRuntime) {
    let server = TestServer::start(
        runtime,
        Server::builder().client_bundle(BUNDLE).fallback(|head, _| {
            Response::new(StatusCode::OK).with_body("text/plain", format!("own {}", head.path()))
        }),
    );
    let get = |path: &str| HttpConnection::exchange(&server.target, &Request::get(path));
    let bundle = get("/socket.io/socket.io.js");
    assert_eq!(bundle.status, 200);
    assert!(bundle.text().contains("socketio-tests"), "{}", bundle.text());
    for path in ["/socket.io.js", "/assets/socket.io.min.js", "/index.html"] {
        get(path).assert_is(200, &format!("own {path}"));
    }
}

fn a_client_that_ends_its_side_after_its_request_is_still_answered(runtime: TestRuntime) {
    let server = TestServer::start(runtime, Server::builder());
    let mut client = HttpConnection::open(&server.target);
    client.send(&Request::get("/elsewhere"));
    client.finish_writing();
    client.response().assert_is(404, "");
}

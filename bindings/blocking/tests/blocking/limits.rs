//! Connections beyond the limit, and what this crate depends on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use socketio_blocking::{Limits, Server};

use crate::support::{TIMEOUT, started};

#[test]
fn connections_beyond_the_limit_are_answered_503() {
    let mut limits = Limits::default();
    limits.connections = 2;
    let server = started(Server::builder().limits(limits));
    let address = server.url.trim_start_matches("http://").to_owned();
    let ask = || {
        let mut stream = TcpStream::connect(&address).expect("connects");
        stream.set_read_timeout(Some(TIMEOUT)).expect("is set");
        let request = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request).expect("is sent");
        let mut status = [0; 12];
        stream.read_exact(&mut status).expect("answers");
        (stream, String::from_utf8_lossy(&status).into_owned())
    };
    let (first, second) = (ask(), ask());
    assert_eq!(
        (first.1.as_str(), second.1.as_str()),
        ("HTTP/1.1 200", "HTTP/1.1 200")
    );
    let third = ask();
    assert_eq!(third.1, "HTTP/1.1 503");
}

#[test]
fn no_async_runtime_is_below_this_crate() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let tree = Command::new(cargo)
        .args([
            "tree",
            "-p",
            "socketio-blocking",
            "-e",
            "normal",
            "--target",
            "all",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("is text");
    let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(
        names.contains(&"mio") && names.contains(&"socketio-driver"),
        "{names:?}"
    );
    let banned = [
        "tokio",
        "async-std",
        "smol",
        "async-io",
        "async-executor",
        "async-global-executor",
        "async-task",
        "blocking",
        "polling",
        "futures-executor",
        "futures-util",
        "futures",
        "glommio",
        "monoio",
        "pollster",
    ];
    let found: Vec<_> = names.iter().filter(|name| banned.contains(name)).collect();
    assert!(found.is_empty(), "{found:?}");
}

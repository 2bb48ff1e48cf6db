//! The threads that all clients share. Alone in its process, because it counts threads.
#![cfg(target_os = "linux")]

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use socketio_blocking::{Client, Reply, Server, SimpleClient, Wait, connect_simple, start_server};

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("is Linux").count()
}

fn of_clients() -> usize {
    let names = std::fs::read_dir("/proc/self/task")
        .expect("is Linux")
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("socketio-client")).count()
}

/// The system forgets a thread a moment after it was joined.
fn eventually(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{} threads", threads());
        std::thread::yield_now();
    }
}

#[test]
fn the_threads_of_clients_are_made_with_the_first_and_joined_with_the_last() {
    let alone = threads();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    let url = format!("http://{}", listener.local_addr().expect("is bound"));
    let serving = start_server(listener, Server::builder().on("echo", || Reply(1)).build()).expect("starts");
    for _ in 0..2 {
        let before = threads();
        let first = socketio_blocking::connect(Client::builder(url.as_str())).expect("connects");
        let second = connect_simple(SimpleClient::builder(url.as_str())).expect("connects");
        assert_eq!(
            first
                .call::<i64>("echo", &())
                .timeout(Duration::from_secs(20))
                .wait(),
            Ok(1)
        );
        drop(first);
        assert!(threads() > before, "the other client has its threads");
        assert_eq!(
            second
                .call::<i64>("echo", &())
                .timeout(Duration::from_secs(20))
                .wait(),
            Ok(1)
        );
        drop(second);
        // The server may have made workers meanwhile; those of clients are gone.
        eventually(|| of_clients() == 0);
    }
    drop(serving);
    eventually(|| threads() == alone);
}

//! What an executor of one's own leaves behind.
#![cfg(target_os = "linux")]

use std::sync::Arc;

use smol::net::TcpListener;
use socketio_smol::{Client, Server, Smol, engine};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("is Linux").count()
}

#[test]
fn nothing_is_left_of_an_executor_that_is_dropped_while_clients_are_connected() {
    // The reactor of the process has some of its own.
    smol::block_on(async { drop(TcpListener::bind("127.0.0.1:0").await) });
    let before = descriptors();
    let executor = Arc::new(smol::Executor::new());
    let connected = smol::block_on(executor.run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("is bound");
        let server = Server::builder().build();
        let serving = engine::serve(Smol::on(Arc::clone(&executor)), listener, server);
        executor.spawn(async move { drop(serving.await) }).detach();
        let builder = Client::builder(format!("http://{address}"));
        engine::connect(Smol::on(Arc::clone(&executor)), builder)
            .await
            .expect("connects")
    }));
    assert!(descriptors() > before);
    drop(executor);
    assert_eq!(descriptors(), before);
    drop(connected);
}

//! What an idle client costs: live bytes of heap per connection, with real sockets on tokio.

use allocation_counter::{AllocationInfo, measure};
use socketio_tests::kit::{Frame, Request};
use socketio_tokio::{Server, Socket, serve};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// As many as common limits on open files allow with both ends in one process.
const CLIENTS: usize = 500;
/// Connections that are being made at once.
const BURST: usize = 25;
/// Most bytes one client may cost, its share of all tables and its task included.
const LIMIT: usize = 4 * 1024;
/// Bytes of the head that Chromium sends from a page with some cookies.
const HEAD: usize = 800;

/// The request of a browser that is configured for WebSocket only.
fn handshake() -> Vec<u8> {
    let request = Request::upgrade("/socket.io/?EIO=4&transport=websocket")
        .header("Pragma", "no-cache")
        .header("Cache-Control", "no-cache")
        .header(
            "User-Agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        )
        .header("Origin", "http://localhost:3000")
        .header("Accept-Encoding", "gzip, deflate, br, zstd")
        .header("Accept-Language", "en-GB,en;q=0.9,de-DE;q=0.8,de;q=0.7")
        .header("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
    let cookie = HEAD - request.render().len() - "Cookie: session=\r\n".len();
    request
        .header("Cookie", &format!("session={}", "x".repeat(cookie)))
        .render()
}

/// Reads until what came ends so.
fn read_until(stream: &mut TcpStream, end: &[u8]) {
    let mut received = Vec::new();
    let mut piece = [0; 1024];
    while !received.ends_with(end) {
        match stream.read(&mut piece).unwrap() {
            0 => panic!("closed after {:?}", String::from_utf8_lossy(&received)),
            count => received.extend_from_slice(&piece[..count]),
        }
    }
}

/// Connects all clients, exchanges some events, connects to `done` then, and keeps all connections until that is closed.
fn clients(server: SocketAddr, done: SocketAddr) {
    let handshake = handshake();
    let mut streams = Vec::new();
    for _ in 0..CLIENTS / BURST {
        let mut burst: Vec<_> = (0..BURST).map(|_| TcpStream::connect(server).unwrap()).collect();
        for stream in &mut burst {
            stream.write_all(&handshake).unwrap();
        }
        for stream in &mut burst {
            read_until(stream, b"\"maxPayload\":1000000}");
            stream.write_all(&Frame::text("40").encode()).unwrap();
        }
        for stream in &mut burst {
            read_until(stream, b"\"}");
            let hello = Frame::text(r#"42["hello"]"#).encode();
            stream.write_all(&hello.repeat(16)).unwrap();
        }
        for stream in &mut burst {
            read_until(
                stream,
                &Frame::text(r#"42["welcome"]"#).unmasked().encode().repeat(16),
            );
        }
        streams.append(&mut burst);
    }
    let mut done = TcpStream::connect(done).unwrap();
    assert_eq!(done.read(&mut [0]).unwrap(), 0);
}

fn listener(runtime: &Runtime) -> TcpListener {
    runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap()
}

#[test]
fn an_idle_websocket_client_costs_at_most_four_kibibytes() {
    assert_eq!(handshake().len(), HEAD);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (server, done) = (listener(&runtime), listener(&runtime));
    let addresses = (server.local_addr().unwrap(), done.local_addr().unwrap());
    let application = Server::builder()
        .on("hello", |socket: Socket| socket.emit("welcome", &()))
        .build();
    let clients = thread::spawn(move || clients(addresses.0, addresses.1));
    let mut barrier = None;
    let counted = measure(|| {
        runtime.spawn(serve(server, application));
        barrier = Some(runtime.block_on(done.accept()).unwrap());
    });
    let AllocationInfo {
        bytes_current,
        count_current,
        ..
    } = counted;
    let (bytes, count) = (
        bytes_current as usize / CLIENTS,
        count_current as f64 / CLIENTS as f64,
    );
    println!("an idle client costs {bytes} bytes in {count:.2} allocations");
    assert!(bytes <= LIMIT, "{bytes} bytes");
    drop(barrier);
    clients.join().unwrap();
}

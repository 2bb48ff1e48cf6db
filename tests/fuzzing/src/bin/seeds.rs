//! Writes the seeds of every target to `fuzz/seeds`: short scenarios and messages from which a fuzzer goes on.
//!
//! `cargo run -p socketio-fuzzing --bin seeds` writes the same files each time.

use std::path::{Path, PathBuf};
use std::{fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    write(&folder, "http_head", http_head())?;
    write(&folder, "ws_frames", ws_frames(2))?;
    write(&folder, "ws_oracle", ws_frames(1))?;
    write(&folder, "eio_payload", eio_payload())?;
    write(&folder, "sio_packet", sio_packet())?;
    write(&folder, "server_bytes", server_bytes())?;
    write(&folder, "client_bytes", client_bytes())?;
    write(&folder, "pair", pair())
}

fn write(folder: &Path, target: &str, seeds: Vec<Vec<u8>>) -> io::Result<()> {
    let folder: PathBuf = folder.join(target);
    fs::create_dir_all(&folder)?;
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("{number:02}")), seed)?;
    }
    Ok(())
}

fn http_head() -> Vec<Vec<u8>> {
    let requests = [
        "GET /socket.io/?EIO=4&transport=polling&t=abc HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n4abcdGET / HTTP/1.0\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n\
         2;x=y\r\n4a\r\n1\r\nb\r\n0\r\nTrailer: z\r\n\r\n",
        "OPTIONS http://a.example/%41?b=%zz+ HTTP/1.1\r\nHost: a\r\nOrigin: b\r\nCookie: c=d\r\n\r\n",
        "\r\nGET / HTTP/2.0\r\n\r\n",
    ];
    let responses = [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b; Path=/; Secure; Max-Age=5\r\n\r\nok",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.0 302 Found\r\nLocation: /b\r\n\r\nuntil the end",
        "HTTP/1.1 204 No Content\r\n\r\n",
    ];
    let with = |direction: u8, text: &str| [&[direction, 3], text.as_bytes()].concat();
    let requests = requests.iter().map(|text| with(0, text));
    requests
        .chain(responses.iter().map(|text| with(1, text)))
        .collect()
}

/// Streams of frames after `before` bytes of choices; half of them for a server, masked with zeros.
fn ws_frames(before: usize) -> Vec<Vec<u8>> {
    let streams: [&[(u8, &[u8])]; 7] = [
        &[(0x81, b"2probe"), (0x81, b"5")],
        &[(0x82, &[1, 2, 3]), (0x89, b"ping"), (0x8a, b"")],
        &[(0x01, b"4hel"), (0x89, b""), (0x80, b"lo")],
        &[
            (0x02, &[0]),
            (0x00, &[1]),
            (0x80, &[2]),
            (0x88, &[3, 232, b'o', b'k']),
        ],
        &[(0x88, b"")],
        &[(0x81, &[0xc3, 0x28]), (0x81, b"x")],
        &[(0xc1, b"x"), (0x83, b"y")],
    ];
    let masks = [true, false];
    let pairs = streams
        .iter()
        .flat_map(|stream| masks.map(|is_masked| (stream, is_masked)));
    let seeds = pairs.map(|(stream, is_masked)| {
        let mut seed = vec![u8::from(!is_masked); before];
        for (first, payload) in *stream {
            seed.extend([*first, payload.len() as u8 | if is_masked { 0x80 } else { 0 }]);
            seed.extend_from_slice(if is_masked { &[0; 4] } else { &[] });
            seed.extend_from_slice(payload);
        }
        seed
    });
    let mut seeds: Vec<Vec<u8>> = seeds.collect();
    // A length of two bytes, and one that is not in its shortest form.
    seeds.push([&[0; 8][..before], &[0x82, 0xfe, 0, 200, 0, 0, 0, 0], &[7; 200]].concat());
    seeds.push([&[1; 8][..before], &[0x82, 126, 0, 2, 7, 7]].concat());
    seeds
}

fn eio_payload() -> Vec<Vec<u8>> {
    let bodies = [
        "4hello\x1e2probe\x1ebAQIDBA==\x1e6",
        "0{\"sid\":\"x\"}",
        "1\x1e5\x1e3",
        "4\u{e9}\x1e",
        "b-_/+=x",
        "7",
    ];
    bodies.iter().map(|body| body.as_bytes().to_vec()).collect()
}

fn sio_packet() -> Vec<Vec<u8>> {
    let texts = [
        "0",
        "0/chat,{\"token\":\"x\"}",
        "1/chat,",
        "2[\"event\",1,-2.5e3,\"\\u00e9\",null,true,{\"a\":[]}]",
        "2/chat,12[\"event\",\"\\ud83d\\ude00\"]",
        "312[\"done\"]",
        "4/chat,{\"message\":\"no\"}",
        "51-[\"bin\",{\"_placeholder\":true,\"num\":0}]\u{0}",
        "52-/a,7[\"bin\",{\"num\":1,\"_placeholder\":true},[{\"_placeholder\":true,\"num\":0}]]",
        "61-7[{\"_placeholder\":true,\"num\":0}]",
        "2[\"connect\"]",
        "2[\"\\ud800\",1e999]",
    ];
    texts
        .iter()
        .map(|text| [text.as_bytes(), &[0xff, 1, 2, 3, 0xff, 4]].concat())
        .collect()
}

/// Scenarios as bytes: numbers are themselves, `'x'` is a text argument.
fn scenarios(scenarios: &[&str]) -> Vec<Vec<u8>> {
    let word = |word: &str| match word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(text) => [text.as_bytes(), &[0xff]].concat(),
        None => vec![word.parse().expect("a number below 256")],
    };
    let scenario = |text: &&str| text.split_whitespace().flat_map(word).collect();
    scenarios.iter().map(scenario).collect()
}

/// Steps of the scenario in `server_bytes`, by what they do there.
fn server_bytes() -> Vec<Vec<u8>> {
    scenarios(&[
        // A WebSocket: connect, be accepted, an event, an acknowledged event and a broadcast of the server.
        "0  2 2 0  13 '40' 0  32 0  39 0 0 9 1  43 0 2 1 3 232  13 '430[1]' 0  47 0 0 4 0",
        // The same by polling.
        "0  2 0 0  2 9 0 '40'  32 0  2 4 0  39 0 0 9 1  2 9 0 '3'  2 4 0  29 30",
        // An upgrade, an event that wants an acknowledgement, a room.
        "2  2 0 0  2 7 0  13 '2probe' 0  13 '5' 0  13 '40/chat,{\"a\":1}' 0  32 0
         13 '42/chat,1[\"e\",\"x\"]' 0  45 0  50 0 0  47 0 0 4 0",
        // An attachment, and a client that no longer reads.
        "0  2 2 0  13 '40' 0  32 0  13 '451-[\"b\",{\"_placeholder\":true,\"num\":0}]' 0  20 0 3 1 2 3 0
         25 1 0  39 0 0 9 1  39 0 0 9 1  29 30  29 30",
        // The application is asked about the handshake, and disconnects.
        "1  2 2 0  58 0  13 '40' 0  32 0  55 0  29 30",
        // Requests that are not for Socket.IO.
        "4  2 13 0  60 0  2 15 0 'x'  61 0 9  60 0",
        // Requests that a host has read.
        "0  12 0 0  12 9 0 '40'  32 0  12 4 0  39 0 0 9 1",
        // Late timers, lost connections, verbs for many sockets.
        "0  2 2 0  13 '40' 0  32 0  2 2 0  13 '40' 0  32 0  53 0 0 0 0  54 0 0 0 5  31 60  24 0  30 1 0  13 '3' 0",
    ])
}

/// Steps of the scenario in `client_bytes`, by what they do there.
fn client_bytes() -> Vec<Vec<u8>> {
    scenarios(&[
        // A WebSocket: joined, an event, an event and its acknowledgement, an event of the server.
        "1  34 0  5  5  45 0  10 3 ''  50 0 0 9 1  54 0 3 0 3 232  16 '30[1]'  16 '2[\"e\",1]'",
        // Polling, and an event that is delivered at least once.
        "3  34 0  5  5  45 0  5  10 3 ''  50 0 0 9 1  57 0 3 0 3 232 2  5  16 '30[]'",
        // An upgrade.
        "0  34 0  0  10 1 ''  0  10 1 ''  10 1 ''  45 0  10 3 ''  50 0 0 9 1  31 30",
        // Events wait, the connection is lost, and comes back.
        "49  34 0  5  5  50 0 0 9 1  45 0  10 3 ''  28 0  31 30  5  5",
        // An event with an attachment that wants an acknowledgement.
        "1  34 0  5  5  45 0  10 3 ''  16 '51-0[\"b\",{\"_placeholder\":true,\"num\":0}]'  23 2 1 2  61 0 0",
        // Refused, tried again, closed.
        "32  34 0  0  26 0 0 0  31 30  4  31 30  41 0",
    ])
}

/// Steps of the scenario in `pair`: events and acknowledged events of both sides, time, and lost connections.
fn pair() -> Vec<Vec<u8>> {
    let steps =
        "7 0 3  12 1 2 3 232  18 0 9  23 1 2 3 232  16 0 1 3 232 2  4  7 0 1  3 30  7 0 1  27 0  18 0 1
        3 60  28 1  29 1  12 0 1 0 9  30 0  6  7 0 200";
    let choices = ["0 ", "1 ", "2 ", "3 ", "4 "].map(|choice| [choice, steps].concat());
    scenarios(&choices.each_ref().map(String::as_str))
}

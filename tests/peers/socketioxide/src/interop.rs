//! The application that clients are checked with; the contract is in `tests/interop/README.md`.

use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmpv::Value;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeTuple, Serializer};
use serde_json::json;
use socketioxide::extract::{AckSender, Data, SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use socketioxide::{SocketIo, TransportType};

/// How the application is set up.
pub struct Settings {
    pub ping_interval: Duration,
    pub ping_timeout: Duration,
    pub transports: Transports,
}

#[derive(Clone, Copy)]
pub enum Transports {
    Polling,
    WebSocket,
    Both,
}

impl Transports {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "polling" => Some(Self::Polling),
            "websocket" => Some(Self::WebSocket),
            "polling,websocket" => Some(Self::Both),
            _ => None,
        }
    }
}

/// Everything an event carries, as it is sent back: only a tuple has all arguments.
struct Arguments(Vec<Value>);

impl Serialize for Arguments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for value in &self.0 {
            tuple.serialize_element(value).map_err(S::Error::custom)?;
        }
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(usize::MAX, ArgumentsVisitor)
    }
}

struct ArgumentsVisitor;

impl<'de> Visitor<'de> for ArgumentsVisitor {
    type Value = Arguments;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("arguments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut arguments: A) -> Result<Arguments, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = arguments.next_element()? {
            values.push(value);
        }
        Ok(Arguments(values))
    }
}

struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<u64>>>);

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Vec<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds the namespaces of the application.
pub fn install(io: &SocketIo) {
    let notes = Notes::default();
    for namespace in ["/", "/custom"] {
        let notes = notes.clone();
        io.ns(
            namespace,
            async move |socket: SocketRef, auth: TryData<serde_json::Value>| {
                let auth = auth.0.unwrap_or_default();
                welcome(&socket, auth, json!({}), &notes);
            },
        );
    }
    let of_auth = notes.clone();
    let connected = async move |socket: SocketRef, auth: TryData<serde_json::Value>| {
        welcome(
            &socket,
            auth.0.unwrap_or_default(),
            json!({"user": "ada"}),
            &of_auth,
        );
    };
    io.ns("/auth", connected.with(check_token));
    // Its refusals carry a message and nothing else.
    io.ns(
        "/deny",
        (async |_: SocketRef| {}).with(async || Err::<(), _>(Refused("not allowed".to_owned()))),
    );
}

async fn check_token(auth: TryData<serde_json::Value>) -> Result<(), Refused> {
    match auth.0 {
        Ok(auth) if auth.get("token").is_some_and(|token| token == "secret") => Ok(()),
        _ => Err(Refused("invalid token".to_owned())),
    }
}

fn welcome(socket: &SocketRef, auth: serde_json::Value, learned: serde_json::Value, notes: &Notes) {
    let mut greeting = json!({"sid": socket.id, "auth": auth});
    if let (Some(greeting), Some(learned)) = (greeting.as_object_mut(), learned.as_object()) {
        greeting.extend(learned.clone());
    }
    messages(socket);
    records(socket, auth, notes);
    rooms(socket);
    let _ = socket.emit("welcome", &greeting);
}

fn messages(socket: &SocketRef) {
    socket.on("echo", async |socket: SocketRef, Data::<Arguments>(arguments)| {
        let _ = socket.emit("echo", &arguments);
    });
    socket.on(
        "echo-ack",
        async |Data::<Arguments>(arguments), ack: AckSender| {
            let _ = ack.send(&arguments);
        },
    );
    for (name, patience) in [("ask", 10_000), ("ask-briefly", 200)] {
        socket.on(
            name,
            async move |socket: SocketRef, Data::<Arguments>(question)| {
                let patience = Duration::from_millis(patience);
                let asked = socket
                    .timeout(patience)
                    .emit_with_ack::<_, Arguments>("question", &question);
                let answer = match asked {
                    Ok(answer) => answer.await.ok(),
                    Err(_) => None,
                };
                let _ = match answer {
                    Some(answer) => socket.emit("answer", &answer),
                    None => socket.emit("no-answer", &Arguments(Vec::new())),
                };
            },
        );
    }
    socket.on("disconnect-me", async |socket: SocketRef| {
        let _ = socket.disconnect();
    });
}

fn records(socket: &SocketRef, auth: serde_json::Value, notes: &Notes) {
    socket.on("whoami", async move |ack: AckSender| {
        let _ = ack.send(&auth);
    });
    let written = notes.clone();
    socket.on("note", async move |Data::<u64>(number), ack: AckSender| {
        written.lock().push(number);
        let _ = ack.send(&number);
    });
    let read = notes.clone();
    socket.on("notes", async move |ack: AckSender| {
        let _ = ack.send(&*read.lock());
    });
}

fn rooms(socket: &SocketRef) {
    type Said = (String, Value);
    socket.on(
        "join",
        async |socket: SocketRef, Data::<String>(room), ack: AckSender| {
            socket.join(room);
            let _ = ack.send(&Arguments(Vec::new()));
        },
    );
    socket.on(
        "leave",
        async |socket: SocketRef, Data::<String>(room), ack: AckSender| {
            socket.leave(room);
            let _ = ack.send(&Arguments(Vec::new()));
        },
    );
    socket.on(
        "say",
        async |socket: SocketRef, Data::<Said>(said), ack: AckSender| {
            let _ = socket.to(said.0.clone()).emit("said", &said).await;
            let _ = ack.send(&Arguments(Vec::new()));
        },
    );
    socket.on(
        "shout",
        async |socket: SocketRef, Data::<Said>(said), ack: AckSender| {
            let _ = socket.within(said.0.clone()).emit("said", &said).await;
            let _ = ack.send(&Arguments(Vec::new()));
        },
    );
    socket.on("announce", async |socket: SocketRef, Data::<Value>(value)| {
        let _ = socket.broadcast().emit("announced", &value).await;
        let _ = socket.emit("announced", &value);
    });
    socket.on(
        "watch",
        async |socket: SocketRef, Data::<String>(sid), ack: AckSender| {
            socket.join(format!("gone:{sid}"));
            let _ = ack.send(&Arguments(Vec::new()));
        },
    );
    socket.on_disconnect(async |socket: SocketRef| {
        let sid = socket.id.to_string();
        let _ = socket.to(format!("gone:{sid}")).emit("gone", &sid).await;
    });
}

/// The transports as the builder takes them.
pub fn transports(
    builder: socketioxide::SocketIoBuilder,
    chosen: Transports,
) -> socketioxide::SocketIoBuilder {
    match chosen {
        Transports::Polling => builder.transports([TransportType::Polling]),
        Transports::WebSocket => builder.transports([TransportType::Websocket]),
        Transports::Both => builder,
    }
}

/// Ends this process when standard input ends, however the one at its other end did.
pub fn end_with_stdin() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}

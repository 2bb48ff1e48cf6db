//! What the clients in other languages are checked with; the contract is in `tests/interop/README.md`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use socketio_driver::{
    Arg, Args, Arguments, Auth, Config, Data, Error, NamespaceBuilder, Raw, Refusal, Reply, ServerBuilder,
    Socket, State, Transports,
};

use super::calls::{CallingKind, ClientCall};

const ASK: ClientCall = ClientCall {
    event: "ask",
    timeout: Duration::from_secs(10),
    no_answer_event: "no-answer",
};

const ASK_BRIEFLY: ClientCall = ClientCall {
    event: "ask-briefly",
    timeout: Duration::from_millis(200),
    no_answer_event: "no-answer",
};

#[derive(Deserialize)]
struct Credentials {
    token: String,
}

/// The user of a client of `/auth`.
struct User(&'static str);

/// How the application is set up.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Between two pings.
    pub ping_interval: Duration,
    /// How long the answer to one may take.
    pub ping_timeout: Duration,
    /// How long a closed session waits for a poll that it can answer with that.
    pub linger: Duration,
    /// Which transports it accepts.
    pub transports: Transports,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(1),
            ping_timeout: Duration::from_secs(20),
            linger: Duration::from_secs(30),
            transports: Transports::All,
        }
    }
}

/// The value of `--transports`.
#[must_use]
pub fn transports(word: &str) -> Option<Transports> {
    match word {
        "polling" => Some(Transports::Polling),
        "websocket" => Some(Transports::WebSocket),
        "polling,websocket" => Some(Transports::All),
        _ => None,
    }
}

/// The numbers that clients noted, until this process ends.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<u64>>>);

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Vec<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The application `interop`.
#[must_use]
pub fn server<K: CallingKind>(settings: Settings) -> K::Server {
    let mut config = Config::default();
    config.engine.linger = settings.linger;
    ServerBuilder::<K>::new()
        .config(config)
        .state(Notes::default())
        .ping_interval(settings.ping_interval)
        .ping_timeout(settings.ping_timeout)
        .transports(settings.transports)
        .namespace("/", |main| events(main.on_connect(welcome)))
        .namespace("/custom", |custom| events(custom.on_connect(welcome)))
        .namespace("/auth", |auth| {
            events(auth.guard(check_token).on_connect(welcome_user))
        })
        .namespace("/deny", |deny| {
            deny.guard(|| -> Result<(), Refusal> {
                Err(Refusal::new("not allowed").with_data(&json!({"code": 7})))
            })
        })
        .build()
}

fn check_token(auth: Option<Auth<Credentials>>) -> Result<User, Refusal> {
    match auth {
        Some(Auth(credentials)) if credentials.token == "secret" => Ok(User("ada")),
        _ => Err(Refusal::new("invalid token")),
    }
}

fn welcome(socket: Socket, Auth(auth): Auth<Value>) -> Result<(), Error> {
    socket.emit("welcome", &json!({"sid": socket.id(), "auth": auth}))
}

fn welcome_user(socket: Socket, Auth(auth): Auth<Value>, Data(user): Data<User>) -> Result<(), Error> {
    socket.emit(
        "welcome",
        &json!({"sid": socket.id(), "auth": auth, "user": user.0}),
    )
}

/// The events that every namespace has.
fn events<K: CallingKind>(namespace: NamespaceBuilder<K>) -> NamespaceBuilder<K> {
    K::call_client(K::call_client(namespace, ASK), ASK_BRIEFLY)
        .on("echo", |socket: Socket, arguments: Arguments| {
            socket.emit("echo", &arguments)
        })
        .on("echo-ack", |arguments: Arguments| Reply(arguments))
        .on("join", |socket: Socket, Arg(room): Arg<String>| {
            socket.join(&room).map(|()| Reply(()))
        })
        .on("leave", |socket: Socket, Arg(room): Arg<String>| {
            socket.leave(&room).map(|()| Reply(()))
        })
        .on(
            "say",
            |socket: Socket, Args((room, value)): Args<(String, Raw)>| {
                socket
                    .to(&room)
                    .emit("said", &(&room, &value))
                    .map(|()| Reply(()))
            },
        )
        .on(
            "shout",
            |socket: Socket, Args((room, value)): Args<(String, Raw)>| {
                socket
                    .namespace()
                    .to(&room)
                    .emit("said", &(&room, &value))
                    .map(|()| Reply(()))
            },
        )
        .on("announce", |socket: Socket, value: Raw| {
            socket.namespace().emit("announced", &value)
        })
        .on("watch", |socket: Socket, Arg(sid): Arg<String>| {
            socket.join(format!("gone:{sid}")).map(|()| Reply(()))
        })
        .on("whoami", |Auth(auth): Auth<Value>| Reply(auth))
        .on("note", |State(notes): State<Notes>, Arg(number): Arg<u64>| {
            notes.lock().push(number);
            Reply(number)
        })
        .on("notes", |State(notes): State<Notes>| Reply(notes.lock().clone()))
        .on("disconnect-me", |socket: Socket| socket.disconnect())
        .on_disconnect(|socket: Socket| {
            let sid = socket.id();
            socket.namespace().to(format!("gone:{sid}")).emit("gone", &sid)
        })
}

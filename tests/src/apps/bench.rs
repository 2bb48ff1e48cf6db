//! The application that the load generator uses.

use bytes::Bytes;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use socketio_driver::router::Kind;
use socketio_driver::{Arg, Args, Arguments, Raw, Reply, ServerBuilder, Socket};
use std::fmt;

/// How `echo` reads its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// As dynamic trees.
    Value,
    /// Not at all.
    Raw,
    /// Into Rust types.
    Typed,
}

/// What the load generator sends, as types.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Payload {
    Text(String),
    Records(Vec<Record>),
    Binary(Bytes),
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    active: bool,
    address: Address,
    id: u64,
    name: String,
    orders: Vec<Order>,
    parent: Option<u64>,
    tags: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Address {
    city: String,
    geo: Position,
    street: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Position {
    lat: f64,
    lon: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    count: u32,
    item: String,
    price: f64,
}

/// Reads whichever it is at once; `#[serde(untagged)]` would read everything into a buffer first.
impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PayloadVisitor;

        impl<'de> Visitor<'de> for PayloadVisitor {
            type Value = Payload;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text, a list of records, or binary data")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Payload, E> {
                Ok(Payload::Text(text.to_owned()))
            }

            fn visit_bytes<E: de::Error>(self, data: &[u8]) -> Result<Payload, E> {
                Ok(Payload::Binary(Bytes::copy_from_slice(data)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Payload, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(list)).map(Payload::Records)
            }
        }

        deserializer.deserialize_any(PayloadVisitor)
    }
}

impl Data {
    /// Reads the option's value.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "value" => Self::Value,
            "raw" => Self::Raw,
            "typed" => Self::Typed,
            _ => return None,
        })
    }
}

/// The application `bench`.
pub fn server<K: Kind>(data: Data) -> K::Server {
    let builder = ServerBuilder::<K>::new()
        .on("say", |socket: Socket, value: Raw| socket.emit("said", &value))
        .on("cast", |socket: Socket, value: Raw| {
            socket.server().emit("casted", &value)
        })
        .on("join", |socket: Socket, Arg(room): Arg<String>| {
            socket.join(&room).map(|()| Reply(()))
        })
        .on(
            "room",
            |socket: Socket, Args((room, value)): Args<(String, Raw)>| {
                socket.namespace().to(&room).emit("roomed", &value)
            },
        );
    match data {
        Data::Value => builder.on("echo", |arguments: Arguments| {
            arguments
                .to_values()
                .map(|values| Reply(Arguments::from_trees(&values)))
        }),
        Data::Raw => builder.on("echo", |arguments: Arguments| Reply(arguments)),
        Data::Typed => builder.on("echo", |Arg(payload): Arg<Payload>| Reply(payload)),
    }
    .build()
}

//! The one way to the core: everything in this crate names core types through this module.

pub(crate) use socketio_core::Sid as EngineSid;
pub(crate) use socketio_core::eio::{
    CLIENT_BUNDLES, ClientBundle, CloseReason, Config as EngineConfig, ConnId, Delivery, Gate, Peer,
    Readiness, RefusalContext, RequestError, RequestId, SendError, SessionId, Transport, Transports,
    Upgrades,
};
pub(crate) use socketio_core::http::{
    BodyLength, Cookie, Cors, HeadLimits, Method, Query, RequestHead, Response, ResponseDecoder,
    ResponseHead, StatusCode,
};
pub(crate) use socketio_core::json::{Arguments, EncodeError as JsonError, Raw};
pub(crate) use socketio_core::sio::packet::is_reserved;
pub(crate) use socketio_core::sio::{
    AckError, AckId, AckToken, Config, Counts, EmitError, EncodeError, Encoded, Encoder, Event as CoreEvent,
    EventName, Handshake, NamespaceId, Reason, RoomError, Server, SocketId, SocketIo, Target, WriteArguments,
};
pub(crate) use socketio_core::wire::{
    BodyFailure, ClientItem, ClientWire, Codec, Flow, Item, Plain, Reply, Wire,
};
pub(crate) use socketio_core::{Limits, OutBuf, Sid, Text};

pub(crate) use socketio_core::eio::{Event as EngineEvent, Message as EngineMessage, Server as EngineCore};

// The client's half, under names that tell its words from the server's.
pub(crate) use socketio_core::eio::client::{
    CloseReason as ClientCloseReason, Cookies, Fallback as TransportFallback, Remembered,
    Security as ClientSecurity, Target as ClientTarget,
};
pub(crate) use socketio_core::http::Headers;
pub(crate) use socketio_core::sio::client::{
    AckToken as ClientAckToken, Client as ClientCore, Config as ClientConfig, EmitError as ClientEmitError,
    Event as ClientEvent, Initial, JoinError, Reason as ClientReasonKind, Rejoins, Retry,
};

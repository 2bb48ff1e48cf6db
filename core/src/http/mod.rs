//! HTTP/1.1 as far as Engine.IO needs it: heads, bodies, CORS and cookies, for the server's half and the
//! client's.
//!
//! Nothing here knows of sessions or sockets. A server reads heads with [`HeadDecoder`] and writes
//! [`Response`]s, a client writes [`Request`]s and reads with [`ResponseDecoder`]; both read bodies with
//! [`BodyDecoder`]. Decoders take bytes from the front of a read buffer, in whatever pieces they
//! arrive, and leave what belongs to the next message. [`httparse`] does the grammar; the rules
//! against request smuggling (RFC 9112 sections 6.3 and 11.2) stand in this module.
//!
//! A host that parsed HTTP itself builds the same [`RequestHead`] with [`RequestHead::from_parts`].

mod body;
mod client;
mod cookie;
mod cors;
mod decoder;
mod error;
mod fields;
mod framing;
mod head;
mod head_reader;
mod headers;
mod method;
mod query;
mod response;
mod status;
mod syntax;
mod websocket;

pub use body::{BodyChunk, BodyDecoder, BodyLength, EXTENSION_BYTES, TRAILER_BYTES};
pub use client::{
    CookieJar, MAX_COOKIE_BYTES, MAX_COOKIES, Request, RequestKind, ResponseDecoder, ResponseHead,
};
pub use cookie::{Cookie, CookieBuilder, CookieError, SameSite};
pub use cors::{AllowedHeaders, Cors, CorsBuilder, CorsError, CorsOrigin};
pub use decoder::{HeadDecoder, HeadLimits};
pub use error::{BodyError, HeadError, HeaderError};
pub use head::{HeaderIter, MAX_HEAD_BYTES, MAX_HEADERS, RequestHead};
pub use headers::Headers;
pub use method::{Method, Version};
pub use query::Query;
pub use response::{Body, Response, continue_line, switching_protocols};
pub use status::StatusCode;
pub use websocket::{WebSocketRefusal, WebSocketRequest};

//! Errors and reasons as people read them: every one says something, and no two of a kind the same.

use socketio_core::eio::client as eio_client;
use socketio_core::eio::payload::PayloadError;
use socketio_core::eio::{self, RequestError};
use socketio_core::http::{
    BodyError, CookieError, CorsError, HeadError, HeaderError, Method, StatusCode, WebSocketRefusal,
};
use socketio_core::json::{self, JsonError};
use socketio_core::sio::client as sio_client;
use socketio_core::sio::{self, AckError, NamespaceError, PacketError, RoomError, Violation};
use socketio_core::wire::{BodyFailure, ClientWireError, WireError};
use socketio_core::ws::{CloseCode, FrameError};
use std::collections::BTreeSet;
use std::fmt::Display;

/// One line of text each, without an end that belongs to whoever shows it, and all of them different.
#[track_caller]
fn assert_told_apart<T: Display>(errors: impl IntoIterator<Item = T>) {
    let mut texts = BTreeSet::new();
    for error in errors {
        let text = error.to_string();
        assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
        assert!(!text.ends_with(['.', ' ', ':']), "{text:?}");
        assert!(texts.insert(text.clone()), "{text:?} is said of two things");
    }
}

#[test]
fn what_is_wrong_with_http_is_named() {
    use HeadError::*;
    let heads = [
        MalformedRequestLine,
        MalformedStatusLine,
        UnsupportedVersion,
        MalformedHeaderName,
        MalformedHeaderValue,
        BareLineFeed,
        BareCarriageReturn,
        HeadTooLarge,
        TooManyHeaders,
        TargetTooLong,
        MissingHost,
        RepeatedHost,
        InvalidContentLength,
        ConflictingContentLengths,
        LengthAndTransferEncoding,
        UnknownTransferEncoding,
        TransferEncodingInHttp10,
        UnknownExpectation,
        LineBreakInPart,
    ];
    assert_told_apart(heads);
    assert_told_apart(heads.map(WireError::Head));
    assert!(
        heads
            .map(HeadError::status)
            .iter()
            .all(|status| status.as_u16() >= 400)
    );
}

#[test]
fn what_is_wrong_with_bodies_headers_and_handshakes_is_named() {
    assert_told_apart([
        BodyError::InvalidChunkSize,
        BodyError::ChunkSizeOverflow,
        BodyError::MissingLineEnd,
        BodyError::MissingChunkEnd,
        BodyError::MalformedExtension,
        BodyError::ExtensionTooLong,
        BodyError::MalformedTrailer,
        BodyError::TrailerTooLong,
    ]);
    assert_told_apart([
        HeaderError::InvalidName,
        HeaderError::InvalidValue,
        HeaderError::Reserved,
    ]);
    assert_told_apart([CookieError::InvalidName, CookieError::InvalidAttribute]);
    assert_told_apart([
        CorsError::CredentialsWithAnyOrigin,
        CorsError::InvalidOrigin,
        CorsError::InvalidMethod,
        CorsError::InvalidHeaderName,
    ]);
    let refusals = [
        WebSocketRefusal::MethodNotGet,
        WebSocketRefusal::InvalidKey,
        WebSocketRefusal::UnsupportedVersion,
        WebSocketRefusal::HasBody,
    ];
    assert_told_apart(refusals);
    assert_told_apart(refusals.map(WebSocketRefusal::message));
    for refusal in refusals {
        assert_eq!(refusal.response().status(), refusal.status());
    }
    let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    assert_told_apart(methods.map(|name| {
        let head = socketio_core::http::RequestHead::from_parts(name, "/", [("host", &b"a"[..])]);
        let method: Method = head.unwrap().method();
        assert_eq!(method.as_str(), name);
        method
    }));
}

#[test]
fn what_is_wrong_with_frames_and_connections_is_named() {
    use FrameError::*;
    let frames = [
        ReservedBits,
        ReservedOpCode,
        Unmasked,
        Masked,
        FragmentedControl,
        ControlTooLong,
        LengthNotMinimal,
        LengthTopBit,
        UnexpectedContinuation,
        ExpectedContinuation,
        TruncatedCloseCode,
        InvalidCloseCode,
        InvalidUtf8,
        TooLarge,
    ];
    assert_told_apart(frames);
    assert_told_apart(frames.map(WireError::Frame));
    assert!(
        frames
            .map(FrameError::close_code)
            .iter()
            .all(|code| code.is_valid_on_wire())
    );
    assert_told_apart([1000, 1001, 1002, 1007, 1009, 1011, 3000].map(CloseCode::new));
    assert_told_apart([
        ClientWireError::Request(HeaderError::InvalidName),
        ClientWireError::Head(HeadError::BareLineFeed),
        ClientWireError::Body(BodyError::MissingLineEnd),
        ClientWireError::BodyTooLarge,
        ClientWireError::Truncated,
        ClientWireError::Unasked,
        ClientWireError::Handshake,
        ClientWireError::ContentEncoding,
        ClientWireError::Frame(Masked),
    ]);
}

#[test]
fn what_is_wrong_with_packets_and_json_is_named() {
    assert_told_apart([eio::PacketError::Empty, eio::PacketError::UnknownType]);
    assert_told_apart([
        PayloadError::EmptyPacket,
        PayloadError::UnknownType,
        PayloadError::InvalidUtf8,
        PayloadError::TooManyPackets,
    ]);
    assert_told_apart([
        PacketError::Empty,
        PacketError::UnknownType(b'7'),
        PacketError::UnknownType(b'x'),
        PacketError::IllegalAttachments,
        PacketError::TooManyAttachments,
        PacketError::InvalidNamespace,
        PacketError::IdOverflow,
        PacketError::InvalidPayload,
        PacketError::TooDeep,
        PacketError::ReservedEvent,
        PacketError::IncompleteAck,
    ]);
}

#[test]
fn what_is_wrong_with_json_is_named() {
    assert_told_apart([
        JsonError::UnexpectedEnd,
        JsonError::UnexpectedByte,
        JsonError::InvalidNumber,
        JsonError::InvalidEscape,
        JsonError::ControlCharacter,
        JsonError::TooDeep,
        JsonError::TrailingCharacters,
        JsonError::NotAnArray,
        JsonError::IllegalPlaceholder,
    ]);
    let message = || Box::from("why");
    use json::DecodeError;
    assert_told_apart([
        DecodeError::Syntax { at: 1 },
        DecodeError::NotUtf8 { at: 1 },
        DecodeError::TooDeep { at: 1 },
        DecodeError::LoneSurrogate { at: 1 },
        DecodeError::Placeholder { at: 1 },
        DecodeError::AttachmentsRepeated,
        DecodeError::Surplus { at: 1 },
        DecodeError::MissingArgument { index: 1 },
        DecodeError::Argument {
            index: 1,
            message: message(),
        },
        DecodeError::Message(message()),
    ]);
    let encode = [
        json::EncodeError::KeyNotText,
        json::EncodeError::Message(message()),
    ];
    assert_told_apart(encode.clone());
    assert_told_apart(encode.map(sio::EncodeError::Arguments));
    assert_told_apart([
        sio::EncodeError::ReservedEvent,
        sio::EncodeError::InvalidNamespace,
        sio::EncodeError::InvalidData,
        sio::EncodeError::UnexpectedBinary,
        sio::EncodeError::TooManyAttachments,
    ]);
}

#[test]
fn what_a_verb_refuses_is_named() {
    use sio::EmitError;
    assert_told_apart([
        EmitError::Disconnected,
        EmitError::QueueFull,
        EmitError::Dropped,
        EmitError::TooManyAcks,
        EmitError::AlreadyNumbered,
    ]);
    let emits = [
        sio_client::EmitError::NotConnected,
        sio_client::EmitError::BufferFull,
        sio_client::EmitError::QueueFull,
        sio_client::EmitError::Dropped,
        sio_client::EmitError::TooLarge { limit: 9 },
        sio_client::EmitError::TooManyAcks,
        sio_client::EmitError::AlreadyNumbered,
    ];
    assert_told_apart(emits);
    assert_told_apart([
        eio::SendError::Closed,
        eio::SendError::QueueFull,
        eio::SendError::Dropped,
    ]);
    assert_told_apart([
        eio_client::SendError::Closed,
        eio_client::SendError::QueueFull,
        eio_client::SendError::Dropped,
        eio_client::SendError::TooLarge { limit: 9 },
    ]);
    assert_told_apart([
        RoomError::Disconnected,
        RoomError::Private,
        RoomError::NameTooLong,
        RoomError::TooManyRooms,
    ]);
    assert_told_apart([NamespaceError::InvalidName, NamespaceError::Duplicate]);
    assert_told_apart([AckError::TimedOut, AckError::Disconnected, AckError::NotSent]);
    let join = |message: &str| sio_client::JoinError::Refused {
        message: message.to_owned(),
        data: None,
    };
    assert_told_apart([
        join("no entry"),
        sio_client::JoinError::OldServer,
        sio_client::JoinError::TimedOut,
        sio_client::JoinError::Abandoned,
        sio_client::JoinError::NotSent(sio_client::EmitError::QueueFull),
    ]);
}

#[test]
fn a_refused_request_has_the_number_and_the_words_of_the_protocol() {
    let errors = [
        RequestError::TransportUnknown,
        RequestError::SessionUnknown,
        RequestError::BadHandshakeMethod,
        RequestError::BadRequest,
        RequestError::Forbidden("no entry".to_owned()),
        RequestError::UnsupportedVersion,
    ];
    assert_eq!(errors.each_ref().map(RequestError::code), [0, 1, 2, 3, 4, 5]);
    assert_eq!(errors[4].message(), "no entry");
    assert_told_apart(errors);
}

fn violations() -> Vec<Violation> {
    vec![
        Violation::Packet(PacketError::TooManyAttachments),
        Violation::Packet(PacketError::TooDeep),
        Violation::AttachmentOutOfTurn,
        Violation::AlreadyJoined,
        Violation::NotJoined,
        Violation::ServerPacket,
        Violation::TooMuchBeforeJoining,
        Violation::SidTooLong,
    ]
}

#[test]
fn why_somebody_was_refused_names_the_limit_and_the_cure() {
    use eio::RefusalContext::*;
    let limits = [
        (TooManyConnections, "Limits::connections", Some(503)),
        (TooManyFromAddress, "Limits::connections_per_address", Some(429)),
        (TooManyHalfOpen, "Limits::half_open", Some(408)),
        (TooManySessions, "Limits::sessions", Some(503)),
        (
            Head(HeadError::HeadTooLarge),
            "Limits::head.head_bytes",
            Some(431),
        ),
        (Head(HeadError::TooManyHeaders), "Limits::head.headers", Some(431)),
        (
            Head(HeadError::TargetTooLong),
            "Limits::head.target_bytes",
            Some(414),
        ),
        (HeadTimedOut, "Limits::head_timeout", Some(408)),
        (Body(BodyFailure::TooLarge), "max_payload", Some(413)),
        (BodyTimedOut, "Limits::body_timeout", Some(408)),
        (TooManyNamespaces, "Limits::namespaces_per_client", None),
        (TooManySockets, "Limits::sockets", None),
        (AuthTooLarge, "Limits::auth_bytes", None),
        (NothingJoined, "connect_timeout", None),
        (
            Violation(sio::Violation::Packet(PacketError::TooDeep)),
            "Limits::json_depth",
            None,
        ),
        (
            Violation(sio::Violation::Packet(PacketError::TooManyAttachments)),
            "Limits::attachments",
            None,
        ),
    ];
    for (context, limit, status) in limits {
        assert!(context.to_string().contains(limit), "{context}");
        assert_eq!(context.status().map(StatusCode::as_u16), status, "{context}");
    }
    let others = [
        Transport,
        InvalidOrigin,
        UnknownSession,
        TransportMismatch,
        ProtocolMismatch,
        Method,
        TransportHandshake,
        Forbidden,
        Version,
        Unavailable,
        Head(HeadError::MissingHost),
        Body(BodyFailure::Broken(BodyError::MissingLineEnd)),
        Body(BodyFailure::Incomplete),
        Violation(sio::Violation::NotJoined),
    ];
    assert_told_apart(limits.map(|(context, ..)| context).into_iter().chain(others));
}

#[test]
fn why_a_client_was_thrown_out_is_told_beside_the_word_of_the_protocol() {
    assert_told_apart(violations());
    let close: fn(Violation) -> sio::Reason = sio::Reason::ForcedClose;
    for (word, reason) in [
        ("forced close", close),
        ("forced server close", sio::Reason::ForcedServerClose),
    ] {
        for violation in violations() {
            assert_eq!(reason(violation).as_str(), word);
            assert_eq!(reason(violation).to_string(), format!("{word} ({violation})"));
        }
        assert_told_apart(violations().into_iter().map(reason));
    }
    let deep = sio::Reason::ForcedClose(Violation::Packet(PacketError::TooDeep));
    assert!(deep.to_string().contains("raise Limits::json_depth"), "{deep}");
    let slow = eio::CloseReason::SlowConsumer.to_string();
    assert!(slow.contains("Limits::queued_bytes"), "{slow}");
}

#[test]
fn what_a_server_answers_says_which_limit_of_it_was_reached() {
    let status = |code| StatusCode::new(code).unwrap();
    let of = |code| eio_client::CloseReason::Refused(status(code)).to_string();
    for (code, cure) in [
        (408, "in time"),
        (413, "send less"),
        (414, "shorter query"),
        (429, "from this address"),
        (431, "shorter headers"),
        (503, "try later"),
    ] {
        assert!(
            of(code).contains(&code.to_string()) && of(code).contains(cure),
            "{}",
            of(code)
        );
    }
    assert!(of(403).contains("credentials"));
}

#[test]
fn why_something_ended_is_told_in_the_words_of_the_protocol() {
    use eio::CloseReason::*;
    let server = [
        OverlappingPoll,
        OverlappingPost,
        InvalidContent,
        PollLost,
        PostLost,
        PostTimedOut,
        InvalidHeartbeat,
        BadFrame(FrameError::Unmasked),
        BadFrame(FrameError::InvalidUtf8),
        MessageTooLarge,
        SlowConsumer,
        PingTimeout,
        ParseError(PayloadError::EmptyPacket),
        ParseError(PayloadError::TooManyPackets),
        ForcedClose,
        TransportClose,
        ServerShuttingDown,
    ];
    let known = [
        "transport close",
        "transport error",
        "ping timeout",
        "parse error",
        "forced close",
        "server shutting down",
    ];
    for reason in server {
        assert!(known.contains(&reason.as_str()), "{}", reason.as_str());
        assert!(
            sio::Reason::Session(reason)
                .to_string()
                .starts_with(reason.as_str())
        );
        assert_eq!(sio::Reason::Session(reason).as_str(), reason.as_str());
        if let Some(detail) = reason.detail() {
            assert!(reason.to_string().contains(detail));
        }
    }
    assert_told_apart(server);
}

#[test]
fn why_a_connection_of_a_client_ended_is_told_apart() {
    let client = [
        eio_client::CloseReason::DialFailed,
        eio_client::CloseReason::ConnectTimedOut,
        eio_client::CloseReason::UpgradeTimedOut,
        eio_client::CloseReason::Refused(StatusCode::BAD_REQUEST),
        eio_client::CloseReason::Redirected(StatusCode::NOT_FOUND),
        eio_client::CloseReason::InvalidHandshake,
        eio_client::CloseReason::TransportClose,
        eio_client::CloseReason::ConnectionLost,
        eio_client::CloseReason::RequestFailed(StatusCode::BAD_REQUEST),
        eio_client::CloseReason::RequestTimedOut,
        eio_client::CloseReason::BadResponse(ClientWireError::Truncated),
        eio_client::CloseReason::ParseError(PayloadError::EmptyPacket),
        eio_client::CloseReason::PingTimeout,
        eio_client::CloseReason::ForcedClose,
    ];
    assert_told_apart(client);
    assert_told_apart(client.map(sio_client::Reason::Engine));
    assert_told_apart([
        sio_client::Reason::ServerDisconnect,
        sio_client::Reason::ClientDisconnect,
        sio_client::Reason::Refused,
        sio_client::Reason::ParseError(Violation::NotJoined),
        sio_client::Reason::JoinTimedOut,
        sio_client::Reason::Abandoned,
    ]);
}

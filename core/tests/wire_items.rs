//! Which items end a session or connection: what drivers ask before they let go of an item's handlers.

use socketio_core::eio::payload::PayloadError;
use socketio_core::eio::{Message, Packet};
use socketio_core::http::HeadError;
use socketio_core::wire::{BodyFailure, ClientItem, ClientWireError, Codec, Item, Plain, WireError};
use socketio_core::{Text, sio};

#[test]
fn an_end_or_a_broken_rule_is_the_last_item_of_a_server() {
    let is_last = |item: Item| item.is_last(Plain::is_violation);
    for item in [
        Item::Close,
        Item::Malformed(PayloadError::EmptyPacket),
        Item::Closed(None),
        Item::Failed(WireError::Head(HeadError::HeadTooLarge)),
    ] {
        assert!(is_last(item));
    }
    for item in [
        Item::Message(Message::Text("a".into())),
        Item::Ping(Text::default()),
        Item::Pong,
        Item::Upgrade,
        Item::Ignored,
        Item::KeepAlive,
        Item::BodyEnd,
        Item::Body(Default::default()),
        Item::BodyFailed(BodyFailure::TooLarge),
    ] {
        assert!(!is_last(item));
    }
}

#[test]
fn an_end_or_a_broken_rule_is_the_last_item_of_a_client() {
    let is_last = |item: ClientItem| item.is_last(Plain::is_violation);
    for item in [
        ClientItem::Close,
        ClientItem::Malformed(PayloadError::UnknownType),
        ClientItem::Closed(None),
        ClientItem::Failed(ClientWireError::Unasked),
    ] {
        assert!(is_last(item));
    }
    for item in [
        ClientItem::Open(Text::default()),
        ClientItem::Message(Message::Binary(Default::default())),
        ClientItem::Ping(Text::default()),
        ClientItem::Pong(Text::default()),
        ClientItem::Noop,
        ClientItem::Ignored,
        ClientItem::ErrorBody(Default::default()),
        ClientItem::End,
        ClientItem::Unanswered,
        ClientItem::KeepAlive,
    ] {
        assert!(!is_last(item));
    }
}

#[test]
fn a_packet_of_socket_io_that_can_not_be_read_is_the_last() {
    let codec = sio::SocketIo::default();
    let item = |text: &str| match Packet::decode_text(text.into()) {
        Ok(Packet::Message(message)) => Item::Message(codec.decode(message)),
        other => panic!("{other:?}"),
    };
    assert!(item("4x").is_last(sio::SocketIo::is_violation));
    assert!(!item("42[\"a\"]").is_last(sio::SocketIo::is_violation));
    assert!(!item("bAQ==").is_last(sio::SocketIo::is_violation));
}

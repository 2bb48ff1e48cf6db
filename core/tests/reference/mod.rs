//! What a peer's stream of packets and attachments means, written as naively as the specification says it (protocol
//! section 3.3), and streams that are mostly sound. The tests of the server and of the client compare with it.

use proptest::prelude::*;
use socketio_core::json::Arguments;
use socketio_core::sio::AckId;
use std::collections::BTreeSet;

/// The namespaces that the peer is in.
pub(crate) const NAMESPACES: [&str; 2] = ["/", "/chat"];

/// So many acknowledgements are waited for in each namespace, from number 0 on.
pub(crate) const PENDING_ACKS: u64 = 3;

/// One Engine.IO message, or a heartbeat.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Header(Header),
    Attachment(Vec<u8>),
    /// A packet of Engine.IO, which is no part of the stream.
    Heartbeat,
}

/// A packet, which `attachments` belong to.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    /// One of [`NAMESPACES`].
    pub(crate) namespace: usize,
    pub(crate) number: Option<u64>,
    pub(crate) attachments: usize,
    /// Which attachments the arguments show, one each.
    pub(crate) shown: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Event,
    Ack,
}

/// An event of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Event {
        namespace: usize,
        number: Option<u64>,
        attachments: Vec<Vec<u8>>,
    },
    Acked {
        namespace: usize,
        number: u64,
        attachments: Vec<Vec<u8>>,
    },
    /// The peer broke a rule, and nothing of what follows is received.
    Closed,
}

impl Received {
    /// An event for one of `namespaces`, which are in the order of [`NAMESPACES`].
    pub(crate) fn event<T: PartialEq>(
        namespaces: &[T],
        namespace: &T,
        number: Option<u64>,
        arguments: &Arguments,
    ) -> Self {
        Self::Event {
            namespace: namespaces.iter().position(|own| own == namespace).unwrap(),
            number,
            attachments: attachments_of(arguments),
        }
    }

    /// One of `acks`, of which the first [`PENDING_ACKS`] are those of the first namespace.
    pub(crate) fn acked(acks: &[AckId], ack: AckId, arguments: &Arguments) -> Self {
        let index = acks.iter().position(|own| *own == ack).unwrap() as u64;
        Self::Acked {
            namespace: (index / PENDING_ACKS) as usize,
            number: index % PENDING_ACKS,
            attachments: attachments_of(arguments),
        }
    }
}

impl Header {
    /// The packet of Socket.IO, without Engine.IO's `4`.
    pub(crate) fn text(&self) -> String {
        let kind = match (self.kind, self.attachments) {
            (Kind::Event, 0) => "2".to_owned(),
            (Kind::Ack, 0) => "3".to_owned(),
            (Kind::Event, many) => format!("5{many}-"),
            (Kind::Ack, many) => format!("6{many}-"),
        };
        let namespace = match NAMESPACES[self.namespace] {
            "/" => String::new(),
            name => format!("{name},"),
        };
        let number = self.number.map(|number| number.to_string()).unwrap_or_default();
        let shown = self.shown.iter();
        let placeholders = shown.map(|number| format!("{{\"_placeholder\":true,\"num\":{number}}}"));
        let name = (self.kind == Kind::Event).then(|| "\"e\"".to_owned());
        let list: Vec<String> = name.into_iter().chain(placeholders).collect();
        format!("{kind}{namespace}{number}[{}]", list.join(","))
    }
}

fn attachments_of(arguments: &Arguments) -> Vec<Vec<u8>> {
    let attachments: Vec<bytes::Bytes> = arguments.iter().map(|each| each.parse().unwrap()).collect();
    attachments.into_iter().map(Vec::from).collect()
}

/// What the application receives of a stream.
pub(crate) fn expected(items: &[Item]) -> Vec<Received> {
    let mut received = Vec::new();
    let mut pending: BTreeSet<(usize, u64)> = (0..NAMESPACES.len())
        .flat_map(|namespace| (0..PENDING_ACKS).map(move |number| (namespace, number)))
        .collect();
    let mut unfinished: Option<(Header, Vec<Vec<u8>>)> = None;
    for item in items {
        let finished = match (item, unfinished.take()) {
            (Item::Heartbeat, before) => {
                unfinished = before;
                continue;
            }
            (Item::Header(header), None) if header.shown.iter().all(|shown| *shown < header.attachments) => {
                (header.clone(), Vec::new())
            }
            (Item::Attachment(data), Some((header, mut attachments))) => {
                attachments.push(data.clone());
                (header, attachments)
            }
            // A placeholder for nothing, a packet within a packet, an attachment of nothing.
            (Item::Header(_), _) | (Item::Attachment(_), None) => {
                received.push(Received::Closed);
                return received;
            }
        };
        if finished.1.len() < finished.0.attachments {
            unfinished = Some(finished);
            continue;
        }
        let (header, attachments) = finished;
        let shown = header.shown.iter().map(|number| attachments[*number].clone());
        let (namespace, attachments) = (header.namespace, shown.collect());
        match (header.kind, header.number) {
            (Kind::Event, number) => received.push(Received::Event {
                namespace,
                number,
                attachments,
            }),
            (Kind::Ack, Some(number)) if pending.remove(&(namespace, number)) => {
                received.push(Received::Acked {
                    namespace,
                    number,
                    attachments,
                })
            }
            // The application does not wait for it.
            (Kind::Ack, _) => {}
        }
    }
    received
}

fn header() -> impl Strategy<Value = Header> {
    let kind = prop::sample::select(vec![Kind::Event, Kind::Event, Kind::Ack]);
    let number = prop::option::of(0..PENDING_ACKS + 2);
    (kind, 0..NAMESPACES.len(), number, 0..4_usize).prop_flat_map(|(kind, namespace, number, attachments)| {
        // Rarely one that names nothing; some are shown twice, some not at all.
        let shown = (0..50_usize).prop_map(move |drawn| match drawn {
            0 => attachments,
            _ => drawn % attachments.max(1),
        });
        let max = if attachments == 0 { 1 } else { 5 };
        prop::collection::vec(shown, 0..max).prop_map(move |shown| Header {
            kind,
            namespace,
            number: match kind {
                Kind::Event => number,
                Kind::Ack => Some(number.unwrap_or(0)),
            },
            attachments,
            shown,
        })
    })
}

fn attachment() -> impl Strategy<Value = Item> {
    prop::collection::vec(any::<u8>(), 0..6).prop_map(Item::Attachment)
}

/// A packet with all that belongs to it, and heartbeats between.
fn packet() -> impl Strategy<Value = Vec<Item>> {
    header().prop_flat_map(|header| {
        let attachments =
            prop::collection::vec((attachment(), prop::bool::weighted(0.1)), header.attachments);
        attachments.prop_map(move |attachments| {
            let mut items = vec![Item::Header(header.clone())];
            for (attachment, is_late) in attachments {
                items.extend(is_late.then_some(Item::Heartbeat));
                items.push(attachment);
            }
            items
        })
    })
}

/// What is wrong with a stream.
#[derive(Clone, Debug)]
enum Flaw {
    Missing,
    Twice,
    Exchanged,
}

/// Packets of which all is there and in order, or but for few.
pub(crate) fn streams() -> impl Strategy<Value = Vec<Item>> {
    let packets = prop::collection::vec(packet(), 0..12);
    let flaw = prop::sample::select(vec![Flaw::Missing, Flaw::Twice, Flaw::Exchanged]);
    let flaws = prop_oneof![
        2 => Just(Vec::new()),
        1 => prop::collection::vec((flaw, any::<prop::sample::Index>()), 1..3),
    ];
    (packets, flaws).prop_map(|(packets, flaws)| {
        let mut items = packets.concat();
        for (flaw, index) in flaws {
            if items.len() < 2 {
                break;
            }
            let index = index.index(items.len() - 1);
            match flaw {
                Flaw::Missing => drop(items.remove(index)),
                Flaw::Twice => items.insert(index, items[index].clone()),
                Flaw::Exchanged => items.swap(index, index + 1),
            }
        }
        items
    })
}

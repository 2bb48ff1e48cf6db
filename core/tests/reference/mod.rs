//! What a peer's stream of packets and attachments means, written as naively as the specification says it (protocol
//! section 3.3), and streams that are mostly sound. The tests of the server and of the client compare with it.

use proptest::prelude::*;
use socketio_core::json::Arguments;
use std::collections::BTreeSet;

/// The namespaces that the peer is in.
pub(crate) const NAMESPACES: [&str; 2] = ["/", "/chat"];

/// So many acknowledgements are owed in each namespace, from number 0 on.
pub(crate) const ASKED: u64 = 3;

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

/// What the application hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Event {
        namespace: usize,
        number: Option<u64>,
        shown: Vec<Vec<u8>>,
    },
    Acked {
        namespace: usize,
        number: u64,
        shown: Vec<Vec<u8>>,
    },
    /// The peer broke a rule, and nothing of what follows is heard.
    Closed,
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

/// The attachments that an event's arguments, or an answer's, are.
pub(crate) fn shown(arguments: &Arguments) -> Vec<Vec<u8>> {
    let shown: Vec<bytes::Bytes> = arguments.iter().map(|each| each.parse().unwrap()).collect();
    shown.into_iter().map(Vec::from).collect()
}

/// What is told about a stream.
pub(crate) fn expected(items: &[Item]) -> Vec<Told> {
    let mut told = Vec::new();
    let mut owed: BTreeSet<(usize, u64)> = (0..NAMESPACES.len())
        .flat_map(|namespace| (0..ASKED).map(move |number| (namespace, number)))
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
                told.push(Told::Closed);
                return told;
            }
        };
        if finished.1.len() < finished.0.attachments {
            unfinished = Some(finished);
            continue;
        }
        let (header, attachments) = finished;
        let shown = header.shown.iter().map(|number| attachments[*number].clone());
        let (namespace, shown) = (header.namespace, shown.collect());
        match (header.kind, header.number) {
            (Kind::Event, number) => told.push(Told::Event {
                namespace,
                number,
                shown,
            }),
            (Kind::Ack, Some(number)) if owed.remove(&(namespace, number)) => told.push(Told::Acked {
                namespace,
                number,
                shown,
            }),
            // Nobody waits for it.
            (Kind::Ack, _) => {}
        }
    }
    told
}

fn header() -> impl Strategy<Value = Header> {
    let kind = prop::sample::select(vec![Kind::Event, Kind::Event, Kind::Ack]);
    let number = prop::option::of(0..ASKED + 2);
    (kind, 0..NAMESPACES.len(), number, 0..4_usize).prop_flat_map(|(kind, namespace, number, attachments)| {
        // Rarely one that names nothing; some are shown twice, some not at all.
        let shown = (0..50_usize).prop_map(move |drawn| match drawn {
            0 => attachments,
            _ => drawn % attachments.max(1),
        });
        let most = if attachments == 0 { 1 } else { 5 };
        prop::collection::vec(shown, 0..most).prop_map(move |shown| Header {
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
        for (flaw, place) in flaws {
            if items.len() < 2 {
                break;
            }
            let place = place.index(items.len() - 1);
            match flaw {
                Flaw::Missing => drop(items.remove(place)),
                Flaw::Twice => items.insert(place, items[place].clone()),
                Flaw::Exchanged => items.swap(place, place + 1),
            }
        }
        items
    })
}

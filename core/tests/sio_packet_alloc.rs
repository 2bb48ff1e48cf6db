//! Packets cost no allocation in the steady state.

use allocation_counter::{AllocationInfo, measure};
use bytes::BytesMut;
use socketio_core::Text;
use socketio_core::sio::encode::{Encoder, RawArguments};
use socketio_core::sio::packet::{Packet, PacketLimits, decode};

fn allocations(run: impl FnOnce()) -> u64 {
    let AllocationInfo { count_total, .. } = measure(run);
    count_total
}

#[test]
fn encoding_small_packets_allocates_nothing_once_warm() {
    let mut encoder = Encoder::new();
    let long = format!("\"{}\"", "x".repeat(3_000));
    let round = |encoder: &mut Encoder| {
        for text in ["1,\"a\"", "", long.as_str()] {
            let arguments = RawArguments {
                text: text.as_bytes(),
                attachments: &[],
            };
            let event = encoder.event("/chat", "a \"name\"", &arguments).unwrap();
            let shared = (event.clone(), event.packet());
            drop(encoder.with_ack_id(&event, 7));
            drop(shared);
            drop(event);
            drop(encoder.ack("/chat", 12, &arguments).unwrap());
        }
        drop(encoder.connect("/", "abc").unwrap());
        drop(encoder.disconnect("/chat").unwrap());
    };
    assert!(allocations(|| round(&mut encoder)) > 0, "the counter counts");
    assert_eq!(allocations(|| (0..1_000).for_each(|_| round(&mut encoder))), 0);
}

#[test]
fn packets_that_wait_in_queues_cost_two_allocations_per_chunk() {
    let mut encoder = Encoder::new();
    let arguments = RawArguments {
        text: b"[1,2,3,4,5,6,7,8]",
        attachments: &[],
    };
    let mut queue = Vec::with_capacity(1_000);
    let count = allocations(|| {
        for _ in 0..1_000 {
            queue.push(encoder.event("/", "event", &arguments).unwrap());
        }
    });
    // A packet takes 55 bytes of a chunk of 16 KiB whose last 4 KiB are not started in.
    assert!(count <= 2 * 6, "{count}");
}

#[test]
fn decoding_allocates_nothing() {
    for packet in [
        r#"2/admin,12["name",1,{"a":[true,null,"\n"]}]"#,
        r#"52-["name",{"_placeholder":true,"num":1}]"#,
        r#"3/admin,1["done"]"#,
        r#"0/admin,{"token":"abc"}"#,
        "1/admin",
        r#"2["connect"]"#,
    ] {
        // A read buffer: its slices are shared from the beginning.
        let mut buffer = BytesMut::from(format!("{packet} and what came after it").as_bytes());
        let text = Text::from_utf8(buffer.split_to(packet.len()).freeze()).unwrap();
        let count = allocations(|| {
            if let Ok(Packet::Event { name, .. }) = decode(text, &PacketLimits::default()) {
                assert_eq!(name.as_str(), "name");
            }
        });
        assert_eq!(count, 0, "{packet}");
    }
}

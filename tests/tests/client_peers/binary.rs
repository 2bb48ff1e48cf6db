//! Bytes both ways.

use serde::{Deserialize, Serialize};
use socketio_tests::live::{event_channel, within};
use socketio_tokio::{Arguments, Bytes};

use crate::support::{Setup, cases};

cases![
    a_tree_with_attachments,
    half_a_megabyte,
    a_hundred_attachments_are_acknowledged_intact,
];

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Tree {
    list: (Bytes, Deep),
    text: String,
    none: Option<u8>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Deep {
    deep: Bytes,
}

async fn a_tree_with_attachments(setup: Setup) {
    let (echo, mut echoes) = event_channel();
    let client = setup.connect(setup.client().on("echo", echo.handler())).await;
    let tree = Tree {
        list: (
            Bytes::from_static(&[1, 2, 3]),
            Deep {
                deep: Bytes::from_static(&[255, 0]),
            },
        ),
        text: "plain".to_owned(),
        none: None,
    };
    let tail = Bytes::from_static(b"tail");
    client.emit("echo", &(&tree, &tail)).expect("it is connected");
    let back: (Tree, Bytes) = echoes.next().await.parse().expect("two arguments");
    assert_eq!(back, (tree, tail));
}

async fn half_a_megabyte(setup: Setup) {
    let client = setup.plain().await;
    let bytes: Bytes = (0..500_000_u32)
        .map(|index| u8::try_from(index % 251).unwrap_or(0))
        .collect();
    let back: Bytes = within("the echo", client.call("echo-ack", &bytes))
        .await
        .expect("it answers");
    assert!(back == bytes);
}

/// A generator of the same bytes each time (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn up_to(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % (most as u64 + 1)).unwrap_or(0)
    }
}

/// A hundred packets of ten attachments of up to 64 KiB, none larger than a server takes.
///
/// Each is cut out of the same random bytes, which is quicker than making them; from 256 bytes on it has every value
/// a byte can have, that of the separator in polling bodies (0x1E) included.
fn thousand() -> Vec<Vec<Bytes>> {
    const LONGEST: usize = 64 * 1024;
    let mut random = Random(0x5EED);
    let mut sea = Vec::with_capacity(2 * LONGEST);
    while sea.len() < 2 * LONGEST {
        sea.extend(random.next().to_le_bytes());
    }
    let all_values: Vec<u8> = (0..=u8::MAX).collect();
    let mut attachment = || {
        let (start, length) = (random.up_to(LONGEST), random.up_to(LONGEST));
        let mut bytes = sea[start..start + length].to_vec();
        if let Some(end) = bytes.last_chunk_mut::<256>() {
            end.copy_from_slice(&all_values);
        }
        Bytes::from(bytes)
    };
    let mut packets: Vec<Vec<Bytes>> = (0..100)
        .map(|_| (0..10).map(|_| attachment()).collect())
        .collect();
    packets[0][0] = Bytes::new();
    packets[0][1] = Bytes::from(vec![0x1e; LONGEST]);
    packets
}

#[track_caller]
fn assert_same(back: &Arguments, sent: &[Bytes], packet: usize) {
    let back: Vec<Bytes> = back.first().expect("attachments");
    assert_eq!(back.len(), sent.len(), "packet {packet}");
    for (index, (back, sent)) in back.iter().zip(sent).enumerate() {
        assert!(
            back == sent,
            "attachment {index} of packet {packet}, {} bytes",
            sent.len()
        );
    }
}

/// Ten in each packet. Not one of the cases that run at the same time: it needs the processor for itself.
pub(crate) async fn attachments_come_back_intact(packets: usize, setup: Setup) {
    const UNDER_WAY: usize = 4;
    let (echo, mut echoes) = event_channel();
    let client = setup.connect(setup.client().on("echo", echo.handler())).await;
    let packets: Vec<_> = thousand().into_iter().take(packets).collect();
    for (number, packet) in packets.iter().enumerate() {
        client.emit("echo", packet).expect("it is connected");
        // Not all at once: what waits to be sent is bounded.
        if let Some(earlier) = number.checked_sub(UNDER_WAY) {
            assert_same(&echoes.next().await, &packets[earlier], earlier);
        }
    }
    for (number, packet) in packets.iter().enumerate().skip(packets.len() - UNDER_WAY) {
        assert_same(&echoes.next().await, packet, number);
    }
}

async fn a_hundred_attachments_are_acknowledged_intact(setup: Setup) {
    let client = setup.plain().await;
    for (number, packet) in thousand().iter().enumerate().take(10) {
        let back = within("an acknowledgement", client.emit_with_ack("echo-ack", packet)).await;
        assert_same(&back.expect("it answers"), packet, number);
    }
}

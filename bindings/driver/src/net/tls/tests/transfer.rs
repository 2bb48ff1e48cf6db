use std::io::{self, IoSlice};
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use proptest::prelude::*;

use super::pipe::{Flag, Pipe, join};
use super::{alone, connected, read, shutdown, write};
use crate::engine::Stream;
use crate::net::tls::TlsStream;

const MOST: usize = 1024 * 1024;

fn byte_at(index: usize) -> u8 {
    (index % 251) as u8
}

/// Sends and reads `length` bytes at the same time, then ends.
struct Exchange {
    stream: TlsStream<Pipe>,
    length: usize,
    sent: usize,
    read: usize,
    most_per_call: usize,
}

impl Exchange {
    async fn run(mut self) -> io::Result<()> {
        std::future::poll_fn(|task| self.poll(task)).await?;
        shutdown(&mut self.stream).await?;
        assert_eq!(read(&mut self.stream).await?, b"");
        Ok(())
    }

    fn poll(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = self.poll_send(task)?;
        let read = self.poll_read(task)?;
        if sent.is_ready() && read.is_ready() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    fn poll_send(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.length {
            let count = self.most_per_call.min(self.length - self.sent);
            let bytes: Vec<u8> = (self.sent..self.sent + count).map(byte_at).collect();
            let (first, second) = bytes.split_at(count / 2);
            let slices = [IoSlice::new(first), IoSlice::new(second)];
            self.sent += std::task::ready!(self.stream.poll_write(task, &slices))?;
        }
        self.stream.poll_flush(task)
    }

    fn poll_read(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffer = BytesMut::with_capacity(self.most_per_call);
        while self.read < self.length {
            buffer.clear();
            let count = std::task::ready!(self.stream.poll_read(task, &mut buffer))?;
            assert!(count > 0, "the end came early, after {} bytes", self.read);
            assert!(
                buffer
                    .iter()
                    .enumerate()
                    .all(|(index, byte)| *byte == byte_at(self.read + index))
            );
            self.read += count;
        }
        Poll::Ready(Ok(()))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn bytes_arrive_unchanged_however_they_are_cut(
        sizes in prop::collection::vec(prop_oneof![0..8_usize, 1..5_000_usize, 10_000..70_000_usize], 1..6),
        most_per_call in prop_oneof![1..100_usize, 1_000..100_000_usize],
    ) {
        // At least something moves in each round.
        let sizes = [sizes, vec![1]].concat();
        let average = sizes.iter().sum::<usize>() / sizes.len();
        let length = MOST.min(average.min(most_per_call) * 2_000);
        let (client, server) = connected(&sizes);
        let exchange = |stream| Exchange { stream, length, sent: 0, read: 0, most_per_call };
        let (client, server) = join(exchange(client).run(), exchange(server).run());
        client.expect("the client is content");
        server.expect("the server is content");
    }
}

#[test]
fn a_pipe_that_waits_every_other_time_is_enough_for_a_handshake() {
    let _ = connected(&[0, 1]);
}

#[test]
fn a_megabyte_goes_both_ways() {
    let (client, server) = connected(&[usize::MAX]);
    let exchange = |stream| Exchange {
        stream,
        length: MOST,
        sent: 0,
        read: 0,
        most_per_call: 100_000,
    };
    let (client, server) = join(exchange(client).run(), exchange(server).run());
    client.expect("the client is content");
    server.expect("the server is content");
}

#[test]
fn a_peer_that_does_not_read_makes_writes_wait_without_turning() {
    let (mut client, mut server) = connected(&[usize::MAX]);
    let flag = Flag::new();
    let waker = Waker::from(flag.clone());
    let mut task = Context::from_waker(&waker);
    let bytes = vec![b'x'; MOST];
    let mut taken = 0;
    while let Poll::Ready(count) = client.poll_write(&mut task, &[IoSlice::new(&bytes)]) {
        taken += count.expect("is open");
    }
    // What the pipe holds, and what is kept for one write.
    assert!(taken <= 2 * 64 * 1024, "{taken} bytes");
    flag.take();
    for _ in 0..3 {
        assert!(client.poll_write(&mut task, &[IoSlice::new(&bytes)]).is_pending());
        assert!(client.poll_flush(&mut task).is_pending());
    }
    assert!(!flag.take(), "it woke itself");
    alone(read(&mut server)).expect("is open");
    assert!(flag.take(), "room wakes it");
}

#[test]
fn nothing_to_read_does_not_turn() {
    let (mut client, _server) = connected(&[usize::MAX]);
    let flag = Flag::new();
    let waker = Waker::from(flag.clone());
    let mut buffer = BytesMut::with_capacity(10);
    flag.take();
    assert!(
        client
            .poll_read(&mut Context::from_waker(&waker), &mut buffer)
            .is_pending()
    );
    assert!(!flag.take());
}

#[test]
fn an_end_that_is_announced_is_an_end_and_one_side_may_go_on() {
    let (mut client, mut server) = connected(&[usize::MAX]);
    alone(async {
        write(&mut client, b"last words").await.unwrap();
        shutdown(&mut client).await.unwrap();
        assert_eq!(read(&mut server).await.unwrap(), b"last words");
        assert_eq!(read(&mut server).await.unwrap(), b"");
        write(&mut server, b"answer").await.unwrap();
        assert_eq!(read(&mut client).await.unwrap(), b"answer");
        let error = write(&mut client, b"more").await.expect_err("has ended");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    });
}

#[test]
fn an_end_that_is_not_announced_is_an_error_after_what_arrived() {
    let (mut client, mut server) = connected(&[usize::MAX]);
    alone(async {
        write(&mut client, b"half of a mess").await.unwrap();
        drop(client);
        assert_eq!(read(&mut server).await.unwrap(), b"half of a mess");
        for _ in 0..2 {
            let error = read(&mut server).await.expect_err("was cut");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    });
}

#[test]
fn the_driver_may_read_with_little_room() {
    let (mut client, mut server) = connected(&[usize::MAX]);
    alone(async {
        write(&mut client, b"abc").await.unwrap();
        for expected in [b"a", b"b", b"c"] {
            let mut buffer = BytesMut::with_capacity(1);
            let count = std::future::poll_fn(|task| server.poll_read(task, &mut buffer))
                .await
                .unwrap();
            assert_eq!((count, &buffer[..]), (1, &expected[..]));
        }
    });
}

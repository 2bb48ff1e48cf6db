//! What follows a 101: bytes in both directions.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::Buf;

use super::READ_TIMEOUT;
use super::config::Upgrades;
use super::connection::Connection;
use super::wait::{both, within};
use crate::World;

/// Copies bytes in both directions until one side ends or is reset, until both are silent, or as long as is configured.
pub(super) async fn tunnel(
    world: &World,
    mut client: Connection,
    mut server: Connection,
    upgrades: Upgrades,
) {
    let mut left = match upgrades {
        Upgrades::ClosedAfter(reads) => Some(reads),
        _ => None,
    };
    while left != Some(0) {
        // Neither direction waits for the other: a peer whose writes are not read may not read either.
        let copied = poll_fn(|task| {
            let directions = [
                poll_copy(&mut client, &mut server, task),
                poll_copy(&mut server, &mut client, task),
            ];
            match directions {
                [Poll::Pending, Poll::Pending] => Poll::Pending,
                [Poll::Ready(Err(error)), _] | [_, Poll::Ready(Err(error))] => Poll::Ready(Err(error)),
                _ => Poll::Ready(Ok(())),
            }
        });
        match within(world, Some(READ_TIMEOUT), copied).await {
            Some(Ok(())) => left = left.map(|left| left - 1),
            Some(Err(_)) | None => break,
        }
    }
    // Each may still read what it was sent.
    both(client.finish(world), server.finish(world)).await;
}

/// Copies the bytes of one read.
fn poll_copy(from: &mut Connection, to: &mut Connection, task: &mut Context<'_>) -> Poll<io::Result<()>> {
    if from.input.is_empty() && ready!(from.poll_read(task))? == 0 {
        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
    }
    while !from.input.is_empty() {
        let (from, to) = (&mut from.input, &mut *to);
        let written = ready!(to.poll_write(task, from))?;
        from.advance(written);
    }
    Poll::Ready(Ok(()))
}

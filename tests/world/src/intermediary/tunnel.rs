//! What follows a 101: bytes both ways.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::Buf;

use super::PATIENCE;
use super::line::{Line, both, within};
use super::quirks::Upgrades;
use crate::World;

/// Copies bytes both ways until either side ends or breaks, both are silent, or the tunnel is cut.
pub(super) async fn tunnel(world: &World, mut client: Line, mut server: Line, upgrades: Upgrades) {
    let mut left = match upgrades {
        Upgrades::Dropped(pieces) => Some(pieces),
        _ => None,
    };
    while left != Some(0) {
        // Neither way waits for the other: who writes and is not read may be the one who does not read.
        let piece = poll_fn(|task| {
            let ways = [
                poll_piece(&mut client, &mut server, task),
                poll_piece(&mut server, &mut client, task),
            ];
            match ways {
                [Poll::Pending, Poll::Pending] => Poll::Pending,
                [Poll::Ready(Err(error)), _] | [_, Poll::Ready(Err(error))] => Poll::Ready(Err(error)),
                _ => Poll::Ready(Ok(())),
            }
        });
        match within(world, Some(PATIENCE), piece).await {
            Some(Ok(())) => left = left.map(|left| left - 1),
            Some(Err(_)) | None => break,
        }
    }
    // Each may still read what it was sent.
    both(client.finish(world), server.finish(world)).await;
}

/// Copies what one read gives.
fn poll_piece(from: &mut Line, to: &mut Line, task: &mut Context<'_>) -> Poll<io::Result<()>> {
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

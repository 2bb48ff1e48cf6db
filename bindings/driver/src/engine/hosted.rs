//! Requests of a host that parses HTTP itself: a hyper service, say.
//!
//! ```text
//!   host's request ──► Server::handle ──┬─► HostedReply::Response   the host sends it
//!                        │  ▲           │
//!             body wanted▼  │           └─► HostedReply::Upgrade    the host sends it, then
//!                     host's body                                   HostedUpgrade::run(its byte stream)
//! ```
//!
//! Inside it is a connection like any other, only that its wire gives out a reply instead of bytes.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::connection::Connection;
use super::link::{Budget, Link, Over, Rest, Scratch};
use super::runtime::{Runtime, Stream};
use super::server::{ServerInstance, ServerMachine};
use super::state::Stage;
use crate::core::{BodyFailure, Flow, Peer, Reply, RequestHead, Response};
use crate::error::Error;
use crate::handle::Server;
use crate::inner::Inner;

impl Server {
    /// Answers one HTTP request that a host received. The server must have been given to the binding's `host`.
    ///
    /// `body` is called at most once, and only when the body is wanted, with the most bytes that it may have; a
    /// longer one is [`BodyFailure::TooLarge`]. Requests outside the server's path are answered as those of a
    /// listener are: by the client bundle, the fallback, or 404.
    ///
    /// A poll waits here until there is something for the client. Dropping the future means that the client's
    /// connection was lost, which ends the session of a poll or a post.
    ///
    /// # Errors
    /// [`HostedError::Cut`] asks the host to reset the connection or stream; with the other errors the host
    /// answers as it sees fit (503, say).
    pub fn handle<F, B>(
        &self,
        head: RequestHead,
        peer: Peer,
        body: F,
    ) -> impl Future<Output = Result<HostedReply, HostedError>> + use<F, B>
    where
        F: FnOnce(usize) -> B,
        B: Future<Output = Result<Bytes, BodyFailure>>,
    {
        let inner = Arc::clone(self.inner());
        async move {
            let (reply, link) = exchange(inner, head, peer, body).await?;
            Ok(match reply {
                Reply::Response(response) => HostedReply::Response(response),
                Reply::Upgrade(response) => HostedReply::Upgrade {
                    response,
                    upgrade: HostedUpgrade(Box::new(link)),
                },
            })
        }
    }
}

/// The answer to a host's request.
#[derive(Debug)]
pub enum HostedReply {
    /// A complete response. The host adds what frames it: `Content-Length`, `Connection`, `Date`.
    Response(Response),
    /// The connection turns into a WebSocket.
    Upgrade {
        /// `101 Switching Protocols` with all headers of the WebSocket handshake (RFC 6455 section 4.2.2).
        response: Response,
        /// What goes on with the bytes after it.
        upgrade: HostedUpgrade,
    },
}

/// A WebSocket whose handshake is being answered. Dropping it is the loss of its connection.
#[must_use = "the WebSocket is lost unless it is run"]
pub struct HostedUpgrade(Box<Link<Inner>>);

impl HostedUpgrade {
    /// Serves the WebSocket on the connection it came on, after the 101 was sent; ends with it.
    ///
    /// The heartbeat goes on meanwhile, so a host that cannot upgrade in time loses the session.
    pub fn run<R: Runtime, S: Stream>(
        self,
        runtime: R,
        stream: S,
    ) -> impl Future<Output = ()> + Send + 'static + use<R, S> {
        Connection::new(*self.0, runtime, stream)
    }
}

impl fmt::Debug for HostedUpgrade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HostedUpgrade").finish_non_exhaustive()
    }
}

/// Why a host's request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostedError {
    /// The server ends the connection without an answer, because its client broke a rule or because of a
    /// shutdown.
    Cut,
    /// The server was not given to a binding's `host` or `serve`, or has ended.
    NotServing,
    /// A bug made the server's state unusable.
    Poisoned,
}

impl fmt::Display for HostedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cut => "the request gets no answer; reset its connection or stream",
            Self::NotServing => "the server is not running; pass it to host() first",
            Self::Poisoned => "the server failed inside and cannot go on; restart it and report the panic",
        })
    }
}

impl std::error::Error for HostedError {}

impl From<Error> for HostedError {
    fn from(error: Error) -> Self {
        match error {
            Error::Poisoned => Self::Poisoned,
            _ => Self::NotServing,
        }
    }
}

/// What comes first of a request.
enum First {
    Reply(Reply),
    /// Before there is a reply, the body is needed, of at most this length.
    WantsBody(usize),
}

async fn exchange<I: ServerInstance, F, B>(
    instance: Arc<I>,
    head: RequestHead,
    peer: Peer,
    body: F,
) -> Result<(Reply, Link<I>), HostedError>
where
    F: FnOnce(usize) -> B,
    B: Future<Output = Result<Bytes, BodyFailure>>,
{
    let mut link = open(instance, head, peer)?;
    let first = poll_fn(|task| match link.poll_reply(task) {
        Poll::Ready(reply) => Poll::Ready(reply.map(First::Reply)),
        Poll::Pending => match link.wire.wants_body() {
            Some(limit) => Poll::Ready(Ok(First::WantsBody(limit))),
            None => Poll::Pending,
        },
    });
    let reply = match first.await? {
        First::Reply(reply) => reply,
        First::WantsBody(limit) => {
            let mut body = Some(pin!(body(limit)));
            let reply = poll_fn(|task| {
                if let Some(coming) = &mut body
                    && let Poll::Ready(whole) = coming.as_mut().poll(task)
                {
                    body = None;
                    link.take_body(whole);
                }
                link.poll_reply(task)
            });
            reply.await?
        }
    };
    Ok((reply, link))
}

fn open<I: ServerInstance>(instance: Arc<I>, head: RequestHead, peer: Peer) -> Result<Link<I>, HostedError> {
    let opened = instance.shard().with(&instance, |state, now| {
        (state.stage != Stage::Aborted).then(|| (state.open(now, peer), state.machine.hosted_wire(head)))
    })?;
    let (id, wire) = opened.ok_or(HostedError::NotServing)?;
    Ok(Link::new(instance, id, wire))
}

impl<I: ServerInstance> Link<I> {
    /// Hands over what the host's request brought until there is a reply to it.
    fn poll_reply(&mut self, task: &mut Context<'_>) -> Poll<Result<Reply, HostedError>> {
        Scratch::with(|scratch| {
            let mut budget = Budget::default();
            loop {
                let has_items = self.take_items(scratch, &mut budget);
                if has_items {
                    self.pass_on(task, scratch)?;
                }
                if let Some(reply) = self.wire.poll_reply() {
                    return Poll::Ready(Ok(reply));
                }
                if self.wire.poll_output(&mut self.output) == Flow::Closing {
                    return Poll::Ready(Err(HostedError::Cut));
                }
                if budget.is_spent() {
                    task.waker().wake_by_ref();
                    return Poll::Pending;
                }
                if has_items {
                    continue;
                }
                match self.rest(task) {
                    Ok(Rest::Asleep) => return Poll::Pending,
                    Ok(Rest::Busy) => {}
                    Err(Over) => return Poll::Ready(Err(HostedError::NotServing)),
                }
            }
        })
    }

    /// The body that the wire wanted, or why there is none.
    fn take_body(&mut self, body: Result<Bytes, BodyFailure>) {
        if let Some(item) = self.wire.handle_body(body) {
            self.put_first(item);
        }
    }
}

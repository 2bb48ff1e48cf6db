//! What the engine room needs to know of a server: one loop serves Socket.IO and bare Engine.IO.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

use super::foreign::OwnRequest;
use super::shard::{Shard, Task};
use super::strand::{StrandId, Strands, Work};
use crate::core::{Codec, ConnId, EngineConfig, Item, OutBuf, Peer, RequestHead, RequestId, Response, Wire};
use crate::router::{Fallback, Gate};

use super::bundle::Bundles;

/// A server as its handles share it: the lock, and what runs outside of it.
pub(crate) trait House: Send + Sync + Sized + 'static {
    /// What is behind the lock.
    type Machine: Machine;

    /// The lock.
    fn shard(&self) -> &Shard<Self::Machine>;

    /// Runs one job, outside the lock.
    fn run(self: &Arc<Self>, work: Work<Self::Machine>, task: &mut Context<'_>) -> Next;

    /// Asked about each handshake.
    fn gate(&self) -> Option<&Gate>;

    /// Answers HTTP requests that are not for this server.
    fn fallback(&self) -> Option<&Fallback>;

    /// The JavaScript client, if it is served.
    fn bundles(&self) -> Option<&Bundles>;
}

/// Whether the jobs after this one may run.
pub(crate) enum Next {
    Go,
    /// As many handlers as may wait for their futures; the next starts when one of them is done.
    Full,
    /// The rest of the job goes on as a task of its own, and its strand after it.
    After(Task),
}

/// A core behind the lock, with the books the driver keeps beside it.
pub(crate) trait Machine: Send + Sized + 'static {
    /// Decodes the messages of a connection.
    type Codec: Codec<Message: Send> + Send + Unpin;
    /// Whose strand it is; its handle.
    type Subject: Clone + Send;
    /// What handlers are called for.
    type Job: Job;

    fn config(&self) -> &EngineConfig;
    fn wire(&self) -> Wire<Self::Codec>;
    fn hosted_wire(&self, head: RequestHead) -> Wire<Self::Codec>;
    fn open(&mut self, now: Instant, peer: Peer) -> ConnId;
    fn handle_item(&mut self, now: Instant, connection: ConnId, item: Item<Message<Self>>);
    fn handle_lost(&mut self, now: Instant, connection: ConnId);
    fn handle_timeout(&mut self, now: Instant);
    fn shutdown(&mut self, now: Instant);
    fn recycle(&mut self, buffer: OutBuf);
    fn poll_ready(&mut self) -> Option<ConnId>;
    fn poll_transmit(&mut self, connection: ConnId, wire: &mut Wire<Self::Codec>);
    fn poll_timeout(&self) -> Option<Instant>;

    /// The next thing the core has to tell; new strands are entered into `strands`.
    fn poll_notice(&mut self, strands: &mut Strands<Self>) -> Option<Notice<Self::Job>>;

    /// A strand is over: the books forget it.
    fn forget(&mut self, strand: StrandId, subject: &Self::Subject);

    fn request(&self, request: RequestId) -> Option<(RequestHead, Peer)>;
    fn allow(&mut self, now: Instant, request: RequestId);
    fn forbid(&mut self, now: Instant, request: RequestId, message: &str);
    fn respond(&mut self, now: Instant, request: RequestId, response: Response);
    fn read_body(&mut self, now: Instant, request: RequestId, limit: usize);
}

/// What a machine's codec makes of a message.
pub(crate) type Message<M> = <<M as Machine>::Codec as Codec>::Message;

/// What handlers are called for.
pub(crate) trait Job: Send {
    /// Copies what the job keeps out of the read buffer it arrived in.
    fn detach(&mut self);

    /// Whether its strand ends with it.
    fn is_last(&self) -> bool;

    /// About how many bytes it keeps.
    fn size(&self) -> usize;
}

/// What a core has to tell.
pub(crate) enum Notice<J> {
    /// A handler is to be called.
    Job(StrandId, J),
    /// Somebody waited for this.
    Wake(Waker),
    /// A request that is not for the protocol, or that the gate has to see.
    Request(OwnRequest),
    /// Nobody needs to know.
    Nothing,
}

/// The verbs that both cores have under the same names, for a machine with a field `core`.
macro_rules! forward_to_core {
    () => {
        fn wire(&self) -> Wire<Self::Codec> {
            self.core.wire()
        }

        fn hosted_wire(&self, head: RequestHead) -> Wire<Self::Codec> {
            self.core.hosted_wire(head)
        }

        fn open(&mut self, now: Instant, peer: Peer) -> ConnId {
            self.core.open(now, peer)
        }

        fn handle_item(&mut self, now: Instant, connection: ConnId, item: Item<Message<Self>>) {
            self.core.handle_item(now, connection, item);
        }

        fn handle_lost(&mut self, now: Instant, connection: ConnId) {
            self.core.handle_lost(now, connection);
        }

        fn handle_timeout(&mut self, now: Instant) {
            self.core.handle_timeout(now);
        }

        fn shutdown(&mut self, now: Instant) {
            self.core.shutdown(now);
        }

        fn recycle(&mut self, buffer: OutBuf) {
            self.core.recycle(buffer);
        }

        fn poll_ready(&mut self) -> Option<ConnId> {
            self.core.poll_ready()
        }

        fn poll_transmit(&mut self, connection: ConnId, wire: &mut Wire<Self::Codec>) {
            self.core.poll_transmit(connection, wire);
        }

        fn poll_timeout(&self) -> Option<Instant> {
            self.core.poll_timeout()
        }

        fn request(&self, request: RequestId) -> Option<(RequestHead, Peer)> {
            Some((
                self.core.request_head(request)?.clone(),
                self.core.request_peer(request)?,
            ))
        }

        fn allow(&mut self, now: Instant, request: RequestId) {
            self.core.allow(now, request);
        }

        fn forbid(&mut self, now: Instant, request: RequestId, message: &str) {
            self.core.forbid(now, request, message);
        }

        fn respond(&mut self, now: Instant, request: RequestId, response: Response) {
            self.core.respond(now, request, response);
        }

        fn read_body(&mut self, now: Instant, request: RequestId, limit: usize) {
            self.core.read_body(now, request, limit);
        }
    };
}

pub(super) use forward_to_core;

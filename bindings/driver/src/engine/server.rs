//! What only servers have: connections that others make, and requests that are not for the protocol.

use std::time::Instant;

use super::bundle::Bundles;
use super::http_requests::{ApplicationRequest, AwaitedBody};
use super::instance::{Instance, Machine};
use crate::core::{Codec, ConnId, EngineConfig, Peer, RequestHead, RequestId, Response, Wire};
use crate::refused::RefusedHook;
use crate::router::{Fallback, Gate};

/// A server as its handles share it.
pub(crate) trait ServerInstance: Instance<Machine: ServerMachine, Requests = AwaitedBody> {
    /// Asked about each handshake.
    fn gate(&self) -> Option<&Gate>;

    /// Answers HTTP requests that are not for this server.
    fn fallback(&self) -> Option<&Fallback>;

    /// Called with everybody who was refused.
    fn refused_hook(&self) -> Option<&RefusedHook>;

    /// The JavaScript client, if it is served.
    fn bundles(&self) -> Option<&Bundles>;
}

/// The core of a server behind the lock.
pub(crate) trait ServerMachine:
    Machine<Wire = Wire<<Self as ServerMachine>::Codec>, Request = ApplicationRequest>
{
    /// Decodes the messages of a connection.
    type Codec: Codec<Message: Send> + Send + Unpin + 'static;

    fn config(&self) -> &EngineConfig;
    fn wire(&self) -> Wire<Self::Codec>;
    fn hosted_wire(&self, head: RequestHead) -> Wire<Self::Codec>;
    fn open(&mut self, now: Instant, peer: Peer) -> ConnId;
    fn try_open(&mut self, now: Instant, peer: Peer) -> Option<ConnId>;
    fn request(&self, request: RequestId) -> Option<(RequestHead, Peer)>;
    fn allow(&mut self, now: Instant, request: RequestId);
    fn forbid(&mut self, now: Instant, request: RequestId, message: &str);
    fn respond(&mut self, now: Instant, request: RequestId, response: Response);
    fn read_body(&mut self, now: Instant, request: RequestId, limit: usize);
}

/// What [`Machine`](super::instance::Machine) is for both servers, for a machine with the fields `core` and `woken`.
macro_rules! server_machine {
    () => {
        type Request = ApplicationRequest;
        type Effect = Infallible;

        forward_to_core!();

        fn handle_lost(&mut self, now: Instant, connection: ConnId, _: Option<String>) {
            self.core.handle_lost(now, connection);
        }

        fn shutdown(&mut self, now: Instant) {
            self.core.shutdown(now);
        }

        fn limits(&self) -> &Limits {
            &ServerMachine::config(self).limits
        }

        fn poll_notice(&mut self, strands: &mut Strands<Self>) -> Option<Notice<Self>> {
            if let Some(waker) = self.woken.pop_front() {
                return Some(Notice::Wake(waker));
            }
            let event = self.core.poll_event()?;
            Some(self.notice(event, strands).unwrap_or(Notice::Nothing))
        }
    };
}

/// What [`Instance`] is for both servers, for one with a method `shard` of its own.
macro_rules! server_instance {
    ($machine:ty) => {
        type Machine = $machine;
        type Requests = AwaitedBody;

        fn shard(&self) -> &Shard<$machine> {
            self.shard()
        }

        fn answer(
            self: &Arc<Self>,
            requests: &mut AwaitedBody,
            request: ApplicationRequest,
        ) -> Result<(), Error> {
            http_requests::answer(self, requests, request)
        }

        fn notify_refused(&self, refused: &Refused) {
            if let Some(hook) = self.refused_hook() {
                hook(refused);
            }
        }

        fn perform(self: &Arc<Self>, effect: Infallible) {
            match effect {}
        }
    };
}

/// The verbs of [`ServerMachine`] that both cores have under the same names, for a machine with a field `core`.
macro_rules! forward_server_to_core {
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

        fn try_open(&mut self, now: Instant, peer: Peer) -> Option<ConnId> {
            self.core.try_open(now, peer)
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

pub(super) use {forward_server_to_core, server_instance, server_machine};

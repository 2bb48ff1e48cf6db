//! What must happen between a Socket.IO server and its clients, as sets and queues. It depends on no crate of ours, so
//! that it shares no code with what it checks.
//!
//! The test that runs a server and clients notes [`Fact`]s in the order in which they happen: a call of the API when it
//! is made, an event when its handler starts. The [`Model`] returns a [`Violation`] if a fact breaks a rule, and says
//! what is missing when nothing happens any more:
//!
//! | rule | checked at |
//! | --- | --- |
//! | messages of one sender are received in order, without gaps, at most once | [`Fact::ClientReceived`], [`Fact::ServerReceived`] |
//! | every recipient receives a message exactly once, unless its connection was lost | [`Model::check_idle`], [`Model::check_finished`] |
//! | what a client emits while it is not connected is sent once, on its next socket and before anything else, or it is reported as not sent | [`Fact::ServerReceived`], [`Model::check_idle`], [`Model::check_finished`] |
//! | nobody else receives it, and nobody before connecting or after disconnecting | [`Fact::ClientReceived`], [`Fact::ServerReceived`] |
//! | a client in several targeted rooms receives a broadcast once | [`Fact::ClientReceived`] |
//! | no event starts before the end of `on_connect`, none after `on_disconnect` | [`Fact::ServerReceived`], [`Fact::ClientReceived`] |
//! | `on_disconnect` runs once, and only for a cause | [`Fact::ServerDisconnected`], [`Fact::ClientDisconnected`] |
//! | a call ends once: answered if it was handled, at its deadline¹, or because a side disconnected | [`Fact::CallEnded`] |
//! | a dead peer is detected within ping interval and timeout¹ | every fact, [`Model::check_idle`] |
//!
//! ¹ Or so much later as facts are noted later than they happen: [`Model::with_tolerance`].

#![forbid(unsafe_code)]

mod call;
mod fact;
mod model;
mod offline;
mod socket;
mod stream;
#[cfg(test)]
mod tests;

pub use call::{AnswerExpectation, CallOutcome};
pub use fact::{Broadcast, ClientId, Delivery, Fact, Message, Namespace, Room, Side, SocketId, Violation};
pub use model::{Guarantee, Model};
pub use socket::DisconnectCause;

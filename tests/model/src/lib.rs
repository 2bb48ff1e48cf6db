//! What must happen between a Socket.IO server and its clients, said with sets and queues. It knows nothing of how it
//! is done: no crate of ours is below it.
//!
//! Whoever runs a server and clients notes [`Fact`]s in the order in which they happen, a verb in the moment in which
//! it is called, an event in the moment in which its handler starts. The [`Model`] answers with a [`Breach`] when one
//! of them must not be, and says at rest what is missing:
//!
//! | rule | noticed at |
//! | --- | --- |
//! | messages of one sender are heard in their order, without gaps, at most once | [`Fact::Heard`], [`Fact::Taken`] |
//! | whoever is addressed hears it exactly once, unless its connection was broken | [`Model::rest`], [`Model::end`] |
//! | nobody else hears it; nobody before joining or after leaving | [`Fact::Heard`], [`Fact::Taken`] |
//! | a client in several targeted rooms hears a broadcast once | [`Fact::Heard`] |
//! | no event starts before the end of `on_connect`, none after `on_disconnect` | [`Fact::Taken`], [`Fact::Heard`] |
//! | `on_disconnect` runs once, and only if there was a reason | [`Fact::Left`], [`Fact::Parted`] |
//! | a call ends once: answered if it was handled, at its deadline, or because a side left | [`Fact::Ended`] |
//! | a dead peer is noticed within ping interval and timeout | every fact, [`Model::rest`] |

#![forbid(unsafe_code)]

mod call;
mod fact;
mod model;
mod socket;
mod stream;
#[cfg(test)]
mod tests;

pub use call::{Due, Outcome};
pub use fact::{Breach, Cast, Delivery, Fact, Message, Namespace, Room, Seat, Side};
pub use model::{Model, Promise};
pub use socket::Ending;

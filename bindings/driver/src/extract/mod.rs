//! Extractors: the types a handler may take as arguments.
//!
//! | extractor | what it is | where on a server | where on a client |
//! | --- | --- | --- | --- |
//! | [`Arg<T>`] | the first argument | events | events |
//! | [`Args<T>`] | all arguments, as a tuple or list | events | events |
//! | [`Raw`](crate::Raw) | the first argument, unparsed | events | events |
//! | [`Arguments`](crate::Arguments) | all arguments, unparsed | events | events |
//! | [`Attachments`] | the binary parts | events | events |
//! | [`Event`] | the name and the arguments | events | events |
//! | [`Ack`] | the acknowledgement, to be sent whenever it suits | events | events |
//! | [`State<T>`] | what the builder was given | all | all |
//! | [`Socket`](crate::Socket) | the client | all but guards | |
//! | [`ClientSocket`](crate::ClientSocket) | we ourselves, in the namespace | | all |
//! | [`Data<T>`] | what a guard returned | all | |
//! | [`Handshake`](crate::Handshake) | headers, address, auth | all | |
//! | [`Auth<T>`] | what the client sent as `auth` | all | |
//! | [`Server`](crate::Server) | everybody | all | |
//! | [`Reason`](crate::Reason) | why the client left | `on_disconnect` | |
//! | [`ClientReason`](crate::ClientReason) | why the namespace was left | | `on_disconnect` |
//! | `Option<X>`, `Result<X, ExtractError>` | any of these that may fail | as `X` | as `X` |
//!
//! A failed extraction keeps the handler from running and goes to the error hook; in a guard it refuses the
//! client.

mod message;
mod socket;

use std::any::{TypeId, type_name};

pub use message::{Ack, Arg, Args, Attachments, Event};
pub use socket::{Auth, Data, SocketData, State};

use crate::error::ExtractError;

/// A value that a handler can take, made from the context `C` it is called with.
///
/// Implement it for types of your own on top of the extractors that exist; over a [`Subject`](crate::handle::Subject)
/// if both sides are to have it:
///
/// ```
/// use socketio_driver::handler::EventContext;
/// use socketio_driver::{Arg, Extract, ExtractError, Server};
///
/// struct Name(String);
///
/// impl Extract<EventContext> for Name {
///     fn extract(context: &mut EventContext) -> Result<Self, ExtractError> {
///         let Arg(name) = Arg::<String>::extract(context)?;
///         if name.is_empty() { Err(ExtractError::custom("a name is empty")) } else { Ok(Self(name)) }
///     }
/// }
///
/// let builder = Server::builder().on("rename", |Name(name): Name| println!("{name}"));
/// # builder.build();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be extracted from `{C}`",
    label = "not an extractor here",
    note = "`socketio_driver::extract` lists the extractors and where they work"
)]
pub trait Extract<C>: Sized {
    /// Makes the value; arguments are extracted from left to right.
    fn extract(context: &mut C) -> Result<Self, ExtractError>;

    /// Notes what must exist for this to succeed, so that the builder finds what is missing.
    fn require(_: &mut Requirements) {}
}

impl<C, X: Extract<C>> Extract<C> for Option<X> {
    /// `None` where `X` fails.
    fn extract(context: &mut C) -> Result<Self, ExtractError> {
        Ok(X::extract(context).ok())
    }
}

impl<C, X: Extract<C>> Extract<C> for Result<X, ExtractError> {
    fn extract(context: &mut C) -> Result<Self, ExtractError> {
        Ok(X::extract(context))
    }
}

/// A type with its name for error texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NamedType {
    pub(crate) id: TypeId,
    pub(crate) name: &'static str,
}

impl NamedType {
    pub(crate) fn of<T: 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
        }
    }
}

/// What a handler's arguments need and what its result leaves, collected while the router is built.
#[derive(Clone, Default, Debug)]
pub struct Requirements {
    pub(crate) state: Vec<NamedType>,
    pub(crate) data: Vec<NamedType>,
    pub(crate) provided: Option<NamedType>,
}

impl Requirements {
    /// The handler needs `T` to be given to `.state(..)`.
    pub fn need_state<T: 'static>(&mut self) {
        self.state.push(NamedType::of::<T>());
    }

    /// The handler needs a guard that returns `T`.
    pub fn need_data<T: 'static>(&mut self) {
        self.data.push(NamedType::of::<T>());
    }

    /// The handler is a guard that returns `T`.
    pub(crate) fn provide_data<T: 'static>(&mut self) {
        self.provided = Some(NamedType::of::<T>());
    }
}

#[cfg(test)]
mod tests;

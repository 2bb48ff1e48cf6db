use std::ops::Deref;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::core::{Arguments, EventName, Raw, WriteArguments};
use crate::encoding;
use crate::error::{Error, ExtractError};
use crate::extract::Extract;
use crate::handle::{PendingAck, Subject};
use crate::handler::EventContext;

/// The first argument of the event; further ones are ignored.
///
/// Binary data is read as [`Bytes`], alone or anywhere in `T`; `Vec<u8>` is an array of numbers. As serde has it,
/// `Bytes` also accepts a JSON string or array of numbers: take [`Attachments`] too if the difference matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arg<T>(pub T);

/// All arguments of the event: a tuple, or any type that reads from a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Args<T>(pub T);

/// The binary parts of the event, in the order of their placeholders.
#[derive(Clone, Debug)]
pub struct Attachments(Arguments);

/// The name and the arguments of the event, for handlers of several events.
#[derive(Clone, Debug)]
pub struct Event {
    name: EventName,
    arguments: Arguments,
}

/// The acknowledgement of the event, for handlers that answer later or from elsewhere.
///
/// Handlers that answer when they return are better off with [`Reply`](crate::Reply). Taking the `Ack` turns
/// a `Reply` of the same handler into nothing. Dropping it sends nothing: the other side waits until its timeout.
#[derive(Debug)]
pub struct Ack(Option<PendingAck>);

impl Ack {
    /// Whether the other side waits for it; if not, [`send`](Self::send) does nothing.
    pub fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Sends the acknowledgement; a tuple makes several arguments.
    ///
    /// # Errors
    /// When `arguments` cannot be serialised, the other side has left or its queue is full.
    pub fn send<A: WriteArguments + ?Sized>(self, arguments: &A) -> Result<(), Error> {
        let Some(pending) = self.0 else { return Ok(()) };
        let packet = encoding::ack(pending.namespace_name(), pending.number(), arguments)?;
        pending.give(&packet)
    }
}

impl Event {
    /// The same event in buffers of its own.
    pub(crate) fn detach(&self) -> Self {
        Self {
            name: self.name.detach(),
            arguments: self.arguments.detach(),
        }
    }

    /// The name of the event.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// All arguments, unparsed.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// All arguments, as [`Args`] reads them.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, ExtractError> {
        self.arguments
            .parse()
            .map_err(|error| ExtractError::Arguments(error.to_string()))
    }

    /// The first argument, as [`Arg`] reads it.
    pub fn arg<T: DeserializeOwned>(&self) -> Result<T, ExtractError> {
        self.arguments
            .first()
            .map_err(|error| ExtractError::Arguments(error.to_string()))
    }
}

impl Deref for Attachments {
    type Target = [Bytes];

    fn deref(&self) -> &[Bytes] {
        self.0.attachments()
    }
}

impl<S: Subject, T: DeserializeOwned> Extract<EventContext<S>> for Arg<T> {
    fn extract(context: &mut EventContext<S>) -> Result<Self, ExtractError> {
        context
            .arguments
            .first()
            .map(Self)
            .map_err(|error| ExtractError::Arguments(error.to_string()))
    }
}

impl<S: Subject, T: DeserializeOwned> Extract<EventContext<S>> for Args<T> {
    fn extract(context: &mut EventContext<S>) -> Result<Self, ExtractError> {
        context
            .arguments
            .parse()
            .map(Self)
            .map_err(|error| ExtractError::Arguments(error.to_string()))
    }
}

impl<S: Subject> Extract<EventContext<S>> for Raw {
    fn extract(context: &mut EventContext<S>) -> Result<Self, ExtractError> {
        let missing = || ExtractError::Arguments("there is none".to_owned());
        let raw = context.arguments.iter().next().ok_or_else(missing)?;
        Ok(if context.detach { raw.detach() } else { raw })
    }
}

impl<S: Subject> Extract<EventContext<S>> for Arguments {
    fn extract(context: &mut EventContext<S>) -> Result<Self, ExtractError> {
        Ok(context.kept_arguments())
    }
}

impl<S: Subject> Extract<EventContext<S>> for Attachments {
    fn extract(context: &mut EventContext<S>) -> Result<Self, ExtractError> {
        Ok(Self(context.kept_arguments()))
    }
}

impl<S: Subject> Extract<EventContext<S>> for Event {
    fn extract(context: &mut EventContext<S>) -> Result<Self, ExtractError> {
        let name = if context.detach {
            context.name.detach()
        } else {
            context.name.clone()
        };
        Ok(Self {
            name,
            arguments: context.kept_arguments(),
        })
    }
}

impl<S: Subject> Extract<EventContext<S>> for Ack {
    fn extract(context: &mut EventContext<S>) -> Result<Self, ExtractError> {
        let token = context.ack.take();
        Ok(Self(token.map(|token| context.socket.pending_ack(token))))
    }
}

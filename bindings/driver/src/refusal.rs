use serde::Serialize;

use crate::core::{EncodeError, JsonError, Raw};

/// Why a client may not join a namespace, as it is told: the `message` of its `connect_error`, and `data` if
/// it is to know more.
///
/// A text becomes one by `?` or `into()`. On a client it is what the server has said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    message: String,
    /// An error stays here until the refusal is sent, because only then can it be reported.
    data: Result<Option<Raw>, JsonError>,
}

impl Refusal {
    /// With a message for the client.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            data: Ok(None),
        }
    }

    /// With one JSON value for the client besides the message; binary data cannot be sent here.
    ///
    /// Data that cannot be serialised goes to the error hook, and the client gets the message alone.
    #[must_use]
    pub fn with_data<T: Serialize + ?Sized>(self, data: &T) -> Self {
        Self {
            data: Raw::encode(data).map(Some),
            ..self
        }
    }

    /// As a server has sent it.
    pub(crate) const fn received(message: String, data: Option<Raw>) -> Self {
        Self {
            message,
            data: Ok(data),
        }
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The data, if there is any that can be sent.
    pub fn data(&self) -> Option<&Raw> {
        self.data.as_ref().ok()?.as_ref()
    }

    /// Drops data that cannot be sent and says why.
    pub(crate) fn check(&mut self) -> Result<(), EncodeError> {
        match std::mem::replace(&mut self.data, Ok(None)) {
            Err(error) => Err(EncodeError::Arguments(error)),
            Ok(Some(data)) if !data.attachments().is_empty() => Err(EncodeError::UnexpectedBinary),
            data => {
                self.data = data;
                Ok(())
            }
        }
    }
}

impl From<&str> for Refusal {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

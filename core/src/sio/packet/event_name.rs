//! Names of events.

use core::fmt;

use bytes::{Bytes, BytesMut};

use crate::Text;
use crate::json::ArgumentKind;
use crate::sio::encode::write_json_string;

/// The name of an event: a string, or, as the protocol allows, a number.
///
/// Keeps the JSON it was written as, so that it can be sent on unchanged. Equal names are equal however
/// they were escaped; numbers are compared by their text.
#[derive(Clone)]
pub struct EventName {
    /// The JSON token, quotes included.
    token: Text,
    meaning: Meaning,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    /// A string that stands between its quotes as it is.
    Plain,
    /// What a string with escapes means.
    Unescaped(Text),
    /// A string with an escaped lone surrogate, which no Rust string can hold.
    LoneSurrogate,
    /// The token itself.
    Number,
}

impl EventName {
    /// The name as handlers know it. A name with an escaped lone surrogate is its text between the quotes,
    /// escapes and all; a number is its digits.
    pub fn as_str(&self) -> &str {
        match &self.meaning {
            Meaning::Unescaped(text) => text.as_str(),
            Meaning::Number => self.token.as_str(),
            Meaning::Plain | Meaning::LoneSurrogate => {
                let token = self.token.as_str();
                token.get(1..token.len().saturating_sub(1)).unwrap_or_default()
            }
        }
    }

    /// The name as it stood in the packet: a JSON string with its quotes, or a JSON number.
    pub fn raw(&self) -> &str {
        self.token.as_str()
    }

    /// Whether the name is a number.
    pub fn is_number(&self) -> bool {
        self.meaning == Meaning::Number
    }

    /// The same name in a buffer of its own, so that it keeps nothing else alive.
    pub fn detach(&self) -> Self {
        Self {
            token: self.token.detach(),
            meaning: self.meaning.clone(),
        }
    }

    /// `token` must be what the validator called `kind`; `None` for what is no name.
    pub(super) fn from_token(token: Bytes, kind: ArgumentKind) -> Option<Self> {
        let meaning = match kind {
            ArgumentKind::PlainString => Meaning::Plain,
            // It is valid JSON, so what serde_json refuses is the surrogate.
            ArgumentKind::EscapedString => serde_json::from_slice::<String>(&token)
                .map_or(Meaning::LoneSurrogate, |name| {
                    Meaning::Unescaped(Text::from(name))
                }),
            ArgumentKind::Number => Meaning::Number,
            ArgumentKind::Other => return None,
        };
        Some(Self {
            token: Text::from_utf8(token).ok()?,
            meaning,
        })
    }

    /// Whether the name belongs to the library (protocol 3.2). A number never does.
    pub(crate) fn is_reserved(&self) -> bool {
        is_reserved(self.as_str())
    }
}

/// Whether `name` belongs to the library and can be neither sent nor received (protocol 3.2).
pub fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "connect" | "connect_error" | "disconnect" | "disconnecting" | "newListener" | "removeListener"
    )
}

impl From<&str> for EventName {
    fn from(name: &str) -> Self {
        let mut token = BytesMut::with_capacity(name.len() + 2);
        write_json_string(&mut token, name);
        let plain = token.len() == name.len() + 2;
        let meaning = if plain {
            Meaning::Plain
        } else {
            Meaning::Unescaped(Text::from(name))
        };
        // The escapes of a string are a string.
        let token = Text::from_utf8(token.freeze()).unwrap_or_default();
        Self { token, meaning }
    }
}

impl PartialEq for EventName {
    fn eq(&self, other: &Self) -> bool {
        let class = |name: &Self| match name.meaning {
            Meaning::Plain | Meaning::Unescaped(_) => 0,
            Meaning::LoneSurrogate => 1,
            Meaning::Number => 2,
        };
        class(self) == class(other) && self.as_str() == other.as_str()
    }
}

impl Eq for EventName {}

impl PartialEq<str> for EventName {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for EventName {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for EventName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.raw())
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

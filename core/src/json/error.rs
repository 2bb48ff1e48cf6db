//! What can go wrong between Rust values and JSON text.

use core::fmt;

/// Why a value could not be written as JSON. Nothing has been written then.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncodeError {
    /// A map key is neither text nor a number, bool or char.
    KeyNotText,
    /// The value's own `Serialize` refused.
    Message(Box<str>),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyNotText => formatter.write_str(
                "a map key is no string, integer, bool or char: JSON has no other keys, use a list of pairs",
            ),
            Self::Message(message) => write!(formatter, "the value cannot be serialised: {message}"),
        }
    }
}

impl core::error::Error for EncodeError {}

impl serde::ser::Error for EncodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Message(message.to_string().into_boxed_str())
    }
}

/// Why JSON text could not be read as the wanted type. Offsets count bytes of the text given.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// The text is not JSON.
    Syntax {
        /// Where it stops being JSON.
        at: usize,
    },
    /// The bytes are not UTF-8.
    NotUtf8 {
        /// Where they stop being UTF-8.
        at: usize,
    },
    /// Arrays and objects are nested more than 1,024 levels deep.
    TooDeep {
        /// Where the level too many opens.
        at: usize,
    },
    /// A string holds half of a surrogate pair, which JavaScript can send and a Rust string cannot hold.
    LoneSurrogate {
        /// Where the string begins.
        at: usize,
    },
    /// A placeholder has no `num`, or one for which there is no attachment.
    Placeholder {
        /// Where the placeholder begins.
        at: usize,
    },
    /// Placeholders name the same attachments so often that copying them out would multiply the input.
    AttachmentsRepeated,
    /// An array or a one-variant object has more items than the type takes.
    Surplus {
        /// Where the first item too many begins.
        at: usize,
    },
    /// There are fewer arguments than the type needs.
    MissingArgument {
        /// Which one is missing, counted from 0.
        index: usize,
    },
    /// One argument is not of the type asked for.
    Argument {
        /// Which one, counted from 0.
        index: usize,
        /// What its type said.
        message: Box<str>,
    },
    /// The type did not accept the value.
    Message(Box<str>),
}

impl DecodeError {
    /// The same refusal with the argument it happened in.
    pub(super) fn in_argument(self, index: usize) -> Self {
        match self {
            Self::Message(message) => Self::Argument { index, message },
            other => other,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { at } => write!(formatter, "not JSON at byte {at}: check what the peer encodes"),
            Self::NotUtf8 { at } => write!(formatter, "not UTF-8 at byte {at}: send bytes as an attachment"),
            Self::TooDeep { at } => {
                write!(
                    formatter,
                    "nested more than 1024 levels at byte {at}: send a flatter value"
                )
            }
            Self::LoneSurrogate { at } => write!(
                formatter,
                "the string at byte {at} holds a lone surrogate: read it as json::Value or json::Raw"
            ),
            Self::Placeholder { at } => {
                write!(
                    formatter,
                    "the placeholder at byte {at} names no attachment: send one for each"
                )
            }
            Self::AttachmentsRepeated => {
                formatter.write_str("attachments are repeated too often: read the arguments as json::Raw")
            }
            Self::Surplus { at } => {
                write!(
                    formatter,
                    "more items than the type takes at byte {at}: use a Vec or a longer tuple"
                )
            }
            Self::MissingArgument { index } => {
                write!(
                    formatter,
                    "argument {index} is missing: make it an Option or have the peer send it"
                )
            }
            Self::Argument { index, message } => {
                let hint = binary_hint(message);
                write!(formatter, "argument {index} has another type: {message}{hint}")
            }
            Self::Message(message) => {
                let hint = binary_hint(message);
                write!(formatter, "the value has another type: {message}{hint}")
            }
        }
    }
}

/// The cure for an attachment read as `Vec<u8>`, which serde takes for a list of numbers.
fn binary_hint(message: &str) -> &'static str {
    if message.starts_with("invalid type: byte array") {
        "; read attachments as bytes::Bytes"
    } else {
        ""
    }
}

impl core::error::Error for DecodeError {}

impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Message(message.to_string().into_boxed_str())
    }
}

#[cfg(test)]
mod tests {
    use super::super::first_argument;
    use bytes::Bytes;

    #[test]
    fn an_attachment_read_as_a_list_of_numbers_is_pointed_to_bytes() {
        let (text, attachments) = (br#"{"_placeholder":true,"num":0}"#, [Bytes::from_static(b"a")]);
        let error = first_argument::<Vec<u8>>(text, &attachments).expect_err("bytes are no list");
        assert!(
            error.to_string().ends_with("; read attachments as bytes::Bytes"),
            "{error}"
        );
        let error = first_argument::<bool>(b"1", &[]).expect_err("a number is no bool");
        assert!(!error.to_string().contains("bytes::Bytes"), "{error}");
    }
}

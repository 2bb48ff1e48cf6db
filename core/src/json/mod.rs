//! JSON: the one-pass validator, verbatim text and values, and serde with attachments.
//!
//! Everything here speaks JSON *text plus attachments* (protocol section 3.3): bytes anywhere in a
//! value travel outside the text, and an object `{"_placeholder":true,"num":n}` stands where they
//! belong.
//!
//! * [`to_json`] and [`to_arguments`] write any `Serialize` type, [`from_json`], [`from_arguments`]
//!   and [`first_argument`] read any `Deserialize` type.
//! * [`Arguments`] and [`Raw`] keep text exactly as it came; [`Value`] is a tree that does.

mod arguments;
mod de;
mod error;
mod placeholder;
mod raw;
mod scan;
mod ser;
mod validate;
mod value;
mod verbatim;

pub use crate::args;
pub use arguments::{ArgumentList, Arguments, ArgumentsIter, Attachments};
pub use de::{first_argument, from_arguments, from_json};
pub use error::{DecodeError, EncodeError};
pub use raw::Raw;
pub use ser::{to_arguments, to_json};
pub(crate) use validate::find_special;
pub use validate::{
    ArgumentKind, ArgumentSpan, ArgumentsSpan, JsonError, Placeholders, validate, validate_arguments,
};
pub use value::{Array, JsonString, Number, Object, Value};

#[doc(hidden)]
pub use arguments::ArgumentItems;

//! The client's half: requests out, response heads in, and the cookies between them.

mod cookies;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use cookies::{CookieJar, MAX_COOKIE_BYTES, MAX_COOKIES};
pub use request::{Request, RequestKind};
pub use response::{ResponseDecoder, ResponseHead};

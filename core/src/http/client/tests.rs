mod cookies;
mod response;

use super::{ResponseDecoder, ResponseHead};
use crate::http::{HeadError, HeadLimits};
use bytes::BytesMut;

/// The head that `text` is, whole.
fn head(text: &str) -> Result<ResponseHead, HeadError> {
    let mut input = BytesMut::from(text);
    let mut decoder = ResponseDecoder::new(&HeadLimits::default());
    let head = decoder.poll_head(&mut input)?.expect("a whole head");
    assert!(input.is_empty(), "one head and nothing after it");
    Ok(head)
}

//! Values become packets here, on the caller's thread and outside every lock.

use std::cell::Cell;

use crate::core::{EncodeError, Encoded, Encoder, WriteArguments};
use crate::refusal::Refusal;

thread_local! {
    /// Taken out while in use: a `Serialize` that emits on its own finds the place empty and gets a fresh
    /// encoder, and a `Serialize` that panics takes a half-written encoder away with it.
    static ENCODER: Cell<Option<Encoder>> = const { Cell::new(None) };
}

/// Encodes an EVENT packet; the core inserts the acknowledgement id when one is wanted.
pub(crate) fn event<A: WriteArguments + ?Sized>(
    namespace: &str,
    event: &str,
    arguments: &A,
) -> Result<Encoded, EncodeError> {
    with_encoder(|encoder| encoder.event(namespace, event, arguments))
}

/// Encodes the ACK packet with this number.
pub(crate) fn ack<A: WriteArguments + ?Sized>(
    namespace: &str,
    number: u64,
    arguments: &A,
) -> Result<Encoded, EncodeError> {
    with_encoder(|encoder| encoder.ack(namespace, number, arguments))
}

/// Encodes the CONNECT packet by which a client asks for a namespace; `auth` is a JSON object.
pub(crate) fn connect(namespace: &str, auth: Option<&[u8]>) -> Result<Encoded, EncodeError> {
    with_encoder(|encoder| encoder.raw_connect(namespace, auth))
}

/// Encodes the CONNECT_ERROR packet of a refusal; [`Refusal::check`] has checked its data.
pub(crate) fn refusal(namespace: &str, refusal: &Refusal) -> Result<Encoded, EncodeError> {
    with_encoder(|encoder| encoder.connect_error(namespace, refusal.message(), refusal.data()))
}

fn with_encoder<R>(encode: impl FnOnce(&mut Encoder) -> R) -> R {
    // A thread that is ending has no place any more; its destructors may still emit.
    let mut encoder = ENCODER.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let result = encode(&mut encoder);
    let _ = ENCODER.try_with(|place| place.set(Some(encoder)));
    result
}

//! The names of events and auth fields.

use std::collections::BTreeMap;

use socketio_driver::Auth;

/// A number, a length, and a text of that length.
pub(super) const TEXT: &str = "text";
/// A number, a length, and two attachments.
pub(super) const BINARY: &str = "binary";
/// A number, and the index of the step whose action the server is to perform in the handler.
pub(super) const ACTION: &str = "action";
/// A call that is answered at once.
pub(super) const CALL: &str = "call";
/// A call that is answered after a while.
pub(super) const SLOW_CALL: &str = "slow-call";
/// A call that is answered after a call in the other direction.
pub(super) const NESTED_CALL: &str = "nested-call";
/// A call that is never answered.
pub(super) const UNANSWERED_CALL: &str = "unanswered-call";

const CLIENT_INDEX: &str = "client";

/// What a client sends as auth: its index in the scenario.
pub(super) type AuthFields = BTreeMap<String, usize>;

pub(super) fn auth_of(client_index: usize) -> AuthFields {
    BTreeMap::from([(CLIENT_INDEX.to_owned(), client_index)])
}

pub(super) fn client_index_of(Auth(fields): &Auth<AuthFields>) -> usize {
    fields.get(CLIENT_INDEX).copied().unwrap_or(0)
}

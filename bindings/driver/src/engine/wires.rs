//! The wires of both sides, as the one connection loop sees them.

use bytes::BytesMut;

use crate::core::{ClientItem, ClientWire, Codec, Flow, Item, OutBuf, Wire};

/// What turns the bytes of one connection into items and back.
pub(crate) trait ConnectionWire: Send + Unpin + 'static {
    /// What happened on the connection.
    type Item: Send;

    /// Whether reading goes on when nothing can be sent to the peer any more: it may have answered early.
    const READS_TO_END: bool;

    /// Whether nothing more is read while much is unwritten. Only one side may do so, or both would wait for
    /// each other.
    const WAITS: bool;

    /// Takes what was read.
    fn handle_input(&mut self, input: &mut BytesMut);

    /// The peer has ended its side; there may be more items because of it.
    fn handle_end(&mut self);

    /// The next thing that happened.
    fn poll_item(&mut self) -> Option<Self::Item>;

    /// Moves what is to be written to `output`.
    fn poll_output(&mut self, output: &mut OutBuf) -> Flow;

    /// Bytes that were read and are no items yet.
    fn buffered(&self) -> usize;

    /// Whether an item ends its session: it waits until what came before it was handled to its end.
    fn is_last(item: &Self::Item) -> bool;

    /// Whether the wire has answered the item and the core does not mind it.
    fn is_answered(item: &Self::Item) -> bool;
}

/// What both wires have under the same names.
macro_rules! forward_to_wire {
    () => {
        fn handle_input(&mut self, input: &mut BytesMut) {
            self.handle_input(input);
        }

        fn poll_item(&mut self) -> Option<Self::Item> {
            self.poll_item()
        }

        fn poll_output(&mut self, output: &mut OutBuf) -> Flow {
            self.poll_output(output)
        }

        fn buffered(&self) -> usize {
            self.buffered()
        }
    };
}

impl<C: Codec<Message: Send> + Send + Unpin + 'static> ConnectionWire for Wire<C> {
    type Item = Item<C::Message>;

    const READS_TO_END: bool = false;
    const WAITS: bool = true;

    forward_to_wire!();

    /// A request that is cut off is nobody's.
    fn handle_end(&mut self) {}

    fn is_last(item: &Self::Item) -> bool {
        item.is_last(C::is_violation)
    }

    fn is_answered(item: &Self::Item) -> bool {
        matches!(item, Item::KeepAlive)
    }
}

impl<C: Codec<Message: Send> + Send + Unpin + 'static> ConnectionWire for ClientWire<C> {
    type Item = ClientItem<C::Message>;

    const READS_TO_END: bool = true;
    const WAITS: bool = false;

    forward_to_wire!();

    fn handle_end(&mut self) {
        self.handle_end();
    }

    fn is_last(item: &Self::Item) -> bool {
        match item {
            ClientItem::Message(message) => C::is_violation(message),
            ClientItem::Close | ClientItem::Malformed(_) | ClientItem::Closed(_) | ClientItem::Failed(_) => {
                true
            }
            _ => false,
        }
    }

    fn is_answered(item: &Self::Item) -> bool {
        matches!(item, ClientItem::KeepAlive)
    }
}

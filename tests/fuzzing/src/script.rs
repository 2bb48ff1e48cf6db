//! Bytes of a fuzzer read as the steps of a scenario.

use socketio_core::sio::Delivery;
use socketio_core::ws::Role;

/// Ends a text, so that a fuzzer may insert into one without moving what follows. No UTF-8 contains it.
pub(crate) const END_OF_TEXT: u8 = 0xff;

/// Takes arguments off the front of an input; what is missing at its end reads as zero.
pub(crate) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// The next step, until the input is used up.
    pub(crate) fn step(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.step().unwrap_or_default()
    }

    /// A choice between two.
    pub(crate) fn is_even(&mut self) -> bool {
        self.byte() & 1 == 0
    }

    pub(crate) fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// A place in a list of `len`, which may not be empty.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::from(self.byte()) % len
    }

    /// One of a list, unless it is empty.
    pub(crate) fn choose<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        let index = self.choose_index(list.len())?;
        list.get(index).cloned()
    }

    /// A place in a list of `len`, unless it is empty, counted from the newest, with which most happens.
    pub(crate) fn choose_index(&mut self, len: usize) -> Option<usize> {
        let byte = usize::from(self.byte());
        let last = len.checked_sub(1)?;
        Some(last - byte % len)
    }

    /// Removes one from a list, unless it is empty.
    pub(crate) fn take<T>(&mut self, list: &mut Vec<T>) -> Option<T> {
        (!list.is_empty()).then(|| list.swap_remove(self.index(list.len())))
    }

    pub(crate) fn delivery(&mut self) -> Delivery {
        match self.is_even() {
            true => Delivery::Reliable,
            false => Delivery::Volatile,
        }
    }

    /// The end that reads frames.
    pub(crate) fn role(&mut self) -> Role {
        match self.is_even() {
            true => Role::Server,
            false => Role::Client,
        }
    }

    /// Bytes up to [`END_OF_TEXT`] or the end.
    pub(crate) fn text(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == END_OF_TEXT);
        let text = self.0.get(..end.unwrap_or(self.0.len())).unwrap_or_default();
        self.0 = self.0.get(text.len() + 1..).unwrap_or_default();
        text
    }

    /// As many bytes as the first one says.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }
}

use bytes::Bytes;
use core::fmt;

/// Text as it travels: a cheap slice of the buffer it arrived in, known to be UTF-8.
///
/// Cloning and slicing share the buffer, so a small text may keep a large read buffer alive;
/// [`Text::detach`] copies it out.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(Bytes);

impl Text {
    /// Text from the program itself; nothing is copied.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// Checks `bytes` once; the error says where they stop being UTF-8.
    pub fn from_utf8(bytes: Bytes) -> Result<Self, core::str::Utf8Error> {
        core::str::from_utf8(&bytes)?;
        Ok(Self(bytes))
    }

    /// The text as a string slice.
    pub fn as_str(&self) -> &str {
        // Bytes enter only through constructors that checked them; without `unsafe` the check is
        // made again, at a few nanoseconds for the short texts this is called on.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The UTF-8 bytes of the text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The shared buffer behind the text.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The part of the text in `range`, sharing its buffer; `None` unless the range lies inside the
    /// text and on character boundaries.
    pub fn slice(&self, range: core::ops::Range<usize>) -> Option<Self> {
        let is_boundary = |at: usize| match self.0.get(at) {
            // Every byte but the second to fourth of a character begins one.
            Some(byte) => byte & 0xc0 != 0x80,
            None => at == self.0.len(),
        };
        let is_inside = range.start <= range.end && is_boundary(range.start) && is_boundary(range.end);
        is_inside.then(|| Self(self.0.slice(range)))
    }

    /// The same text in a buffer of its own, so that it keeps nothing else alive.
    pub fn detach(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

impl core::borrow::Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), formatter)
    }
}

use super::error::HeaderError;
use super::syntax::{elements, is_field_value, is_token};
use bytes::{BufMut, Bytes, BytesMut};
use core::fmt;

/// Headers that frame the message or complete the handshake; requests and responses write them themselves.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "keep-alive",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
];

/// The headers of a response, in the order they are sent. Names are compared in any case.
///
/// Every name and value is checked when it enters, so a list always makes a sound head.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    entries: Vec<(Bytes, Bytes)>,
}

impl Headers {
    /// An empty list.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds a header behind the others, also when one of that name is there.
    ///
    /// # Errors
    ///
    /// The name is no token, the value holds a control character, or the header is one the
    /// response writes itself.
    pub fn append(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) -> Result<(), HeaderError> {
        let (name, value) = checked(name.into(), value.into())?;
        self.entries.push((name, value));
        Ok(())
    }

    /// Puts `value` in place of every header called `name`, where the first of them stood.
    ///
    /// # Errors
    ///
    /// As for [`Self::append`].
    pub fn set(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) -> Result<(), HeaderError> {
        let (name, value) = checked(name.into(), value.into())?;
        let mut fresh = Some(value);
        self.entries.retain_mut(|(known, old)| {
            if !known.eq_ignore_ascii_case(&name) {
                return true;
            }
            fresh.take().map(|value| *old = value).is_some()
        });
        if let Some(value) = fresh {
            self.entries.push((name, value));
        }
        Ok(())
    }

    /// Adds `field` to the `Vary` header, unless it is named there or `*` is.
    ///
    /// # Errors
    ///
    /// `field` is no header name.
    pub fn vary(&mut self, field: &str) -> Result<(), HeaderError> {
        if !is_token(field.as_bytes()) {
            return Err(HeaderError::InvalidValue);
        }
        let Some((_, value)) = self
            .entries
            .iter_mut()
            .find(|(name, _)| name.eq_ignore_ascii_case(b"vary"))
        else {
            self.entries.push((
                Bytes::from_static(b"Vary"),
                Bytes::copy_from_slice(field.as_bytes()),
            ));
            return Ok(());
        };
        let named = |known: &[u8]| known == b"*" || known.eq_ignore_ascii_case(field.as_bytes());
        if !elements(value).any(named) {
            let separator: &[u8] = if value.is_empty() { b"" } else { b", " };
            *value = Bytes::from([value.as_ref(), separator, field.as_bytes()].concat());
        }
        Ok(())
    }

    /// Takes out every header called `name`.
    pub fn remove(&mut self, name: &str) {
        self.entries
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name.as_bytes()));
    }

    /// The value of the first header called `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.entries
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_ref())
    }

    /// Every header in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        // Names are tokens, so they are UTF-8.
        self.entries
            .iter()
            .map(|(name, value)| (core::str::from_utf8(name).unwrap_or_default(), value.as_ref()))
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a header whose name and value stand in this crate or were checked.
    pub(crate) fn append_known(&mut self, name: &'static str, value: impl Into<Bytes>) {
        self.entries
            .push((Bytes::from_static(name.as_bytes()), value.into()));
    }

    /// Adds all of `other` behind the own ones.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.entries.extend_from_slice(&other.entries);
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        for (name, value) in &self.entries {
            out.put_slice(name);
            out.put_slice(b": ");
            out.put_slice(value);
            out.put_slice(b"\r\n");
        }
    }

    pub(super) fn written_len(&self) -> usize {
        self.entries
            .iter()
            .map(|(name, value)| name.len().saturating_add(value.len()).saturating_add(4))
            .sum()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may hold credentials (`Set-Cookie`).
        formatter
            .debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

fn checked(name: Bytes, value: Bytes) -> Result<(Bytes, Bytes), HeaderError> {
    if !is_token(&name) {
        return Err(HeaderError::InvalidName);
    }
    if RESERVED
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved.as_bytes()))
    {
        return Err(HeaderError::Reserved);
    }
    if !is_field_value(&value) {
        return Err(HeaderError::InvalidValue);
    }
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::{HeaderError, Headers};

    #[test]
    fn header_injection_is_refused() {
        let mut headers = Headers::new();
        assert_eq!(
            headers.append("X-A", "b\r\nSet-Cookie: c"),
            Err(HeaderError::InvalidValue)
        );
        assert_eq!(headers.append("X-A", "b\nc"), Err(HeaderError::InvalidValue));
        assert_eq!(headers.set("X-A", "b\0"), Err(HeaderError::InvalidValue));
        assert_eq!(headers.append("X: A\r\n", "b"), Err(HeaderError::InvalidName));
        assert_eq!(headers.append("", "b"), Err(HeaderError::InvalidName));
        assert_eq!(headers.append("content-LENGTH", "1"), Err(HeaderError::Reserved));
        assert_eq!(headers.vary("a\r\nb"), Err(HeaderError::InvalidValue));
        assert!(headers.is_empty());
    }

    #[test]
    fn setting_replaces_every_header_of_that_name_in_place() {
        let mut headers = Headers::new();
        for (name, value) in [("A", "1"), ("B", "2"), ("a", "3")] {
            headers.append(name, value).unwrap();
        }
        headers.set("a", "4").unwrap();
        headers.set("c", "5").unwrap();
        let list: Vec<_> = headers.iter().collect();
        assert_eq!(list, [("A", &b"4"[..]), ("B", b"2"), ("c", b"5")]);
    }

    #[test]
    fn vary_is_merged_without_repeating() {
        let mut headers = Headers::new();
        headers.vary("Origin").unwrap();
        headers.vary("origin").unwrap();
        headers.vary("Access-Control-Request-Headers").unwrap();
        assert_eq!(
            headers.get("vary"),
            Some(&b"Origin, Access-Control-Request-Headers"[..])
        );
        headers.set("Vary", "*").unwrap();
        headers.vary("Origin").unwrap();
        assert_eq!(headers.get("Vary"), Some(&b"*"[..]));
        assert_eq!(headers.len(), 1);
    }
}

use super::error::HeadError;
use super::fields::Field;
use super::syntax::{elements, trim};
use super::{BodyLength, Version};

/// What the headers that frame a message said so far, a request's or a response's: how long its body is
/// and what becomes of the connection (RFC 9112 sections 6 and 9).
#[derive(Default)]
pub(super) struct Framing {
    content_length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    connection_upgrade: bool,
    upgrade_websocket: bool,
}

impl Framing {
    /// Takes in one header; those that frame nothing are ignored.
    pub(super) fn add(&mut self, field: Field, value: &[u8]) -> Result<(), HeadError> {
        match field {
            Field::Connection => self.add_connection(value),
            Field::ContentLength => return self.add_content_length(value),
            Field::TransferEncoding => return self.add_transfer_encoding(value),
            Field::Upgrade => {
                self.upgrade_websocket |= elements(value).any(|name| name.eq_ignore_ascii_case(b"websocket"));
            }
            _ => {}
        }
        Ok(())
    }

    /// How the body is delimited; `None` when no header says so.
    pub(super) fn body(&self, version: Version) -> Result<Option<BodyLength>, HeadError> {
        match (self.content_length, self.chunked) {
            (Some(_), true) => Err(HeadError::LengthAndTransferEncoding),
            (None, true) if version == Version::Http10 => Err(HeadError::TransferEncodingInHttp10),
            (None, true) => Ok(Some(BodyLength::Chunked)),
            (Some(length), false) => Ok(Some(BodyLength::Length(length))),
            (None, false) => Ok(None),
        }
    }

    /// Whether the connection stays for another exchange.
    pub(super) fn keeps_alive(&self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }

    /// Whether the message turns to WebSocket. Upgrade wishes of HTTP/1.0 are ignored.
    pub(super) fn asks_for_websocket(&self, version: Version) -> bool {
        self.connection_upgrade && self.upgrade_websocket && version == Version::Http11
    }

    fn add_connection(&mut self, value: &[u8]) {
        for option in elements(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.connection_upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    fn add_content_length(&mut self, value: &[u8]) -> Result<(), HeadError> {
        let length = parse_length(value).ok_or(HeadError::InvalidContentLength)?;
        match self.content_length.replace(length) {
            Some(earlier) if earlier != length => Err(HeadError::ConflictingContentLengths),
            _ => Ok(()),
        }
    }

    fn add_transfer_encoding(&mut self, value: &[u8]) -> Result<(), HeadError> {
        if self.chunked || !trim(value).eq_ignore_ascii_case(b"chunked") {
            return Err(HeadError::UnknownTransferEncoding);
        }
        self.chunked = true;
        Ok(())
    }
}

/// A decimal number of digits alone: no sign, no list, no whitespace inside.
fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |length, &byte| {
        let digit = byte.is_ascii_digit().then(|| byte.wrapping_sub(b'0'))?;
        length.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

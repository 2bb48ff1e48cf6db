use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// What a server appends to the client's key (RFC 6455 section 1.3).
const ACCEPT_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The `Sec-WebSocket-Accept` that answers the `Sec-WebSocket-Key` in `key` (RFC 6455 section 4.2.2): ASCII.
///
/// A server checks the key with [`is_valid_key`] first; this accepts any bytes.
pub fn accept_key(key: &[u8]) -> [u8; 28] {
    let digest: [u8; 20] = Sha1::new()
        .chain_update(key)
        .chain_update(ACCEPT_SUFFIX)
        .finalize()
        .into();
    let mut accept = [b'='; 28];
    let written = STANDARD.encode_slice(digest, &mut accept);
    debug_assert_eq!(written, Ok(28));
    accept
}

/// A `Sec-WebSocket-Key` for a client: sixteen bytes that nobody can foresee, in base64 (RFC 6455 section 4.1).
pub(crate) fn encode_key(nonce: [u8; 16]) -> [u8; 24] {
    let mut key = [b'='; 24];
    let written = STANDARD.encode_slice(nonce, &mut key);
    debug_assert_eq!(written, Ok(24));
    key
}

/// Whether `key` has the form of a `Sec-WebSocket-Key`: sixteen bytes in base64 (RFC 6455 section 4.1).
///
/// The four bits that pad the last digit may have any value, as in other servers: nothing reads them.
pub fn is_valid_key(key: &[u8]) -> bool {
    let Some((digits, b"==")) = key.split_last_chunk::<2>() else {
        return false;
    };
    digits.len() == 22
        && digits
            .iter()
            .all(|digit| digit.is_ascii_alphanumeric() || b"+/".contains(digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_accepted() {
        assert_eq!(
            &accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="),
            b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn only_sixteen_bytes_of_base64_are_a_key() {
        for key in [
            "dGhlIHNhbXBsZSBub25jZQ==",
            "AAAAAAAAAAAAAAAAAAAAAA==",
            "+/+/+/+/+/+/+/+/+/+/+/==",
        ] {
            assert!(is_valid_key(key.as_bytes()), "{key}");
        }
        for key in [
            "",
            "==",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ= ",
            "dGhlIHNhbXBsZSBub25jZ===",
            "dGhlIHNhbXBsZSBub25jZQAA",
            "dGhlIHNhbXBsZSBub25j_Q==",
            "dGhlIHNhbXBsZSBub25jZQAAAA==",
        ] {
            assert!(!is_valid_key(key.as_bytes()), "{key}");
        }
    }
}

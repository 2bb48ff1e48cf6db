/// Masks or unmasks `data` in place (RFC 6455 section 5.3; both are the same operation).
///
/// `offset` is the position of `data` in the frame's payload, so that a payload may be masked in pieces.
pub fn mask(data: &mut [u8], mut key: [u8; 4], offset: usize) {
    key.rotate_left(offset % 4);
    // The same key four times: sixteen bytes go through one vector register.
    let wide = u128::from(u32::from_ne_bytes(key)) * 0x0000_0001_0000_0001_0000_0001_0000_0001;
    let (chunks, tail) = data.as_chunks_mut::<16>();
    for chunk in chunks {
        *chunk = (u128::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::mask;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn masking_equals_the_definition_in_the_rfc(
            data in prop::collection::vec(any::<u8>(), 0..100),
            key: [u8; 4],
            offset in 0_usize..9,
        ) {
            let expected: Vec<u8> =
                data.iter().enumerate().map(|(i, byte)| byte ^ key[(i + offset) % 4]).collect();
            let mut masked = data;
            mask(&mut masked, key, offset);
            prop_assert_eq!(masked, expected);
        }
    }
}

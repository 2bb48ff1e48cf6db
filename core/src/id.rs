use core::fmt;
use core::hash::{BuildHasher, Hasher};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use siphasher::sip::SipHasher13;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// An id of 20 characters as both protocols use them: one byte of shard number and 112 random bits.
///
/// The id of an Engine.IO session is a credential, the id of a Socket.IO socket is public; the two are never
/// derived from each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid([u8; 20]);

impl Sid {
    /// Reads an id back from its text; `None` unless it is 20 characters of the base64url alphabet.
    pub fn parse(text: &str) -> Option<Self> {
        let characters: [u8; 20] = text.as_bytes().try_into().ok()?;
        characters
            .iter()
            .all(|byte| ALPHABET.contains(byte))
            .then_some(Self(characters))
    }

    /// The 20 characters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The number of the shard that made the id.
    pub fn shard(&self) -> u8 {
        let value = |byte: u8| {
            ALPHABET
                .iter()
                .position(|other| *other == byte)
                .unwrap_or_default() as u8
        };
        let [first, second, ..] = self.0;
        (value(first) << 2) | (value(second) >> 4)
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl serde::Serialize for Sid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// All chance in the core: a generator that gives the same ids for the same seed.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha8Rng::from_seed(seed))
    }

    pub(crate) fn sid(&mut self, shard: u8) -> Sid {
        let mut bytes = [0u8; 15];
        self.0.fill_bytes(&mut bytes);
        bytes[0] = shard;
        let mut characters = [0u8; 20];
        for (group, target) in bytes
            .as_chunks::<3>()
            .0
            .iter()
            .zip(characters.as_chunks_mut::<4>().0)
        {
            let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
            for (place, character) in target.iter_mut().enumerate() {
                *character = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63];
            }
        }
        Sid(characters)
    }

    /// A seed for another generator.
    pub(crate) fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }

    /// A number, each as likely as any other.
    pub(crate) fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// The key of one WebSocket mask.
    pub(crate) fn mask_key(&mut self) -> [u8; 4] {
        self.0.next_u32().to_ne_bytes()
    }

    /// Any sixteen bytes.
    pub(crate) fn nonce(&mut self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.0.fill_bytes(&mut nonce);
        nonce
    }

    pub(crate) fn keyed(&mut self) -> Keyed {
        Keyed {
            first: self.0.next_u64(),
            second: self.0.next_u64(),
        }
    }
}

/// A keyed hasher for tables whose keys a peer chooses.
#[derive(Clone, Copy)]
pub(crate) struct Keyed {
    first: u64,
    second: u64,
}

impl BuildHasher for Keyed {
    type Hasher = KeyedHasher;

    fn build_hasher(&self) -> KeyedHasher {
        KeyedHasher(SipHasher13::new_with_keys(self.first, self.second))
    }
}

pub(crate) struct KeyedHasher(SipHasher13);

impl Hasher for KeyedHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_the_seed_and_carry_the_shard() {
        let mut random = Random::new([7; 32]);
        let first = random.sid(200);
        let second = random.sid(200);
        assert_ne!(first, second);
        assert_eq!(first.shard(), 200);
        assert_eq!(Sid::parse(first.as_str()), Some(first));
        assert_eq!(Random::new([7; 32]).sid(200), first);
        assert_eq!(Sid::parse("short"), None);
        assert_eq!(Sid::parse("AAAAAAAAAAAAAAAAAAA,"), None);
    }
}

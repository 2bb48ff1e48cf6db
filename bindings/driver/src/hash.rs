use std::hash::{BuildHasherDefault, Hasher};

/// A hash map whose order and speed are the same in every run.
///
/// Keys are chosen by the application or counted by the core, never by a peer, so nobody can aim at
/// collisions and no random key is needed; randomness would keep seeds from replaying.
pub(crate) type FixedMap<K, V> = hashbrown::HashMap<K, V, BuildHasherDefault<Fnv>>;

/// FNV-1a, 64 bits: short keys, no state to seed.
#[derive(Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

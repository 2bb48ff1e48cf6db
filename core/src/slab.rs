//! A slab whose keys carry a generation, so that a stale key finds nothing.

/// Where a value stands and which of the values that stood there it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

pub(crate) struct Slab<T> {
    entries: Vec<Entry<T>>,
    free: Option<u32>,
    len: usize,
}

struct Entry<T> {
    generation: u32,
    slot: Slot<T>,
}

enum Slot<T> {
    Taken(T),
    Free { next: Option<u32> },
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: None,
            len: 0,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// How many values there is room for.
    #[cfg(test)]
    pub(crate) const fn capacity(&self) -> usize {
        self.entries.len()
    }

    /// The key the next [`Slab::insert`] will return.
    pub(crate) fn next_key(&self) -> Key {
        let index = self.free.unwrap_or(self.entries.len() as u32);
        let generation = self
            .entries
            .get(index as usize)
            .map_or(0, |entry| entry.generation);
        Key { index, generation }
    }

    pub(crate) fn insert(&mut self, value: T) -> Key {
        let key = self.next_key();
        self.len += 1;
        match self.entries.get_mut(key.index as usize) {
            Some(entry) => {
                if let Slot::Free { next } = entry.slot {
                    self.free = next;
                }
                entry.slot = Slot::Taken(value);
            }
            None => {
                if self.entries.len() == self.entries.capacity() {
                    // Doubling would leave up to half of the room unused, and entries are large.
                    self.entries.reserve_exact((self.entries.len() / 4).max(8));
                }
                self.entries.push(Entry {
                    generation: key.generation,
                    slot: Slot::Taken(value),
                });
            }
        }
        key
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        match self.entries.get(key.index as usize) {
            Some(Entry {
                generation,
                slot: Slot::Taken(value),
            }) if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.entries.get_mut(key.index as usize) {
            Some(Entry {
                generation,
                slot: Slot::Taken(value),
            }) if *generation == key.generation => Some(value),
            _ => None,
        }
    }

    /// Takes the value out; the key, and every copy of it, is stale from now on.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        let entry = self.entries.get_mut(key.index as usize)?;
        entry.generation = entry.generation.wrapping_add(1);
        let slot = core::mem::replace(&mut entry.slot, Slot::Free { next: self.free });
        self.free = Some(key.index);
        self.len -= 1;
        match slot {
            Slot::Taken(value) => Some(value),
            Slot::Free { .. } => None,
        }
    }

    /// The keys of all values, in the order of their places.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let taken = |(index, entry): (usize, &Entry<T>)| match entry.slot {
            Slot::Taken(_) => Some(Key {
                index: index as u32,
                generation: entry.generation,
            }),
            Slot::Free { .. } => None,
        };
        self.entries.iter().enumerate().filter_map(taken).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_finds_nothing_after_its_place_was_taken_again() {
        let mut slab = Slab::new();
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(second.index, first.index);
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&"second"));
        assert_eq!(slab.len(), 1);
        assert_eq!(slab.keys(), vec![second]);
    }
}

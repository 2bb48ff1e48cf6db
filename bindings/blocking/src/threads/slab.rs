//! Places that are used again, found by keys that are not.

/// How many bits of a key are the place; the others count how often it was used.
const PLACE_BITS: u32 = if usize::BITS >= 64 { 32 } else { 20 };

/// Values by keys that this makes. The key of a value that was removed finds nothing.
#[derive(Debug)]
pub(super) struct Slab<T> {
    entries: Vec<Entry<T>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Entry<T> {
    uses: usize,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(super) fn insert(&mut self, value: T) -> usize {
        let place = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry { uses: 0, value: None });
            self.entries.len() - 1
        });
        match self.entries.get_mut(place) {
            Some(entry) => {
                entry.value = Some(value);
                place | entry.uses << PLACE_BITS
            }
            None => place,
        }
    }

    pub(super) fn get(&self, key: usize) -> Option<&T> {
        let entry = self.entries.get(place(key))?;
        entry.value.as_ref().filter(|_| entry.uses == uses(key))
    }

    pub(super) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        let entry = self.entries.get_mut(place(key))?;
        entry.value.as_mut().filter(|_| entry.uses == uses(key))
    }

    pub(super) fn remove(&mut self, key: usize) -> Option<T> {
        let entry = self.entries.get_mut(place(key))?;
        if entry.uses != uses(key) {
            return None;
        }
        let value = entry.value.take()?;
        // The key of all ones is left to others.
        entry.uses = (entry.uses + 1) & (usize::MAX >> (PLACE_BITS + 1));
        self.free.push(place(key));
        Some(value)
    }

    pub(super) const fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().filter_map(|entry| entry.value.as_ref())
    }
}

const fn place(key: usize) -> usize {
    key & ((1 << PLACE_BITS) - 1)
}

const fn uses(key: usize) -> usize {
    key >> PLACE_BITS
}

#[cfg(test)]
mod tests {
    use super::Slab;

    #[test]
    fn a_place_is_used_again_and_its_old_key_finds_nothing() {
        let mut slab = Slab::new();
        let first = slab.insert('a');
        assert_eq!((slab.remove(first), slab.len()), (Some('a'), 0));
        let second = slab.insert('b');
        assert_ne!(first, second);
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.get_mut(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!((slab.get(second), slab.len()), (Some(&'b'), 1));
        assert_eq!(slab.values().collect::<Vec<_>>(), [&'b']);
    }
}

//! A map that holds a limited number of things and forgets what was used longest ago.

use std::collections::HashMap;
use std::hash::Hash;

/// Looking for what to forget reads everything, so it is for thousands of entries, not for millions.
pub(crate) struct Kept<K, V> {
    entries: HashMap<K, Entry<V>>,
    turn: u64,
    count_max: usize,
}

struct Entry<V> {
    used: u64,
    value: V,
}

impl<K: Eq + Hash + Copy, V> Kept<K, V> {
    pub(crate) fn new(count_max: usize) -> Self {
        Self { entries: HashMap::new(), turn: 0, count_max }
    }

    pub(crate) fn get(&mut self, key: &K) -> Option<&mut V> {
        self.turn += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.turn;
        Some(&mut entry.value)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.turn += 1;
        if self.entries.len() >= self.count_max && !self.entries.contains_key(&key) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key);
            oldest.and_then(|key| self.entries.remove(&key));
        }
        self.entries.insert(key, Entry { used: self.turn, value });
    }

    pub(crate) fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_is_forgotten_first() {
        let mut kept = Kept::new(2);
        kept.insert(1, "one");
        kept.insert(2, "two");
        assert_eq!(kept.get(&1), Some(&mut "one"));
        kept.insert(3, "three");
        assert_eq!((kept.get(&1).is_some(), kept.get(&2).is_some(), kept.len()), (true, false, 2));
        kept.insert(3, "drei");
        assert_eq!(kept.get(&3), Some(&mut "drei"));
        assert_eq!(kept.len(), 2);
        kept.remove(&3);
        kept.clear();
        assert_eq!(kept.len(), 0);
    }
}

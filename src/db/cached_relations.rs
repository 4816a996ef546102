//! Which relations a server process may have in its caches, where each takes about 4 KB until the process ends. Pure.

use std::collections::HashSet;

/// The relations that a connection was told of, by OID, and how many they are with their partitions and indexes.
#[derive(Debug, Default)]
pub struct CachedRelations {
    known: HashSet<u32>,
    count: u64,
}

impl CachedRelations {
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether there are some, and would be more than `most` with these. One that is known already counts once.
    pub fn would_exceed(&self, most: u64, relations: &[(u32, u64)]) -> bool {
        let new = relations.iter().filter(|(oid, _)| !self.known.contains(oid)).map(|(_, relations)| relations);
        self.count > 0 && self.count + new.sum::<u64>() > most
    }

    pub fn add(&mut self, relations: &[(u32, u64)]) {
        for (oid, relations) in relations {
            if self.known.insert(*oid) {
                self.count += relations;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_again_counts_once_and_the_first_read_exceeds_nothing() {
        let mut cached = CachedRelations::default();
        assert!(!cached.would_exceed(500, &[(1, 900)]), "no other process could read it");
        cached.add(&[(1, 300), (2, 200), (1, 300)]);
        assert_eq!(cached.count(), 500);
        assert!(!cached.would_exceed(500, &[(1, 300), (2, 200)]));
        assert!(cached.would_exceed(500, &[(1, 300), (3, 1)]));
    }
}

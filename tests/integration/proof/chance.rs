//! Random numbers, all from one seed.

use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use std::hash::{BuildHasher, Hasher, RandomState};

/// `PROOF_SEED`, or a random seed.
pub fn seed() -> u64 {
    match std::env::var("PROOF_SEED") {
        Ok(seed) => seed.parse().expect("PROOF_SEED is a whole number"),
        Err(_) => RandomState::new().build_hasher().finish(),
    }
}

pub struct Chance(TestRng);

impl Chance {
    /// A separate stream of random numbers for each task, so that the tasks do not affect each other's numbers.
    pub fn new(seed: u64, row: u8) -> Self {
        let mut bytes = [row; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0.random_range(0..limit)
    }

    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

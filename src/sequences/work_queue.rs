//! Work that several connections share.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The first connection takes from the front, the second from the back, a third from the middle. So each gets about the same
/// sequences whenever a queue is in the same order, and its server process has them in its caches.
#[derive(Debug)]
pub struct WorkQueue<T>(Mutex<Left<T>>);

#[derive(Debug)]
struct Left<T> {
    work: VecDeque<T>,
    /// Taken when nothing else is left.
    last: VecDeque<T>,
}

impl<T> WorkQueue<T> {
    pub fn new(work: impl IntoIterator<Item = T>) -> Self {
        Self(Mutex::new(Left { work: work.into_iter().collect(), last: VecDeque::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, Left<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the connection with this number, from 0 on, does next.
    pub fn next(&self, connection: usize) -> Option<T> {
        let mut left = self.lock();
        let next = match connection {
            0 => left.work.pop_front(),
            1 => left.work.pop_back(),
            _ => {
                let middle = left.work.len() / 2;
                left.work.remove(middle)
            }
        };
        next.or_else(|| left.last.pop_front())
    }

    /// Adds what is to be done after all else.
    pub fn add_last(&self, work: T) {
        self.lock().last.push_back(work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_takes_its_side_and_what_was_added_comes_last() {
        let queue = WorkQueue::new(1..=6);
        queue.add_last(7);
        let taken: Vec<_> = [0, 1, 2, 0, 1, 2, 1, 0].map(|connection| queue.next(connection)).into();
        assert_eq!(taken, [Some(1), Some(6), Some(4), Some(2), Some(5), Some(3), Some(7), None]);
    }
}

//! What few of many have: the others take the room of a pointer for it.

use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// Parts that most of many thousands do not have. Where all of them are empty nothing is kept, and they read as empty.
#[derive(Debug, Clone)]
pub struct Rare<T>(Option<Box<T>>);

/// A type whose values are mostly empty.
pub trait MostlyEmpty: Default + Eq + 'static {
    /// The empty one, which is the default too.
    fn empty() -> &'static Self;
}

impl<T: MostlyEmpty> Rare<T> {
    /// The parts, to be changed, where there are any.
    pub fn parts_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Gives the room back where all parts are empty.
    pub fn shrink_to_fit(&mut self) {
        self.0.take_if(|parts| **parts == *T::empty());
    }
}

impl<T: MostlyEmpty> From<T> for Rare<T> {
    fn from(parts: T) -> Self {
        Self((parts != *T::empty()).then(|| Box::new(parts)))
    }
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: MostlyEmpty> Deref for Rare<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or_else(|| T::empty())
    }
}

impl<T: MostlyEmpty> DerefMut for Rare<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: MostlyEmpty> PartialEq for Rare<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: MostlyEmpty> Eq for Rare<T> {}

impl<T: MostlyEmpty + Hash> Hash for Rare<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl MostlyEmpty for Vec<u32> {
        fn empty() -> &'static Self {
            static EMPTY: Vec<u32> = Vec::new();
            &EMPTY
        }
    }

    #[test]
    fn what_is_empty_takes_no_room_and_equals_what_was_emptied() {
        let mut list = Rare::<Vec<u32>>::default();
        assert!(list.is_empty());
        list.push(7);
        assert_eq!(*list, [7]);
        list.clear();
        assert_eq!(list, Rare::default());
        list.shrink_to_fit();
        assert!(list.0.is_none());
        assert!(Rare::from(Vec::new()).0.is_none());
        assert_eq!(*Rare::from(vec![7]), [7]);
    }
}

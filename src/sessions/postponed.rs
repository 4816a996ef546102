//! Which sessions that cannot be ended are tried again, and in which pass: arithmetic only.
//!
//! Trying one locks it, and the row that keeps it is often there for days. So an agent tries them again after one pass,
//! then after three more, seven more, and so on; a session that is changed meanwhile has another address, and is tried.

use super::blocked::Blocked;

/// At most so many passes in between, as a power of two: about an hour where there is one a minute.
const LONGEST: u32 = 6;

/// More sessions are not remembered: all of them are tried in each pass.
const MOST: u64 = 5000;

/// The sessions of a store that could not be ended.
#[derive(Debug, Clone, Default)]
pub struct Postponed {
    over: Blocked,
    superseded: Blocked,
    /// Passes that leave them alone from now on.
    passes: u32,
    /// Times in a row that they were tried without an effect.
    tried: u32,
}

impl Postponed {
    /// The sessions that a pass leaves alone: of those that are over, and of superseded ones.
    pub fn left_alone(&self) -> (Blocked, Blocked) {
        if self.passes == 0 { Default::default() } else { (self.over.all_again(), self.superseded.all_again()) }
    }

    /// The same after that pass, which could not end these.
    pub fn after(&self, over: Blocked, superseded: Blocked) -> Self {
        let count = over.count() + superseded.count();
        if count == 0 || count > MOST {
            return Self::default();
        }
        if self.passes > 0 {
            return Self { over, superseded, passes: self.passes - 1, tried: self.tried };
        }
        let has_effect = count < self.over.count() + self.superseded.count();
        let tried = if has_effect { 1 } else { self.tried + 1 };
        Self { over, superseded, passes: (1 << tried.min(LONGEST)) - 1, tried }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::statements::Address;
    use pgmedic_core::{Reason, ReasonKind};

    fn blocked(count: i64) -> Blocked {
        let mut blocked = Blocked::default();
        for place in 0..count {
            let address = Address::of(&format!("(0,{place})"));
            blocked.add("23503".to_owned(), address, Reason::new(ReasonKind::ForeignKey, "referred to"));
        }
        blocked
    }

    /// Whether each of the next passes tries them again.
    fn tries(postponed: &mut Postponed, passes: usize, count: i64) -> Vec<bool> {
        let mut tries = Vec::new();
        for _ in 0..passes {
            let (left_alone, _) = postponed.left_alone();
            tries.push(left_alone.addresses().is_empty());
            let now = if left_alone.addresses().is_empty() { blocked(count) } else { left_alone };
            *postponed = postponed.after(now, Blocked::default());
        }
        tries
    }

    #[test]
    fn they_are_tried_ever_less_often_while_nothing_changes() {
        let mut postponed = Postponed::default();
        let expected =
            [true, false, true, false, false, false, true, false, false, false, false, false, false, false, true];
        assert_eq!(tries(&mut postponed, expected.len(), 3), expected);
        let later = tries(&mut postponed, 1000, 3).iter().filter(|tries| **tries).count();
        assert!((10..20).contains(&later), "{later} of a thousand passes try them");
    }

    #[test]
    fn they_are_tried_soon_again_where_some_could_be_ended_and_forgotten_where_none_is_left() {
        let mut postponed = Postponed::default();
        tries(&mut postponed, 14, 3);
        assert_eq!(tries(&mut postponed, 3, 2), [true, false, true]);
        postponed = postponed.after(Blocked::default(), Blocked::default());
        assert_eq!(tries(&mut postponed, 3, 1), [true, false, true]);
    }

    #[test]
    fn too_many_to_be_remembered_are_tried_each_time() {
        let mut postponed = Postponed::default();
        assert_eq!(tries(&mut postponed, 3, 5001), [true; 3]);
    }
}

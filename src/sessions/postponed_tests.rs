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

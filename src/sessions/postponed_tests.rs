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
        *postponed = postponed.after(now, Blocked::default(), 0);
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
    postponed = postponed.after(Blocked::default(), Blocked::default(), 0);
    assert_eq!(tries(&mut postponed, 3, 1), [true, false, true]);
}

#[test]
fn too_many_to_be_remembered_are_tried_each_time() {
    let mut postponed = Postponed::default();
    assert_eq!(tries(&mut postponed, 3, 5001), [true; 3]);
}

#[test]
fn what_is_said_of_those_that_are_left_alone_is_as_of_when_they_were_tried() {
    let said = |blocked: Blocked| blocked.reason().expect("a reason").text;
    let mut postponed = Postponed::default().after(blocked(3), Blocked::default(), 1_768_435_200_000_000);
    for pass in 0..2 {
        let (left_alone, _) = postponed.left_alone();
        let expected =
            "sessions that could not be ended when they were last tried, at 2026-01-15T00:00:00Z: 3: referred to";
        assert_eq!(said(left_alone.clone()), expected, "{pass}");
        postponed = Postponed { passes: 2, ..postponed }.after(left_alone, Blocked::default(), 1_999_999_999_000_000);
    }
    assert_eq!(said(blocked(3)), "sessions that could not be ended: 3: referred to");
}

//! Pure policy: which repair a sequence that is behind gets, or why it is held.

use crate::report::{HeldBy, Method};
use crate::sequences::verdict::{Move, Position};

/// The operator's limits, from `[sequences]`.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    pub headroom: u32,
    /// Most values an advance may hand out.
    pub advance_limit: u32,
    /// Largest share of what is left that a repair may use, 0 to 1.
    pub max_leap_ratio: f64,
}

/// What the role may do to the sequence.
#[derive(Debug, Clone, Copy)]
pub struct Rights {
    /// Call `nextval`.
    pub advance: bool,
    /// `ALTER` it, as its owner may.
    pub alter: bool,
    /// Call `setval`: the privilege `UPDATE`, which an owner can have taken from itself.
    pub set: bool,
}

/// A repair, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Plan {
    Mend { method: Method, step: Move },
    Held { method: Option<Method>, because: Guard },
}

/// The guard that said no.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Guard {
    /// Every value up to the limit is in use, or may be.
    NoRoom,
    /// The repair would use this share of what is left.
    TooFar { ratio: f64 },
    /// A leap is needed, and only the owner may make one.
    NotOwner,
    /// A leap is needed, and its owner may not call `setval`.
    NoUpdate,
    /// Neither `nextval` nor `ALTER` is allowed.
    NoPrivilege,
}

impl Guard {
    /// As reports and metrics have it.
    pub fn word(self) -> HeldBy {
        match self {
            Self::NoRoom => HeldBy::Limit,
            Self::TooFar { .. } => HeldBy::LeapRatio,
            Self::NotOwner => HeldBy::Ownership,
            Self::NoUpdate | Self::NoPrivilege => HeldBy::Privilege,
        }
    }
}

/// Chooses for a sequence whose gap is not 0. `cached` says that sessions hold values of their own (`CACHE` > 1),
/// which only a leap takes from them; `approved` lifts the guard against far leaps.
pub fn choose(
    position: &Position,
    frontier: i64,
    cached: bool,
    policy: &Policy,
    rights: Rights,
    approved: bool,
) -> Plan {
    let max_ratio = if approved { 1.0 } else { policy.max_leap_ratio };
    let Some(step) = position.move_beyond(frontier, policy.headroom, max_ratio) else {
        return Plan::Held { method: None, because: Guard::NoRoom };
    };
    let near = step.values <= u128::from(policy.advance_limit);
    let leap = rights.alter && (cached || !near || !rights.advance);
    // Law 5: however it is moved, the values are gone.
    let ratio = step.values as f64 / position.left() as f64;
    if ratio > max_ratio {
        let method = if leap || !near { Method::Leap } else { Method::Advance };
        return Plan::Held { method: Some(method), because: Guard::TooFar { ratio } };
    }
    if leap && !rights.set {
        return Plan::Held { method: Some(Method::Leap), because: Guard::NoUpdate };
    }
    if leap {
        return Plan::Mend { method: Method::Leap, step };
    }
    match (rights.advance, near) {
        (true, true) => Plan::Mend { method: Method::Advance, step },
        (true, false) => Plan::Held { method: Some(Method::Leap), because: Guard::NotOwner },
        (false, _) => Plan::Held { method: None, because: Guard::NoPrivilege },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequences::verdict::{ColumnRange, Parameters, State};

    const POLICY: Policy = Policy { headroom: 0, advance_limit: 100_000, max_leap_ratio: 0.5 };
    const OWNER: Rights = Rights { advance: true, alter: true, set: true };
    const GUEST: Rights = Rights { advance: true, alter: false, set: false };

    fn serial_at(next: i64) -> Position {
        let parameters =
            Parameters { increment: 1, min_value: 1, max_value: i64::from(i32::MAX), start: 1, cache: 1, cycle: false };
        Position::new(parameters, State { last_value: next, is_called: false }, ColumnRange::INT4)
    }

    fn method(plan: Plan) -> Method {
        match plan {
            Plan::Mend { method, .. } => method,
            Plan::Held { because, .. } => panic!("held: {because:?}"),
        }
    }

    fn guard(plan: Plan) -> Guard {
        match plan {
            Plan::Held { because, .. } => because,
            Plan::Mend { method, .. } => panic!("would {method:?}"),
        }
    }

    #[test]
    fn small_gaps_are_advanced_and_large_ones_leapt() {
        assert_eq!(method(choose(&serial_at(1), 100_000, false, &POLICY, OWNER, false)), Method::Advance);
        assert_eq!(method(choose(&serial_at(1), 100_001, false, &POLICY, OWNER, false)), Method::Leap);
    }

    #[test]
    fn cached_values_ask_for_a_leap_where_the_role_may_make_one() {
        assert_eq!(method(choose(&serial_at(1), 10, true, &POLICY, OWNER, false)), Method::Leap);
        assert_eq!(method(choose(&serial_at(1), 10, true, &POLICY, GUEST, false)), Method::Advance);
    }

    #[test]
    fn a_guest_cannot_leap_and_is_told_so() {
        assert_eq!(guard(choose(&serial_at(1), 100_001, false, &POLICY, GUEST, false)), Guard::NotOwner);
        let nobody = Rights { advance: false, alter: false, set: false };
        assert_eq!(guard(choose(&serial_at(1), 10, false, &POLICY, nobody, true)), Guard::NoPrivilege);
    }

    #[test]
    fn an_owner_without_update_advances_and_does_not_leap() {
        let bare = Rights { set: false, ..OWNER };
        assert_eq!(method(choose(&serial_at(1), 10, false, &POLICY, bare, false)), Method::Advance);
        assert_eq!(guard(choose(&serial_at(1), 100_001, false, &POLICY, bare, false)), Guard::NoUpdate);
    }

    #[test]
    fn a_poisoned_id_is_held_until_it_is_approved() {
        let poisoned = 2_000_000_000;
        let guard = guard(choose(&serial_at(658), poisoned, false, &POLICY, OWNER, false));
        assert!(matches!(guard, Guard::TooFar { ratio } if ratio > 0.93 && ratio < 0.94), "{guard:?}");
        assert_eq!(method(choose(&serial_at(658), poisoned, false, &POLICY, OWNER, true)), Method::Leap);
    }

    #[test]
    fn no_approval_makes_room_where_there_is_none() {
        let last = i64::from(i32::MAX);
        assert_eq!(guard(choose(&serial_at(658), last, false, &POLICY, OWNER, true)), Guard::NoRoom);
    }
}

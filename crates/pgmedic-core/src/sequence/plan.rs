//! Which repair a sequence that is behind gets, or why it is held. Pure.

use super::position::{ForwardMove, Position};
use super::{HoldReason, Method};

/// The operator's limits, from `[sequences]`.
#[derive(Debug, Clone, Copy)]
pub struct RepairLimits {
    pub headroom: u32,
    /// Most values an advance may hand out.
    pub advance_limit: u32,
    /// Largest share of what is left that a repair may use, 0 to 1.
    pub max_repair_ratio: f64,
}

/// What the role may do to the sequence.
#[derive(Debug, Clone, Copy)]
pub struct SequenceRights {
    /// Call `nextval`.
    pub advance: bool,
    /// `ALTER` it, as its owner may.
    pub alter: bool,
    /// Call `setval`: the privilege `UPDATE`, which an owner can have taken from itself.
    pub set: bool,
}

/// A repair, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RepairPlan {
    Repair { method: Method, step: ForwardMove },
    Held { method: Option<Method>, because: RepairGuard },
}

/// The guard that holds a repair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RepairGuard {
    /// The repair would leave no value before the limit.
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

impl RepairGuard {
    /// The guard as the report and the metrics name it.
    pub fn word(self) -> HoldReason {
        match self {
            Self::NoRoom => HoldReason::Limit,
            Self::TooFar { .. } => HoldReason::RepairRatio,
            Self::NotOwner => HoldReason::Ownership,
            Self::NoUpdate | Self::NoPrivilege => HoldReason::Privilege,
        }
    }
}

/// Chooses the repair of a sequence whose lag is not 0. `cached` says that sessions may have cached values (`CACHE` > 1),
/// which only a leap makes them drop; `approved` lifts the guard `max_repair_ratio`.
pub fn plan_repair(
    position: &Position,
    max_id: i64,
    cached: bool,
    limits: &RepairLimits,
    rights: SequenceRights,
    approved: bool,
) -> RepairPlan {
    let max_ratio = if approved { 1.0 } else { limits.max_repair_ratio };
    let Some(step) = position.move_beyond(max_id, limits.headroom, max_ratio) else {
        return RepairPlan::Held { method: None, because: RepairGuard::NoRoom };
    };
    let near = step.values <= u128::from(limits.advance_limit);
    let leap = rights.alter && (cached || !near || !rights.advance);
    // Law 5: values that are skipped cannot be given back, by either method.
    let ratio = step.values as f64 / position.remaining() as f64;
    if ratio > max_ratio {
        let method = if leap || !near { Method::Leap } else { Method::Advance };
        return RepairPlan::Held { method: Some(method), because: RepairGuard::TooFar { ratio } };
    }
    if leap && !rights.set {
        return RepairPlan::Held { method: Some(Method::Leap), because: RepairGuard::NoUpdate };
    }
    if leap {
        return RepairPlan::Repair { method: Method::Leap, step };
    }
    match (rights.advance, near) {
        (true, true) => RepairPlan::Repair { method: Method::Advance, step },
        (true, false) => RepairPlan::Held { method: Some(Method::Leap), because: RepairGuard::NotOwner },
        (false, _) => RepairPlan::Held { method: None, because: RepairGuard::NoPrivilege },
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::*;
    use super::super::position::{ColumnRange, Parameters, SequenceState};

    const LIMITS: RepairLimits = RepairLimits { headroom: 0, advance_limit: 100_000, max_repair_ratio: 0.5 };
    const OWNER: SequenceRights = SequenceRights { advance: true, alter: true, set: true };
    const GUEST: SequenceRights = SequenceRights { advance: true, alter: false, set: false };

    fn serial_at(next: i64) -> Position {
        let parameters =
            Parameters { increment: 1, min_value: 1, max_value: i64::from(i32::MAX), start: 1, cache: 1, cycle: false };
        Position::new(parameters, SequenceState { last_value: next, is_called: false }, ColumnRange::INT4)
    }

    fn method(plan: RepairPlan) -> Method {
        match plan {
            RepairPlan::Repair { method, .. } => method,
            RepairPlan::Held { because, .. } => panic!("held: {because:?}"),
        }
    }

    fn guard(plan: RepairPlan) -> RepairGuard {
        match plan {
            RepairPlan::Held { because, .. } => because,
            RepairPlan::Repair { method, .. } => panic!("would {method:?}"),
        }
    }

    #[test]
    fn small_lags_are_advanced_and_large_ones_leapt() {
        assert_eq!(method(plan_repair(&serial_at(1), 100_000, false, &LIMITS, OWNER, false)), Method::Advance);
        assert_eq!(method(plan_repair(&serial_at(1), 100_001, false, &LIMITS, OWNER, false)), Method::Leap);
    }

    #[test]
    fn cached_values_ask_for_a_leap_where_the_role_may_make_one() {
        assert_eq!(method(plan_repair(&serial_at(1), 10, true, &LIMITS, OWNER, false)), Method::Leap);
        assert_eq!(method(plan_repair(&serial_at(1), 10, true, &LIMITS, GUEST, false)), Method::Advance);
    }

    #[test]
    fn a_guest_cannot_leap_and_the_guard_says_so() {
        assert_eq!(guard(plan_repair(&serial_at(1), 100_001, false, &LIMITS, GUEST, false)), RepairGuard::NotOwner);
        let none = SequenceRights { advance: false, alter: false, set: false };
        assert_eq!(guard(plan_repair(&serial_at(1), 10, false, &LIMITS, none, true)), RepairGuard::NoPrivilege);
    }

    #[test]
    fn an_owner_without_update_advances_and_does_not_leap() {
        let bare = SequenceRights { set: false, ..OWNER };
        assert_eq!(method(plan_repair(&serial_at(1), 10, false, &LIMITS, bare, false)), Method::Advance);
        assert_eq!(guard(plan_repair(&serial_at(1), 100_001, false, &LIMITS, bare, false)), RepairGuard::NoUpdate);
    }

    #[test]
    fn a_poisoned_id_is_held_until_it_is_approved() {
        let poisoned = 2_000_000_000;
        let guard = guard(plan_repair(&serial_at(658), poisoned, false, &LIMITS, OWNER, false));
        assert!(matches!(guard, RepairGuard::TooFar { ratio } if ratio > 0.93 && ratio < 0.94), "{guard:?}");
        assert_eq!(method(plan_repair(&serial_at(658), poisoned, false, &LIMITS, OWNER, true)), Method::Leap);
    }

    #[test]
    fn no_approval_makes_room_where_there_is_none() {
        let last = i64::from(i32::MAX);
        assert_eq!(guard(plan_repair(&serial_at(658), last, false, &LIMITS, OWNER, true)), RepairGuard::NoRoom);
    }
}

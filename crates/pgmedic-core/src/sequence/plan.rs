//! By which method a sequence is moved, or why it cannot be. Pure.

use super::position::ForwardMove;
use super::{HoldReason, Method};

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

/// What the role lacks for a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingRight {
    /// A leap is needed, and only the owner may make one.
    NotOwner,
    /// A leap is needed, and its owner may not call `setval`.
    NoUpdate,
    /// Neither `nextval` nor `ALTER` is allowed.
    NoPrivilege,
}

impl MissingRight {
    /// The guard as the report and the metrics name it.
    pub fn word(self) -> HoldReason {
        match self {
            Self::NotOwner => HoldReason::Ownership,
            Self::NoUpdate | Self::NoPrivilege => HoldReason::Privilege,
        }
    }

    /// The method that the move needs, where one is known.
    pub fn method(self) -> Option<Method> {
        (self != Self::NoPrivilege).then_some(Method::Leap)
    }
}

/// Chooses the method of a move. `cached` says that sessions may have cached values (`CACHE` > 1), which only a leap makes
/// them drop; an advance hands out at most `advance_limit` values.
///
/// # Errors
///
/// What the role lacks.
pub fn choose_method(
    step: ForwardMove,
    cached: bool,
    advance_limit: u32,
    rights: SequenceRights,
) -> Result<Method, MissingRight> {
    let near = step.values <= u128::from(advance_limit);
    let leap = rights.alter && (cached || !near || !rights.advance);
    match (leap, rights.advance, near) {
        (true, _, _) if !rights.set => Err(MissingRight::NoUpdate),
        (true, _, _) => Ok(Method::Leap),
        (false, true, true) => Ok(Method::Advance),
        (false, true, false) => Err(MissingRight::NotOwner),
        (false, false, _) => Err(MissingRight::NoPrivilege),
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::*;

    const OWNER: SequenceRights = SequenceRights { advance: true, alter: true, set: true };
    const GUEST: SequenceRights = SequenceRights { advance: true, alter: false, set: false };

    fn method(values: u128, cached: bool, rights: SequenceRights) -> Result<Method, MissingRight> {
        choose_method(ForwardMove { values, last: 0 }, cached, 100_000, rights)
    }

    #[test]
    fn small_lags_are_advanced_and_large_ones_leapt() {
        assert_eq!(method(100_000, false, OWNER), Ok(Method::Advance));
        assert_eq!(method(100_001, false, OWNER), Ok(Method::Leap));
    }

    #[test]
    fn cached_values_ask_for_a_leap_where_the_role_may_make_one() {
        assert_eq!(method(10, true, OWNER), Ok(Method::Leap));
        assert_eq!(method(10, true, GUEST), Ok(Method::Advance));
    }

    #[test]
    fn a_guest_cannot_leap_and_the_guard_says_so() {
        assert_eq!(method(100_001, false, GUEST), Err(MissingRight::NotOwner));
        let none = SequenceRights { advance: false, alter: false, set: false };
        assert_eq!(method(10, false, none), Err(MissingRight::NoPrivilege));
    }

    #[test]
    fn an_owner_without_update_advances_and_does_not_leap() {
        let bare = SequenceRights { set: false, ..OWNER };
        assert_eq!(method(10, false, bare), Ok(Method::Advance));
        assert_eq!(method(100_001, false, bare), Err(MissingRight::NoUpdate));
    }
}

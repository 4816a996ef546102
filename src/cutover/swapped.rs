//! Whether each database was given in the other's place. Pure.

use pgmedic_core::{Reason, ReasonKind};

/// What tells the direction.
#[derive(Debug, Clone, Copy, Default)]
pub struct Direction<'a> {
    /// NEW receives from OLD.
    pub forward: bool,
    /// The subscription with which OLD receives from NEW.
    pub backward: Option<&'a str>,
    /// How many sequences of NEW are further than those of OLD, and how many are not as far.
    pub ahead: usize,
    pub behind: usize,
}

/// Why the two look swapped, where they do.
pub fn swapped(direction: Direction<'_>) -> Option<Reason> {
    if direction.forward {
        return None;
    }
    let ahead = direction.behind == 0 && direction.ahead > 0;
    let because = match direction.backward {
        Some(name) => format!("OLD receives from NEW by its subscription {name}"),
        None if ahead => "NEW is ahead in every sequence that was used, and has no subscription to OLD".to_owned(),
        None => return None,
    };
    let text = format!(
        "OLD and NEW look swapped: {because}; nothing was done. --from is the database in use, --to the one that takes over; \
         add --yes if they are right"
    );
    Some(Reason::new(ReasonKind::Swapped, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_database_that_is_ahead_and_receives_nothing_looks_swapped() {
        let alone = Direction { ahead: 3, ..Direction::default() };
        assert!(swapped(alone).is_some());
        assert!(swapped(Direction { forward: true, ..alone }).is_none(), "it receives: carried before");
        assert!(swapped(Direction { behind: 1, ..alone }).is_none());
        assert!(swapped(Direction { ahead: 0, ..alone }).is_none(), "equal everywhere");
    }

    #[test]
    fn a_subscription_in_the_other_direction_is_proof() {
        let backward = Direction { backward: Some("cutover"), behind: 2, ..Direction::default() };
        assert!(swapped(backward).unwrap().text.contains("cutover"));
        assert!(swapped(Direction { forward: true, ..backward }).is_none(), "both directions");
    }
}

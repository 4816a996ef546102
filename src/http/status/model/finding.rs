//! What is wrong with one sequence, in one sentence.

use super::row::days_left;
use crate::http::status::words::{days, percent};
use crate::report::{Level, SequenceReport, Verdict};

/// The sentence of a card. It names no fix: that stands beside it.
pub fn what(sequence: &SequenceReport) -> String {
    match (Level::of(sequence), sequence.verdict) {
        (_, Verdict::Exhausted) => out_of_values(sequence),
        (Level::Failing, _) => failing(sequence),
        (Level::Unknown, Verdict::Unsupported | Verdict::Unlinked) => {
            "pgmedic cannot judge this sequence. Inserts may be failing; pgmedic cannot tell.".to_owned()
        }
        (Level::Unknown, _) => "Not checked. Inserts may be failing; pgmedic cannot tell.".to_owned(),
        (Level::Soon, _) => soon(sequence),
        (Level::Decision, _) => decision(sequence),
        (Level::Healthy, _) => "Nothing is wrong.".to_owned(),
    }
}

fn failing(sequence: &SequenceReport) -> String {
    let numbers = match (sequence.next_value, sequence.max_id, sequence.lag) {
        (Some(next), Some(max_id), Some(lag)) => {
            let from = sequence.nearest_id.map_or_else(String::new, |nearest| format!("from {nearest} "));
            let direction = if max_id < next { "down" } else { "up" };
            format!(" The next value is {next}, and taken ids go {from}{direction} to {max_id} (lag {lag}).")
        }
        _ => String::new(),
    };
    format!("Inserts fail with a duplicate key.{numbers}")
}

fn out_of_values(sequence: &SequenceReport) -> String {
    let end = match sequence.limit {
        Some(limit) => match type_of(limit) {
            Some(kind) => format!(" It reached {limit}, the end of {kind}."),
            None => format!(" It reached its limit, {limit}."),
        },
        None => String::new(),
    };
    format!("Inserts fail: the sequence has no values left.{end}")
}

fn soon(sequence: &SequenceReport) -> String {
    let when = days_left(sequence).map_or_else(String::new, |left| format!(" in about {}", days(left)));
    match (sequence.used_ratio, sequence.limit) {
        (Some(used), Some(limit)) => {
            format!("Inserts will fail{when}: {} of the values up to {limit} are used.", percent(used))
        }
        _ => format!("Inserts will fail{when}, when the range ends."),
    }
}

fn decision(sequence: &SequenceReport) -> String {
    if let (Some(far), Some(next)) = (sequence.far_ids, sequence.next_value_after_pass()) {
        let number = match far.count {
            Some(1) => "1 id".to_owned(),
            Some(number) => format!("{number} ids"),
            None => "Ids".to_owned(),
        };
        let (place, verb) = match far.to {
            Some(to) if to != far.from => (format!("{} to {to}", far.from), "lie"),
            _ => (far.from.to_string(), if far.count == Some(1) { "lies" } else { "lie" }),
        };
        return format!(
            "{number}, {place}, {verb} far ahead of the next value {next}. No insert fails before that distance is \
             used up."
        );
    }
    let numbers = match (sequence.next_value, sequence.max_id) {
        (Some(next), Some(max_id)) => format!(" The next value is {next}, and the furthest id is {max_id}."),
        _ => String::new(),
    };
    format!("No insert fails yet.{numbers}")
}

/// The integer type whose range ends there.
fn type_of(limit: i64) -> Option<&'static str> {
    const SMALL: (i64, i64) = (i16::MIN as i64, i16::MAX as i64);
    const INTEGER: (i64, i64) = (i32::MIN as i64, i32::MAX as i64);
    [(SMALL, "smallint"), (INTEGER, "integer"), ((i64::MIN, i64::MAX), "bigint")]
        .into_iter()
        .find(|((lowest, highest), _)| [*lowest, *highest].contains(&limit))
        .map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::status::model::test_support::*;
    use crate::report::FarIds;
    use pgmedic_core::sequence::HoldReason;

    #[test]
    fn a_sequence_behind_says_the_next_value_and_the_taken_ids() {
        let story = what(&behind("public.user_sessions_session_id_seq"));
        assert_eq!(
            story,
            "Inserts fail with a duplicate key. The next value is 658, and taken ids go up to 695 (lag 38)."
        );
        let descending =
            SequenceReport { next_value: Some(-5), max_id: Some(-9), lag: Some(5), ..behind("public.a_id_seq") };
        assert!(what(&descending).ends_with("The next value is -5, and taken ids go down to -9 (lag 5)."));
    }

    #[test]
    fn ids_far_ahead_are_counted_and_named() {
        let far = |count, from, to| {
            let far_ids = Some(FarIds { count, from, to, distance: 1_999_951_787 });
            let mut sequence =
                SequenceReport { far_ids, next_value: Some(48_213), ..behind("public.customers_id_seq") };
            if let Some(repair) = &mut sequence.repair {
                repair.held_by = Some(HoldReason::FarIds);
            }
            what(&sequence)
        };
        assert_eq!(
            far(Some(3), 2_000_000_000, Some(2_000_000_002)),
            "3 ids, 2000000000 to 2000000002, lie far ahead of the next value 48213. No insert fails before that \
             distance is used up."
        );
        assert!(far(Some(1), 2_000_000_000, Some(2_000_000_000)).starts_with("1 id, 2000000000, lies far ahead"));
    }

    #[test]
    fn an_exhausted_sequence_says_where_it_ended() {
        let end = what(&exhausted("public.ticks_id_seq"));
        assert_eq!(end, "Inserts fail: the sequence has no values left. It reached 32767, the end of smallint.");
        let own = SequenceReport { limit: Some(999), ..exhausted("public.ticks_id_seq") };
        assert!(what(&own).ends_with("It reached its limit, 999."));
    }

    #[test]
    fn ids_in_the_way_of_what_cannot_be_judged_are_said() {
        let with = |verdict, lag| {
            let sequence = SequenceReport::new("public.a_id_seq".to_owned(), Vec::new(), verdict);
            what(&SequenceReport { lag, ..sequence })
        };
        assert_eq!(with(Verdict::Unsupported, Some(3)), "Inserts fail with a duplicate key.");
        for verdict in [Verdict::Unsupported, Verdict::Unlinked] {
            let lag = (verdict == Verdict::Unlinked).then_some(3);
            assert!(with(verdict, lag).starts_with("pgmedic cannot judge this sequence."));
        }
    }

    #[test]
    fn what_was_not_read_may_be_failing() {
        assert_eq!(what(&unreadable("public.a_id_seq")), "Not checked. Inserts may be failing; pgmedic cannot tell.");
    }

    #[test]
    fn a_range_that_ends_says_how_much_of_it_is_used() {
        let items = what(&running_out("public.items_id_seq"));
        assert_eq!(items, "Inserts will fail: 94.1% of the values up to 2147483647 are used.");
    }
}

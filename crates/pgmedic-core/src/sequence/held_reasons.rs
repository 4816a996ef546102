//! Why a judgement holds a repair, in words, with the ways on.

use super::HoldReason;
use super::ahead::{Looked, MaxIdOnly};
use super::judgement::{Hold, ThinPart, ValueNumber};
use super::model::{FeedSource, Sequence};
use super::position::Parameters;
use super::widening::Widening;
use crate::{Fix, Reason, ReasonKind};
use std::time::Duration;

/// Why `hold` holds the repair of `sequence`.
pub fn hold_reason(sequence: &Sequence, looked: &Looked, hold: &Hold) -> Reason {
    let words = Words { sequence, looked };
    let reason = |kind, text: String| Reason::new(kind, text).with_fix(Fix::approve(&sequence.name));
    match hold {
        Hold::FarIds { gap, from, to, count, due } => {
            reason(ReasonKind::FarIds, words.far_ids(*gap, *from, *to, *count, *due))
        }
        Hold::Thin { part, allowance } => reason(ReasonKind::Thin, words.thin(part, *allowance)),
        Hold::Budget { gap, allowance, due } => reason(ReasonKind::Budget, words.budget(*gap, *allowance, *due)),
        Hold::NoUniqueKey { lag } if looked.is_part_of_key() => reason(ReasonKind::PartOfKey, words.part_of_key(*lag)),
        Hold::NoUniqueKey { lag } => reason(ReasonKind::NoUniqueKey, words.no_unique_key(*lag)),
        Hold::NoIndex { lag } => words.no_index(*lag),
        Hold::Limit { past, limit } => words.limit(*past, *limit),
    }
}

/// The note on a column that is only a part of a longer key; none for others.
pub fn part_of_key_note(looked: &Looked) -> Option<Reason> {
    let Some(MaxIdOnly::PartOfKey { column, key }) = &looked.max_id_only else { return None };
    let text = format!("{column} is unique only together with others, in {key}: it is judged by its max id alone");
    Some(Reason::new(ReasonKind::PartOfKey, text))
}

/// How long until a value is reached at the present pace, such as `3 days`; at least a second.
fn reached_in(due: Option<Duration>) -> String {
    let Some(due) = due else { return String::new() };
    let seconds = due.as_secs().max(1);
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        172_800..94_608_000 => (seconds / 86_400, "day"),
        _ => (seconds / 31_536_000, "year"),
    };
    format!(", reached in about {number} {unit}{} at the present pace", if number == 1 { "" } else { "s" })
}

struct Words<'a> {
    sequence: &'a Sequence,
    looked: &'a Looked,
}

impl Words<'_> {
    fn id(&self, number: ValueNumber) -> i128 {
        self.looked.seen.position.numbering().id(number)
    }

    /// The columns in which ids are ahead: the one with the furthest, where it is known.
    fn columns(&self) -> String {
        match self.looked.seen.furthest.and_then(|index| self.sequence.sources().nth(index)) {
            Some(source) => source.column_name(),
            None => self.sequence.sources().map(FeedSource::column_name).collect::<Vec<_>>().join(", "),
        }
    }

    /// The three ways on.
    fn ways_on(&self) -> &'static str {
        "correct these rows if they are a mistake, state max_id under [[sequences.rules]] if the range is reserved, else \
         approve the repair"
    }

    /// The statement that bounds the sequence before value number `from`, for one that was sent to other values on purpose.
    fn bounded_before(&self, from: ValueNumber) -> String {
        let Parameters { increment, min_value, max_value, start, .. } = *self.sequence.parameters;
        let last = self.id(from - 1);
        let (bound, first, is_outside) = if increment > 0 {
            ("MAXVALUE", min_value, i128::from(start) > last)
        } else {
            ("MINVALUE", max_value, i128::from(start) < last)
        };
        // PostgreSQL refuses a bound before the start.
        let start = if is_outside { format!(" START WITH {first}") } else { String::new() };
        format!("ALTER SEQUENCE {} {bound} {last}{start}", self.sequence.name)
    }

    fn far_ids(
        &self,
        gap: i128,
        from: ValueNumber,
        to: Option<ValueNumber>,
        count: Option<u64>,
        due: Option<Duration>,
    ) -> String {
        let ids = match (count, to) {
            (Some(1), _) => format!("one id, {},", self.id(from)),
            (Some(count), Some(to)) => format!("{} ids from {} to {}", at_least(count), self.id(from), self.id(to)),
            (None, Some(to)) if to > from => format!("ids from {} to {}", self.id(from), self.id(to)),
            _ => format!("ids from {} on", self.id(from)),
        };
        let lie = if count == Some(1) { "lies" } else { "lie" };
        format!(
            "no insert fails yet: {ids} of {} {lie} {gap} values ahead{}; {}, or bound the sequence before them ({})",
            self.columns(),
            reached_in(due),
            self.ways_on(),
            self.bounded_before(from)
        )
    }

    fn thin(&self, part: &ThinPart, allowance: i128) -> String {
        let one_in = match part.taken {
            0 => "33 to 1000".to_owned(),
            taken => (part.drawn / taken).to_string(),
        };
        format!(
            "one insert in about {one_in} fails from id {} to {} and beyond, and succeeds when it is repeated: passing ids \
             that lie so thin would burn more than the {allowance} values that repairs may still burn; {}",
            self.id(part.after),
            self.id(part.last),
            self.ways_on()
        )
    }

    fn budget(&self, gap: i128, allowance: i128, due: Option<Duration>) -> String {
        let nearest = self.looked.nearest().map_or_else(String::new, |nearest| format!(" {}", self.id(nearest)));
        format!(
            "{gap} free values lie before the nearest id{nearest}{}, more than the {allowance} that repairs may still burn: \
             it is passed when no value is left before it; {}",
            reached_in(due),
            self.ways_on()
        )
    }

    fn no_unique_key(&self, lag: i128) -> String {
        let (column, key) = match &self.looked.max_id_only {
            Some(MaxIdOnly::NoUniqueKey { column, key }) => (column.as_str(), key.as_deref()),
            _ => ("the column", None),
        };
        let max = self.up_to_max();
        let unique = match key {
            Some(key) => format!("{column} is unique only together with others, in {key}"),
            None => format!("no unique index is on {column} alone"),
        };
        format!(
            "{unique}, so no insert has to fail at ids{max} ({lag} values ahead): its numbers may start again on purpose; \
             approve the repair if they may not"
        )
    }

    fn part_of_key(&self, lag: i128) -> String {
        let (column, key) = match &self.looked.max_id_only {
            Some(MaxIdOnly::PartOfKey { column, key }) => (column.as_str(), key.as_str()),
            _ => ("the column", "a longer key"),
        };
        format!(
            "inserts may fail at ids{} ({lag} values ahead): {column} is unique only together with others, in {key}, and an \
             insert fails where the others are the same too; approve the repair, unless its numbers start again on purpose",
            self.up_to_max()
        )
    }

    fn up_to_max(&self) -> String {
        self.looked.seen.max_id.map_or_else(String::new, |max| format!(" up to {max}"))
    }

    fn no_index(&self, lag: i128) -> Reason {
        let max = self.looked.seen.max_id.map_or_else(String::new, |max| format!(" {max}"));
        let ahead = format!("id{max} is {lag} values ahead");
        match &self.looked.max_id_only {
            Some(MaxIdOnly::NoIndex { table, column }) => Reason::new(
                ReasonKind::NoIndex,
                format!(
                    "{ahead}, and no valid index without a WHERE clause begins with {table}.{column}, so it cannot be told \
                     which of the values up to it are taken: inserts may fail; create one, or approve the repair"
                ),
            )
            .with_fix(Fix::Sql(format!("CREATE INDEX CONCURRENTLY ON {table} ({column})"))),
            Some(MaxIdOnly::TooManyRelations { table }) => Reason::new(
                ReasonKind::NoIndex,
                format!(
                    "{ahead}, and {table} has too many indexes or partitions to look between them in one transaction: \
                     inserts may fail; approve the repair if these ids are no mistake"
                ),
            )
            .with_fix(Fix::approve(&self.sequence.name)),
            _ => Reason::new(ReasonKind::NoIndex, ahead).with_fix(Fix::approve(&self.sequence.name)),
        }
    }

    fn limit(&self, past: ValueNumber, limit: ValueNumber) -> Reason {
        let position = &self.looked.seen.position;
        let headroom = i128::from(position.headroom());
        let max = self.looked.max_id().map(i128::from);
        let nearest = self.looked.nearest().filter(|_| !self.looked.seen.by_block).map(|nearest| self.id(nearest));
        let (ids, leave, it) = match (nearest, max) {
            (Some(nearest), Some(max)) if nearest != max => (format!("ids from {nearest} to {max}"), "leave", "them"),
            (_, Some(max)) => (format!("id {max}"), "leaves", "it"),
            (_, None) => (format!("id {}", self.id(past - headroom)), "leaves", "it"),
        };
        let beyond = if headroom == 0 { String::new() } else { format!(" and {headroom} values beyond {it}") };
        let widening = Widening::of(self.sequence, position);
        let widen = if widening.fix().is_some() { ", else widen what is full" } else { "" };
        let text = format!(
            "{ids}{beyond} {leave} no value before the limit {}: correct what is a mistake{widen}{}{}",
            self.id(limit),
            widening.advice(),
            widening.locks()
        );
        Reason { fix: widening.fix(), ..Reason::new(ReasonKind::Limit, text) }
    }
}

/// Counting stops at this number.
pub const MOST_COUNTED: u64 = 10_000;

fn at_least(count: u64) -> String {
    if count >= MOST_COUNTED { format!("at least {MOST_COUNTED}") } else { count.to_string() }
}

/// The word of a hold, and its reason.
pub fn held(sequence: &Sequence, looked: &Looked, hold: &Hold) -> (HoldReason, Reason) {
    (HoldReason::from(hold), hold_reason(sequence, looked, hold))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_said_in_round_words() {
        let said = |seconds| reached_in(Some(Duration::from_secs(seconds)));
        assert_eq!(said(0), ", reached in about 1 second at the present pace");
        assert_eq!(said(119), ", reached in about 119 seconds at the present pace");
        assert_eq!(said(7199), ", reached in about 119 minutes at the present pace");
        assert_eq!(said(172_800), ", reached in about 2 days at the present pace");
        assert_eq!(said(31_536_000 * 30), ", reached in about 30 years at the present pace");
        assert_eq!(reached_in(None), "");
    }
}

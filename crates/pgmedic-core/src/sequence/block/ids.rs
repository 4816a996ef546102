//! Taken ids of the columns that a sequence feeds, as SQL expressions that read an index.
//!
//! Values are counted from one of them, the base, which is 0: so one expression serves both directions and every increment.

use crate::sequence::allocator::Blocks;
use crate::sequence::judgement::{Numbering, ValueNumber};
use crate::sequence::probe_part::{ProbePart, integral_sql};

/// The fed columns, and the value that others are counted from.
#[derive(Debug)]
pub struct Ids<'a> {
    parts: &'a [ProbePart<'a>],
    own: Numbering,
    base: i128,
}

impl<'a> Ids<'a> {
    pub fn new(parts: &'a [ProbePart<'a>], own: Numbering, base: ValueNumber) -> Self {
        Self { parts, own, base: own.id(base) }
    }

    pub fn base(&self) -> String {
        format!("'{}'", self.base)
    }

    pub fn increment(&self) -> String {
        format!("'{}'", self.own.increment())
    }

    /// Whether ranges of ids hold the sequence's values alone.
    fn is_gapless(&self) -> bool {
        self.own.is_gapless() && !self.parts.iter().any(|part| part.source.allocator().takes_blocks())
    }

    /// The condition that a row has the id, or one of the ids, that the value stands for.
    fn stands_for(&self, part: &ProbePart<'_>, value: &str) -> String {
        let column = part.source.column();
        let increment = i64::try_from(self.own.increment()).unwrap_or(i64::MAX);
        let Some((first, last)) = Blocks::new(part.source.allocator(), increment, 0).ids_sql(value) else {
            return format!("t.{column} = {}", typed(part, value));
        };
        format!("t.{column} >= {} AND t.{column} <= {}", typed(part, &first), typed(part, &last))
    }

    fn ascending(&self) -> bool {
        self.own.increment() > 0
    }

    /// The id of a value, counted from the base.
    fn id(&self, value: &str) -> String {
        format!("({}::int8 + {}::int8 * ({value}))", self.base(), self.increment())
    }

    /// Whether `id` is taken. A scalar subquery with a LIMIT stays a probe for each value; EXISTS could become a scan.
    pub fn taken(&self, id: &str) -> String {
        let probes = self.parts.iter().map(|part| {
            let (only, table) = (part.only_keyword(), part.table());
            format!("(SELECT true FROM {only}{table} AS t WHERE {} LIMIT 1)", self.stands_for(part, id))
        });
        format!("coalesce({}, false)", probes.collect::<Vec<_>>().join(", "))
    }

    /// The first taken id from `from` to `up_to`, both values of the sequence, and not before the next value of `s`, which
    /// stands for the sequence.
    pub fn first(&self, from: i128, up_to: i128) -> String {
        let (from, up_to) = (format!("'{from}'::int8"), format!("'{up_to}'::int8"));
        if !self.is_gapless() {
            let increment = self.increment();
            let taken = self.taken("v.id");
            // A function's rows come in its order, and LIMIT stops at the first.
            return format!(
                "(SELECT v.id FROM pg_catalog.generate_series({from}, {up_to}, {increment}::int8) AS v(id) \
                 WHERE (v.id {beyond} s.last_value OR v.id = s.last_value AND NOT s.is_called) IS NOT FALSE AND {taken} LIMIT 1)",
                beyond = if self.ascending() { ">" } else { "<" }
            );
        }
        let (nearer, extreme) = if self.ascending() { ("least", "min") } else { ("greatest", "max") };
        self.extremes(nearer, extreme, |part| self.not_before_next(part, &from, &up_to))
    }

    /// All taken ids from `from` to `up_to` and not before the next value of `s`, of ranges that hold the sequence's values
    /// alone.
    pub fn all(&self, from: i128, up_to: i128) -> String {
        let (from, up_to) = (format!("'{from}'::int8"), format!("'{up_to}'::int8"));
        let rows = self.parts.iter().map(|part| {
            let (only, table, column) = (part.only_keyword(), part.table(), part.source.column());
            let condition = self.not_before_next(part, &from, &up_to);
            format!("SELECT t.{column}::int8 AS id FROM {only}{table} AS t WHERE {condition}")
        });
        rows.collect::<Vec<_>>().join(" UNION ALL ")
    }

    /// The condition of a part's ids from `from` to `up_to` that are not before the next value of `s`.
    fn not_before_next(&self, part: &ProbePart<'_>, from: &str, up_to: &str) -> String {
        // Without a row of `s`, `from` alone counts.
        let later = if self.ascending() { "greatest" } else { "least" };
        let from = format!("{later}({from}, s.last_value)");
        let (from, up_to, column) = (typed(part, &from), typed(part, up_to), part.source.column());
        let (low, high) = if self.ascending() { (from, up_to) } else { (up_to, from) };
        let handed_out = format!("(s.is_called AND t.{column} = s.last_value)");
        format!("t.{column} >= {low} AND t.{column} <= {high} AND {handed_out} IS NOT TRUE{}", integral(part))
    }

    /// The last taken value beyond `after` and up to `up_to`; all counted from the base.
    pub fn last(&self, after: &str, up_to: &str) -> String {
        if !self.is_gapless() {
            let taken = self.taken(&self.id("v.value"));
            return format!(
                "(SELECT v.value FROM pg_catalog.generate_series({up_to}, {after} + 1, -1::int8) AS v(value) \
                 WHERE {taken} LIMIT 1)"
            );
        }
        let (further, extreme) = if self.ascending() { ("greatest", "max") } else { ("least", "min") };
        let last = self.extremes(further, extreme, |part| self.between(part, after, up_to));
        format!("({last} - {}::int8) * {}::int8", self.base(), self.increment())
    }

    /// How many values beyond `after` and up to `up_to` are taken, at most `most`.
    pub fn count(&self, after: &str, up_to: &str, most: &str) -> String {
        let rows = if self.is_gapless() {
            let rows = self.parts.iter().map(|part| {
                let (only, table) = (part.only_keyword(), part.table());
                format!("SELECT 1 FROM {only}{table} AS t WHERE {}", self.between(part, after, up_to))
            });
            rows.collect::<Vec<_>>().join(" UNION ALL ")
        } else {
            let taken = self.taken(&self.id("v.value"));
            format!("SELECT 1 FROM pg_catalog.generate_series({after} + 1, {up_to}) AS v(value) WHERE {taken}")
        };
        format!("(SELECT count(*) FROM ({rows} LIMIT {most}) AS few)")
    }

    /// The condition of a part's ids beyond `after` and up to `up_to`.
    fn between(&self, part: &ProbePart<'_>, after: &str, up_to: &str) -> String {
        let (after, up_to) = (typed(part, &self.id(after)), typed(part, &self.id(up_to)));
        let column = part.source.column();
        let integral = integral(part);
        if self.ascending() {
            format!("t.{column} > {after} AND t.{column} <= {up_to}{integral}")
        } else {
            format!("t.{column} < {after} AND t.{column} >= {up_to}{integral}")
        }
    }

    /// The furthest of each part's `extreme`, by `furthest`, as int8.
    fn extremes(&self, furthest: &str, extreme: &str, condition: impl Fn(&ProbePart<'_>) -> String) -> String {
        let extremes = self.parts.iter().map(|part| {
            let (only, table, column) = (part.only_keyword(), part.table(), part.source.column());
            let condition = condition(part);
            format!("(SELECT {extreme}(t.{column})::int8 FROM {only}{table} AS t WHERE {condition})")
        });
        format!("{furthest}({})", extremes.collect::<Vec<_>>().join(", "))
    }
}

/// `id` in the type that the part's index compares with.
fn typed(part: &ProbePart<'_>, id: &str) -> String {
    if part.source.numeric { format!("({id})::numeric") } else { id.to_owned() }
}

/// A fraction is no id.
fn integral(part: &ProbePart<'_>) -> String {
    let column = part.source.column();
    if part.source.numeric { format!(" AND {}", integral_sql(&format!("t.{column}"))) } else { String::new() }
}

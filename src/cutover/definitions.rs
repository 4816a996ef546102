//! Compares the definitions of two sequences of one name. Pure.

use super::request::SchemaMap;
use pgmedic_core::name::QuotedIdent;
use pgmedic_core::sequence::model::{Feed, Sequence, Uncounted};
use pgmedic_core::sequence::position::{Parameters, Position};
use pgmedic_core::sequence::reasons::forward_sql;
use pgmedic_core::{ColumnName, Fix, Reason, ReasonKind, TableName};
use std::collections::HashSet;

/// How the definition of a sequence differs from the one that it takes over from.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// What changes which values are handed out, or for how long.
    pub decisive: Vec<Reason>,
    /// What only changes how they are handed out.
    pub harmless: Vec<Reason>,
}

/// Compares `new` with `old`. A wider range is no difference: an `integer` may have become a `bigint`.
pub fn compare(old: &Parameters, new: &Sequence) -> Differences {
    let name = &new.name;
    let new = &new.parameters;
    let mut differences = Differences::default();
    let difference = |what: &str, old: String, new: String, fix: String| {
        Reason::new(ReasonKind::Definition, format!("{what} is {old} in OLD and {new} in NEW"))
            .with_fix(Fix::Sql(format!("ALTER SEQUENCE {name} {fix}")))
    };
    if old.increment != new.increment {
        let fix = format!("INCREMENT BY {}", old.increment);
        differences.decisive.push(difference("INCREMENT", old.increment.to_string(), new.increment.to_string(), fix));
    }
    if old.cycle != new.cycle {
        let word = |cycle| if cycle { "CYCLE" } else { "NO CYCLE" };
        let text = format!("OLD has {} and NEW {}", word(old.cycle), word(new.cycle));
        let fix = Fix::Sql(format!("ALTER SEQUENCE {name} {}", word(old.cycle)));
        differences.decisive.push(Reason::new(ReasonKind::Definition, text).with_fix(fix));
    }
    let up = old.increment > 0;
    for (what, here, there, narrower) in [
        ("MAXVALUE", old.max_value, new.max_value, new.max_value < old.max_value),
        ("MINVALUE", old.min_value, new.min_value, new.min_value > old.min_value),
    ] {
        if narrower {
            // AS bigint: the bound may not fit the type that the sequence has.
            let fix = format!("AS bigint {what} {here}");
            let reason = difference(what, here.to_string(), there.to_string(), fix);
            // The bound behind a sequence that does not cycle is never reached.
            let ahead = (what == "MAXVALUE") == up || old.cycle;
            if ahead { &mut differences.decisive } else { &mut differences.harmless }.push(reason);
        }
    }
    if old.cache != new.cache {
        let fix = format!("CACHE {}", old.cache);
        differences.harmless.push(difference("CACHE", old.cache.to_string(), new.cache.to_string(), fix));
    }
    differences
}

/// That NEW hands out values of another residue class than OLD, and the statements that bring it to the first one of OLD's
/// that neither has handed out; none where it does not.
pub fn other_class(old: &Position, new: &Position, sequence: &Sequence) -> Option<Reason> {
    let increment = i128::from(sequence.parameters.increment);
    let apart = (new.next() - old.next()) % increment;
    if apart == 0 {
        return None;
    }
    let up = increment > 0;
    let first = if up { old.next().max(new.next()) } else { old.next().min(new.next()) };
    let steps = ((first - old.next()) * increment.signum() + increment.abs() - 1).div_euclid(increment.abs());
    let next = old.next() + steps * increment;
    let text = format!(
        "NEW hands out values of another residue class than OLD: {} and {}, with INCREMENT {increment}",
        new.next(),
        old.next()
    );
    Some(Reason::new(ReasonKind::Definition, text).with_fix(Fix::Sql(forward_sql(sequence, next))))
}

/// That no sequence takes over from `old`, which should be called `wanted`; and the statement that makes one: by renaming
/// the one of `others`, the sequences there, that feeds the same column, or by creating it. Those that are `taken` keep
/// their names: each takes over from another one.
pub fn missing(
    old: &Sequence,
    wanted: &TableName,
    others: &[Sequence],
    taken: &HashSet<u32>,
    map: &SchemaMap,
) -> Reason {
    let text = format!("NEW has no sequence {wanted}");
    let columns: Vec<ColumnName> = fed_columns(old).map(|(column, _)| map.column(&column)).collect();
    let feeds_the_same = |other: &&Sequence| {
        other.name_parts().0 == wanted.schema
            && !taken.contains(&other.oid)
            && fed_columns(other).any(|(column, _)| columns.contains(&column))
    };
    if let Some(other) = others.iter().find(feeds_the_same) {
        let text = format!("{text}; {} feeds the same column there", other.name);
        let fix = Fix::Sql(format!("ALTER SEQUENCE {} RENAME TO {}", other.name, QuotedIdent(&wanted.name)));
        return Reason::new(ReasonKind::MissingSequence, text).with_fix(fix);
    }
    let Parameters { increment, min_value, max_value, start, cache, cycle } = *old.parameters;
    let cycle = if cycle { " CYCLE" } else { "" };
    // A schema without a sequence there may not exist there.
    let schema = match others.iter().any(|other| other.name_parts().0 == wanted.schema) || wanted.schema == "public" {
        true => String::new(),
        false => format!("CREATE SCHEMA IF NOT EXISTS {}; ", QuotedIdent(&wanted.schema)),
    };
    let fix = format!(
        "{schema}CREATE SEQUENCE {wanted} INCREMENT BY {increment} MINVALUE {min_value} MAXVALUE {max_value} START WITH {start} \
         CACHE {cache}{cycle}"
    );
    Reason::new(ReasonKind::MissingSequence, text).with_fix(Fix::Sql(fix))
}

/// The columns that a sequence feeds, with their links: also those of owners who could not move it.
pub fn fed_columns(sequence: &Sequence) -> impl Iterator<Item = (ColumnName, &Feed)> {
    let untrusted = sequence.rare.uncounted.iter().filter(|other| matches!(other.why, Uncounted::Untrusted { .. }));
    let feeds = sequence.feeds.iter().chain(untrusted.map(|other| &other.feed));
    feeds.filter_map(|feed| Some((feed.report.column.parse().ok()?, feed)))
}

//! Likely links of sequences without a link: named in a report as configuration ready to paste, and never acted on.
//!
//! | file | finds |
//! |---|---|
//! | `defaults.sql` | defaults that name the sequence by a text, call a function that draws from it, or are a view's |
//! | `triggers.sql`, `trigger_body.rs` | triggers that call `nextval` |
//! | `columns.sql`, `naming.rs` | columns that the sequence's name points at |
//!
//! The first of these that finds a column counts.

mod naming;
mod trigger_body;

use super::declared::StatedLink;
use super::feed_toml::{allocator_line, feed_toml};
use crate::db::{BoundedConnection, TransactionMode};
use naming::{Column, is_hilo, likely_column};
use pgmedic_core::sequence::allocator::Allocator;
use pgmedic_core::sequence::default_expression::late_bound_name;
use pgmedic_core::sequence::model::{Sequence, Suggestion};
use pgmedic_core::sequence::row_fields::optional_lossy_text;
use pgmedic_core::{
    ColumnName, QueryError, Reason, ReasonKind, RelationRef, TableName, Timeouts, fill_sql, quote_literal,
};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::{BTreeSet, HashMap};
use trigger_body::draws;

/// A sequence without a link.
#[derive(Debug)]
struct Unlinked {
    name: TableName,
    increment: i64,
    /// A column that draws from another one by now owns it: its name says nothing.
    is_left_over: bool,
}

/// A column that is likely fed, and by what that is known.
#[derive(Debug)]
struct Likely {
    column: ColumnName,
    evidence: String,
    /// Its default or trigger draws the value, so that a block allocator is unlikely.
    is_drawn: bool,
}

/// The likely links of those of `sequences` that have no link at all.
///
/// # Errors
///
/// When a query fails.
pub async fn suggest(
    connection: &mut BoundedConnection,
    sequences: impl Iterator<Item = &Sequence>,
    timeouts: Timeouts,
) -> Result<Vec<StatedLink>, QueryError> {
    let unlinked: Vec<Unlinked> = sequences.filter_map(unlinked).collect();
    if unlinked.is_empty() {
        return Ok(Vec::new());
    }
    let schemas: BTreeSet<&str> = unlinked.iter().map(|sequence| sequence.name.schema.as_str()).collect();
    let schemas: Vec<String> = schemas.into_iter().map(quote_literal).collect();
    let statements = vec![
        fill_sql::<&str>(include_str!("defaults.sql"), &[]),
        fill_sql::<&str>(include_str!("triggers.sql"), &[]),
        fill_sql(include_str!("columns.sql"), &[("SCHEMAS", &schemas.join(", "))]),
    ];
    let answers = read(connection, timeouts, statements).await?;
    let [defaults, triggers, columns] = answers.as_slice() else {
        return Err(QueryError::UnexpectedResponse(format!("{} answers instead of three", answers.len())));
    };
    let mut likely = HashMap::new();
    for (sequence, found) in defaults.iter().filter_map(|row| by_default(row, &unlinked)) {
        likely.entry(sequence).or_insert(found);
    }
    for (sequence, found) in triggers.iter().flat_map(|row| by_trigger(row, &unlinked)) {
        likely.entry(sequence).or_insert(found);
    }
    for (sequence, found) in by_name(columns, &unlinked) {
        likely.entry(sequence).or_insert(found);
    }
    Ok(likely.into_iter().filter_map(|(sequence, found)| stated(sequence, found, &unlinked)).collect())
}

async fn read(
    connection: &mut BoundedConnection,
    timeouts: Timeouts,
    statements: Vec<String>,
) -> Result<Vec<Vec<PgRow>>, QueryError> {
    let result = connection.run_transaction("suggestions", TransactionMode::Read, timeouts, statements).await;
    result.failure.map_or(Ok(result.answers), Err)
}

fn unlinked(sequence: &Sequence) -> Option<Unlinked> {
    // A note of a view's default says that it is no link.
    let is_left_over = sequence.rare.notes.iter().any(|note| note.kind == ReasonKind::LeftOver);
    let is_no_link = |note: &Reason| matches!(note.kind, ReasonKind::IgnoredLink | ReasonKind::LeftOver);
    let has_link = sequence.all_feeds().next().is_some() || !sequence.rare.notes.iter().all(is_no_link);
    // A name that is no UTF-8 can neither be read nor declared.
    if has_link || !sequence.has_readable_names() {
        return None;
    }
    let (schema, name) = sequence.name_parts();
    Some(Unlinked { name: TableName { schema, name }, increment: sequence.parameters.increment, is_left_over })
}

fn text(row: &PgRow, column: &str) -> Option<String> {
    optional_lossy_text(row, column).ok().flatten()
}

fn table_column(row: &PgRow, column: String) -> Option<ColumnName> {
    let table = TableName { schema: text(row, "schema")?, name: text(row, "table")? };
    Some(ColumnName { table, column })
}

/// The one sequence that a name written in `schema` means: that of its schema, or else the only one of the name.
fn named<'a>(name: &str, schema: &str, unlinked: &'a [Unlinked]) -> Option<&'a TableName> {
    let reference: RelationRef = name.parse().ok()?;
    let meant: Vec<&TableName> = unlinked
        .iter()
        .map(|other| &other.name)
        .filter(|other| reference.matches(&other.schema, &other.name))
        .collect();
    let own = meant.iter().find(|other| other.schema == schema);
    match meant.as_slice() {
        [only] => Some(only),
        _ => own.copied(),
    }
}

fn by_default<'a>(row: &PgRow, unlinked: &'a [Unlinked]) -> Option<(&'a TableName, Likely)> {
    let column = table_column(row, text(row, "column")?)?;
    let recorded = || {
        let name = TableName { schema: text(row, "sequence_schema")?, name: text(row, "sequence_name")? };
        unlinked.iter().map(|other| &other.name).find(|other| **other == name)
    };
    let of_text = |body: &str| match draws(body).as_slice() {
        [only] => named(&only.sequence, &column.table.schema, unlinked),
        _ => None,
    };
    let (sequence, evidence) = match (text(row, "expression"), text(row, "function"), text(row, "view")) {
        (Some(tree), ..) => (
            named(&late_bound_name(&tree)?, &column.table.schema, unlinked)?,
            "the text in its default, which PostgreSQL does not record".to_owned(),
        ),
        (None, Some(function), _) => match text(row, "body") {
            Some(body) => (of_text(&body)?, format!("its default {function}, whose text calls nextval on it")),
            None => (recorded()?, format!("its default {function}, which uses the sequence")),
        },
        (None, None, Some(view)) => (recorded()?, format!("the default of the same column in the view {view}")),
        (None, None, None) => return None,
    };
    Some((sequence, Likely { column, evidence, is_drawn: true }))
}

fn by_trigger<'a>(row: &PgRow, unlinked: &'a [Unlinked]) -> Vec<(&'a TableName, Likely)> {
    let Some((body, schema)) = text(row, "body").zip(text(row, "schema")) else { return Vec::new() };
    let likely = |draw: trigger_body::Draw| {
        let column = table_column(row, draw.column.or_else(|| text(row, "key"))?)?;
        let (trigger, function) = (text(row, "trigger")?, text(row, "function")?);
        let evidence = format!("trigger {trigger}, whose function {function} calls nextval on it");
        Some((named(&draw.sequence, &schema, unlinked)?, Likely { column, evidence, is_drawn: true }))
    };
    draws(&body).into_iter().filter_map(likely).collect()
}

fn by_name<'a>(rows: &[PgRow], unlinked: &'a [Unlinked]) -> Vec<(&'a TableName, Likely)> {
    let mut columns: HashMap<String, Vec<Column>> = HashMap::new();
    for row in rows {
        let names = (text(row, "schema"), text(row, "table"), text(row, "column"), row.try_get("is_key").ok());
        if let (Some(schema), Some(table), Some(column), Some(is_key)) = names {
            columns.entry(schema.clone()).or_default().push(Column { schema, table, column, is_key });
        }
    }
    let likely = |sequence: &'a Unlinked| {
        let found = likely_column(&sequence.name.name, columns.get(&sequence.name.schema)?)?;
        let table = TableName { schema: found.schema.clone(), name: found.table.clone() };
        let column = ColumnName { table, column: found.column.clone() };
        Some((&sequence.name, Likely { column, evidence: "its name".to_owned(), is_drawn: false }))
    };
    unlinked.iter().filter(|sequence| !sequence.is_left_over).filter_map(likely).collect()
}

/// The link as configuration. Where a step of the sequence may be a block, the likely allocator is stated with the others.
fn stated(sequence: &TableName, found: Likely, unlinked: &[Unlinked]) -> Option<StatedLink> {
    let increment = unlinked.iter().find(|other| other.name == *sequence)?.increment;
    let allocator = match (increment.unsigned_abs(), found.is_drawn) {
        (1, _) | (_, true) => Allocator::Residue,
        (_, false) if is_hilo(&sequence.name) => Allocator::HiLo,
        (_, false) => Allocator::Pooled,
    };
    let mut toml = feed_toml(sequence, &found.column, None)?;
    if increment.unsigned_abs() != 1 {
        toml += &allocator_line(allocator);
    }
    let suggestion = Suggestion { evidence: found.evidence, toml, allocator };
    Some(StatedLink::suggested(sequence.clone(), found.column, suggestion))
}

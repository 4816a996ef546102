//! One row of the catalog query, decoded: a sequence, and what the catalog says of one of its links.

use super::column_type::comparable_type;
use super::default_expression::{DefaultKind, late_bound_name};
use super::feed_source::{any_source, source};
use super::link_rules::{DrawnElsewhere, LinkFacts};
use super::model::{ComputedColumn, FeedProblem, FollowTrigger, RareOfSequence, Sequence};
use super::position::Parameters;
use super::quoted_column::QuotedColumn;
use super::repeatable_default::is_repeatable;
use super::row_fields::{has_privilege, lossy_text, optional_lossy_text, text};
use super::{FeedReport, Link};
use crate::{QueryError, Reason, ReasonKind, RelationRef, TableName, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::sync::Arc;

/// Fills the places of a catalog query: those of `values`, and what several catalog queries have in common. That is
/// `@FEED_COLUMNS@` in the select list, `@PARTITION_STEP@` as the recursive part of `tree (root, member)`,
/// `@DOMAINS@` as the query `domains (type, base, modifier)` among others, and `@TRUSTED_OWNER@` as a condition on table `r`
/// and sequence `s`.
pub fn catalog_sql(template: &str, values: &[(&str, &str)]) -> String {
    let trusted_owner = trusted_owner_sql();
    let of_feeds = [("TRUSTED_OWNER", &trusted_owner), ("OBJECT_NAME", &object_name_sql())];
    let feed_columns = fill_sql(include_str!("feed_columns.sql"), &of_feeds);
    let partition_step = fill_sql::<&str>(include_str!("partition_step.sql"), &[]);
    let domains = fill_sql::<&str>(include_str!("domains.sql"), &[]);
    let shared = [
        ("DOMAINS", domains.as_str()),
        ("FEED_COLUMNS", feed_columns.as_str()),
        ("PARTITION_STEP", &partition_step),
        ("TRUSTED_OWNER", &trusted_owner),
    ];
    fill_sql(template, &[values, &shared].concat())
}

/// What keeps the types of columns as they are, as the query `obstacles (map)` among others. `columns` is a query of the
/// columns `(rel, att)`.
pub fn obstacles_sql(columns: &str) -> String {
    let widen_obstacles = fill_sql::<&str>(include_str!("widen_obstacles.sql"), &[]);
    let values =
        [("COLUMNS", columns), ("OBJECT_NAME", &object_name_sql()), ("WIDEN_OBSTACLES", widen_obstacles.as_str())];
    fill_sql(include_str!("obstacles.sql"), &values)
}

/// What object `o` is called.
fn object_name_sql() -> String {
    fill_sql::<&str>(include_str!("object_name.sql"), &[])
}

/// Whether the owner of table `r` could move sequence `s` anyway, as a condition.
pub fn trusted_owner_sql() -> String {
    fill_sql::<&str>(include_str!("trusted_owner.sql"), &[])
}

/// The link of one row; none for a sequence that feeds no column. `sequence` is its sequence.
///
/// # Errors
///
/// When the row does not hold what it should.
pub fn link_facts(sequence: &Sequence, row: &PgRow, role: &str) -> Result<Option<LinkFacts>, QueryError> {
    let entry: Option<i64> = row.try_get("entry")?;
    // Counted from 1.
    let stated = entry.and_then(|entry| usize::try_from(entry).ok()?.checked_sub(1));
    let target: (Option<String>, Option<String>) = (row.try_get("rel_quoted")?, row.try_get("att_quoted")?);
    let (Some(table), Some(attribute)) = target else {
        let wanted: Option<String> = row.try_get("wanted")?;
        return Ok(wanted.map(|column| missing_column(column, stated)));
    };
    let name = QuotedColumn::new(&table, &attribute);
    let column = Arc::clone(name.whole());
    let expression: Option<String> = row.try_get("expression")?;
    let link = match row.try_get::<Option<String>, _>("dependency")?.as_deref() {
        Some("i") => Link::Identity,
        Some(_) => Link::Serial,
        None if expression.is_some() => Link::Default,
        None => Link::Declared,
    };
    let other_default: Option<String> = row.try_get("other_default")?;
    let has_namesake: bool = row.try_get("has_namesake")?;
    let late_bound = other_default
        .as_deref()
        .and_then(late_bound_name)
        .is_some_and(|name| is_name_of(&name, sequence, has_namesake));
    let elsewhere = match row.try_get::<Option<String>, _>("other_sequence")? {
        _ if late_bound => DrawnElsewhere::No,
        Some(other) => DrawnElsewhere::Sequence(other),
        None => match &other_default {
            Some(tree) => DrawnElsewhere::Default { calls_function: tree.contains("{FUNCEXPR ") },
            None => DrawnElsewhere::No,
        },
    };
    let default = if late_bound { Some(DefaultKind::NextValue) } else { expression.as_deref().map(DefaultKind::of) };
    let source = source(row, &name, role)?;
    let is_unsupported = matches!(source, Err(FeedProblem::Unsupported(_)));
    let computed = match (default, &expression) {
        // A declared column's ids are the values themselves.
        (Some(DefaultKind::NextValue), _) | (None, _) if is_unsupported => computed(row, &name, role, None)?,
        (Some(DefaultKind::Computed), Some(tree)) if is_repeatable(tree) => computed(row, &name, role, expression)?,
        _ => None,
    };
    Ok(Some(LinkFacts {
        report: FeedReport { column, link, followed: follow_trigger(row)? },
        default,
        elsewhere,
        used_by: optional_lossy_text(row, "used_by")?,
        trusted: row.try_get("trusted_owner")?,
        owner: text(row, "rel_owner")?,
        is_view: text(row, "rel_kind")? == "v",
        exists: true,
        stated,
        source,
        computed,
    }))
}

/// The trigger of `pgmedic sql follow` on the column. An argument that is no number was not made by it.
fn follow_trigger(row: &PgRow) -> Result<Option<Box<FollowTrigger>>, QueryError> {
    let argument: Option<String> = row.try_get("follow_argument")?;
    let always = row.try_get("follow_always")?;
    Ok(argument.map(|argument| Box::new(FollowTrigger { max_id: argument.parse().ok(), always })))
}

/// How the ids of a column are computed from the values, where it can be read and its type is PostgreSQL's.
fn computed(
    row: &PgRow,
    name: &QuotedColumn,
    role: &str,
    default: Option<String>,
) -> Result<Option<ComputedColumn>, QueryError> {
    let type_name = comparable_type(row.try_get("type_oid")?, row.try_get("type_modifier")?);
    let Some(type_name) = type_name else { return Ok(None) };
    let source = any_source(row, name, role)?;
    Ok(source.map(|source| ComputedColumn { source, type_name, default }))
}

/// A stated column that does not exist.
fn missing_column(column: String, stated: Option<usize>) -> LinkFacts {
    let reason = Reason::new(
        ReasonKind::Configuration,
        format!("sequences.feeds declares column {column}, which does not exist; correct the name"),
    );
    LinkFacts {
        report: FeedReport { column: column.into(), link: Link::Declared, followed: None },
        default: None,
        elsewhere: DrawnElsewhere::No,
        used_by: None,
        trusted: true,
        owner: String::new(),
        is_view: false,
        exists: false,
        stated,
        source: Err(FeedProblem::Unreadable(reason)),
        computed: None,
    }
}

/// Whether a name in a default means this sequence. One that lacks the schema does where no other sequence has the name.
fn is_name_of(name: &str, sequence: &Sequence, has_namesake: bool) -> bool {
    let (schema, relation) = sequence.name_parts();
    let is_exact = !has_namesake || name.parse::<TableName>().is_ok();
    is_exact && name.parse::<RelationRef>().is_ok_and(|name| name.matches(&schema, &relation))
}

/// The sequence of one row, without its links.
///
/// # Errors
///
/// When the row does not hold what it should.
pub fn sequence(row: &PgRow, oid: u32, role: &str) -> Result<Sequence, QueryError> {
    let name = lossy_text(row, "seq_quoted")?;
    let problem = if !has_privilege(row, "may_enter_seq_schema")? {
        Some(Reason::missing_privilege(&format!("USAGE ON SCHEMA {}", lossy_text(row, "seq_schema_quoted")?), role))
    } else if !has_privilege(row, "may_read_seq")? {
        Some(Reason::missing_privilege(&format!("SELECT ON SEQUENCE {name}"), role))
    } else {
        None
    };
    Ok(Sequence {
        oid,
        parameters: Arc::new(Parameters {
            increment: row.try_get("seqincrement")?,
            min_value: row.try_get("seqmin")?,
            max_value: row.try_get("seqmax")?,
            start: row.try_get("seqstart")?,
            cache: row.try_get("seqcache")?,
            cycle: row.try_get("seqcycle")?,
        }),
        owner: lossy_text(row, "seq_owner")?.into(),
        owner_is_superuser: row.try_get("seq_owner_is_superuser")?,
        may_alter: row.try_get("may_alter")?,
        not_inherited: row.try_get("not_inherited")?,
        may_advance: has_privilege(row, "may_advance")?,
        may_set: has_privilege(row, "may_set")?,
        feeds: Vec::new(),
        rare: RareOfSequence { problem, ..RareOfSequence::default() }.into(),
        name: name.into(),
    })
}

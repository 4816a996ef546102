//! Where the ids of a fed column are read, from a row of the catalog query; or why they are not.

use super::column_type::column_type;
use super::model::{FeedProblem, FeedSource, RareOfSource};
use super::position::ColumnRange;
use super::quoted_column::QuotedColumn;
use super::row_fields::{has_privilege, oid, optional_lossy_text, parse_oid, text};
use crate::{Fix, QueryError, Reason, ReasonKind};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Pages that are read so quickly that a missing index does not matter: 4 MB.
const FEW_PAGES: i64 = 512;

/// The source of the row's column, unless there is a reason against it.
///
/// # Errors
///
/// When the row does not hold what it should.
pub fn source(row: &PgRow, name: &QuotedColumn, role: &str) -> Result<Result<FeedSource, FeedProblem>, QueryError> {
    let table = name.table();
    let unsupported =
        |what: String| Ok(Err(FeedProblem::Unsupported(Reason::new(ReasonKind::UnsupportedColumn, what))));
    match text(row, "rel_kind")?.as_str() {
        "r" | "p" => {}
        "f" => return unsupported(format!("{table} is a foreign table: its ids are kept by another server")),
        "v" | "m" => return unsupported(format!("{table} is a view: declare the column of the table behind it")),
        kind => return unsupported(format!("{table} is no table (relkind {kind})")),
    }
    let Some((range, numeric)) = column_type(row.try_get("type_oid")?, row.try_get("type_modifier")?) else {
        return unsupported(format!("{} is {}, not an integer column", name.whole(), text(row, "type_name")?));
    };
    let source = FeedSource { range, numeric, ..stored(row, name)? };
    Ok(match unreadable_reason(row, &source, role)? {
        Some(reason) => Err(FeedProblem::Refused { source: Box::new(source), reason }),
        None => Ok(source),
    })
}

/// The source of a column of any type, whose range says nothing; none where it cannot be read whole.
///
/// # Errors
///
/// When the row does not hold what it should.
pub fn any_source(row: &PgRow, name: &QuotedColumn, role: &str) -> Result<Option<FeedSource>, QueryError> {
    if !["r", "p"].contains(&text(row, "rel_kind")?.as_str()) {
        return Ok(None);
    }
    let source = stored(row, name)?;
    let readable = source.rare.by_member.is_none() && unreadable_reason(row, &source, role)?.is_none();
    Ok(readable.then_some(source))
}

/// The table, as it is stored.
fn stored(row: &PgRow, name: &QuotedColumn) -> Result<FeedSource, QueryError> {
    let has_children = row.try_get("has_children")?;
    let has_foreign: bool = row.try_get("has_foreign")?;
    let others = members_of_others(row)?;
    // Each partition stores rows that its parent's default numbers. A child of another kind has rows of its sequence alone.
    let (partners, left_out) = if text(row, "rel_kind")? == "p" {
        (others.iter().map(|(_, sequence)| *sequence).collect(), Vec::new())
    } else {
        (Vec::new(), others.iter().map(|(member, _)| *member).collect())
    };
    let unindexed: Option<String> = row.try_get("unindexed")?;
    let pages: i64 = row.try_get("pages")?;
    let relations: i64 = row.try_get("relations")?;
    Ok(FeedSource {
        table_oid: oid(row, "rel_oid")?,
        name: name.clone(),
        range: ColumnRange::INT8,
        numeric: false,
        relations: u64::try_from(relations).map_err(|error| QueryError::UnexpectedResponse(error.to_string()))?,
        has_children,
        file_fingerprint: row.try_get("files")?,
        alone: row.try_get("runs_functions")? || unindexed.is_some() && (has_children || pages > FEW_PAGES),
        may_lock: has_privilege(row, "may_lock")?,
        rare: RareOfSource {
            widen_obstacle: widen_obstacle(row)?,
            unindexed,
            stated_allocator: None,
            hidden: has_foreign.then(|| foreign_members(row).map(Box::new)).transpose()?,
            by_member: (has_foreign || !left_out.is_empty()).then_some(left_out),
            partners,
        }
        .into(),
    })
}

/// Why the column's type cannot be changed in place, so far as the query looked.
fn widen_obstacle(row: &PgRow) -> Result<Option<Box<str>>, QueryError> {
    let by_itself = optional_lossy_text(row, "fixed_type")?;
    let by_others = optional_lossy_text(row, "widen_obstacle")?;
    Ok(by_itself.or(by_others).map(String::into_boxed_str))
}

/// That a part of the table is kept elsewhere.
fn foreign_members(row: &PgRow) -> Result<Reason, QueryError> {
    let table = text(row, "rel_quoted")?;
    Ok(Reason::new(
        ReasonKind::UnsupportedColumn,
        format!("{table} has a foreign table among its partitions or children, whose ids are not looked at"),
    ))
}

/// Members of the table's tree whose values another sequence hands out, each with that sequence, by OID.
fn members_of_others(row: &PgRow) -> Result<Vec<(u32, u32)>, QueryError> {
    let list: Option<String> = row.try_get("members_of_others")?;
    let pair = |pair: &str| match pair.split_once(':') {
        Some((member, sequence)) => Ok((parse_oid(member)?, parse_oid(sequence)?)),
        None => Err(QueryError::UnexpectedResponse(format!("{pair:?} is no pair of OIDs"))),
    };
    list.iter().flat_map(|list| list.split_whitespace()).map(pair).collect()
}

/// Why the role may not read the column, if so.
fn unreadable_reason(row: &PgRow, source: &FeedSource, role: &str) -> Result<Option<Reason>, QueryError> {
    let (table, column) = (source.table(), source.column());
    if !has_privilege(row, "may_enter_rel_schema")? {
        let privilege = format!("USAGE ON SCHEMA {}", text(row, "rel_schema_quoted")?);
        return Ok(Some(Reason::missing_privilege(&privilege, role)));
    }
    if !has_privilege(row, "may_read_column")? {
        return Ok(Some(Reason::missing_privilege(&format!("SELECT ({column}) ON {table}"), role)));
    }
    if row.try_get("endangers_superuser")? {
        let text = format!(
            "{role} is a superuser, and planning a read of {table} runs functions that belong to others (in its \
             indexes, constraints, statistics or partition key): run pgmedic as a role that is no superuser, which \
             pgmedic grants sets up"
        );
        return Ok(Some(Reason::new(ReasonKind::UntrustedCode, text)));
    }
    Ok(row.try_get::<bool, _>("hides_rows")?.then(|| hidden_rows(table, role)))
}

/// Row-level security hides rows of `table` from `role`; both are quoted.
pub fn hidden_rows(table: &str, role: &str) -> Reason {
    let text = format!(
        "row-level security of {table} hides rows from {role}; else leave the sequence out by sequences.exclude"
    );
    Reason::new(ReasonKind::RowSecurity, text).with_fix(Fix::Sql(format!("ALTER ROLE {role} BYPASSRLS")))
}

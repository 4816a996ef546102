//! One row of the catalog query, decoded: a sequence, and what the catalog says of one of its links.

use super::column_type::column_type;
use super::default_expression::{DefaultKind, late_bound_name};
use super::link_rules::{DrawnElsewhere, LinkFacts};
use super::model::UntrustedOwners;
use super::model::{FeedProblem, FeedSource, Sequence};
use super::position::Parameters;
use super::{FeedReport, Link};
use crate::{Fix, QueryError, Reason, ReasonKind, RelationRef, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Pages that are read so quickly that a missing index does not matter: 4 MB.
const FEW_PAGES: i64 = 512;

/// Fills the places of a catalog query: those of `values`, and what several catalog queries have in common. That is
/// `@FEED_COLUMNS@` in the select list, `@PARTITION_STEP@` as the recursive part of `tree (root, member)`,
/// `@DOMAINS@` as the query `domains (type, base, modifier)` among others, and `@TRUSTED_OWNER@` as a condition on table `r`
/// and sequence `s`.
pub fn catalog_sql(template: &str, values: &[(&str, &str)]) -> String {
    let trusted_owner = fill_sql::<&str>(include_str!("trusted_owner.sql"), &[]);
    let feed_columns = fill_sql(include_str!("feed_columns.sql"), &[("TRUSTED_OWNER", &trusted_owner)]);
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
    let column = format!("{table}.{attribute}");
    let expression: Option<String> = row.try_get("expression")?;
    let link = match row.try_get::<Option<String>, _>("dependency")?.as_deref() {
        Some("i") => Link::Identity,
        Some(_) => Link::Serial,
        None if expression.is_some() => Link::Default,
        None => Link::Declared,
    };
    let other_default: Option<String> = row.try_get("other_default")?;
    let late_bound = other_default.as_deref().and_then(late_bound_name).is_some_and(|name| is_name_of(&name, sequence));
    let elsewhere = match row.try_get::<Option<String>, _>("other_sequence")? {
        _ if late_bound => DrawnElsewhere::No,
        Some(other) => DrawnElsewhere::Sequence(other),
        None if other_default.is_some() => DrawnElsewhere::Default,
        None => DrawnElsewhere::No,
    };
    let default = if late_bound { Some(DefaultKind::NextValue) } else { expression.as_deref().map(DefaultKind::of) };
    Ok(Some(LinkFacts {
        report: FeedReport { column, link, followed: row.try_get("followed")? },
        default,
        elsewhere,
        trusted: row.try_get("trusted_owner")?,
        owner: text(row, "rel_owner")?,
        is_view: text(row, "rel_kind")? == "v",
        exists: true,
        stated,
        source: source(row, table, attribute, role)?,
    }))
}

/// A stated column that does not exist.
fn missing_column(column: String, stated: Option<usize>) -> LinkFacts {
    let reason = Reason::new(
        ReasonKind::Configuration,
        format!("sequences.feeds declares column {column}, which does not exist; correct the name"),
    );
    LinkFacts {
        report: FeedReport { column, link: Link::Declared, followed: false },
        default: None,
        elsewhere: DrawnElsewhere::No,
        trusted: true,
        owner: String::new(),
        is_view: false,
        exists: false,
        stated,
        source: Err(FeedProblem::Unreadable(reason)),
    }
}

/// Whether a name in a default, which may lack the schema, means this sequence.
fn is_name_of(name: &str, sequence: &Sequence) -> bool {
    let (schema, relation) = &sequence.name_parts;
    name.parse::<RelationRef>().is_ok_and(|name| name.matches(schema, relation))
}

fn source(
    row: &PgRow,
    table: String,
    column: String,
    role: &str,
) -> Result<Result<FeedSource, FeedProblem>, QueryError> {
    let unsupported =
        |what: String| Ok(Err(FeedProblem::Unsupported(Reason::new(ReasonKind::UnsupportedColumn, what))));
    match text(row, "rel_kind")?.as_str() {
        "r" | "p" => {}
        "f" => return unsupported(format!("{table} is a foreign table: its ids are kept by another server")),
        "v" | "m" => return unsupported(format!("{table} is a view: declare the column of the table behind it")),
        kind => return unsupported(format!("{table} is no table (relkind {kind})")),
    }
    let Some((range, numeric)) = column_type(row.try_get("type_oid")?, row.try_get("type_modifier")?) else {
        return unsupported(format!("{table}.{column} is {}, not an integer column", text(row, "type_name")?));
    };
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
    let source = FeedSource {
        table_oid: oid(row, "rel_oid")?,
        table,
        column,
        range,
        numeric,
        relations: u64::try_from(relations).map_err(|error| QueryError::UnexpectedResponse(error.to_string()))?,
        has_children,
        file_fingerprint: row.try_get("files")?,
        alone: row.try_get("runs_functions")? || unindexed.is_some() && (has_children || pages > FEW_PAGES),
        may_widen: row.try_get("may_widen")?,
        may_lock: has_privilege(row, "may_lock")?,
        unindexed,
        stated_allocator: None,
        hidden: has_foreign.then(|| foreign_members(row)).transpose()?,
        by_member: (has_foreign || !left_out.is_empty()).then_some(left_out),
        partners,
    };
    Ok(match unreadable_reason(row, &source, role)? {
        Some(reason) => Err(FeedProblem::Refused { source: Box::new(source), reason }),
        None => Ok(source),
    })
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
    let FeedSource { table, column, .. } = source;
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
    Reason::new(ReasonKind::RowSecurity, format!("row-level security of {table} hides rows from {role}"))
        .with_fix(Fix::Sql(format!("ALTER ROLE {role} BYPASSRLS")))
}

/// A text column.
pub fn text(row: &PgRow, column: &str) -> Result<String, QueryError> {
    Ok(row.try_get(column)?)
}

/// A text column, with a replacement character for what is no UTF-8.
fn lossy_text(row: &PgRow, column: &str) -> Result<String, QueryError> {
    let value = row.try_get_raw(column)?;
    let bytes = value.as_bytes().map_err(|error| QueryError::UnexpectedResponse(error.to_string()))?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// An OID, which the query widens to a bigint.
pub fn oid(row: &PgRow, column: &str) -> Result<u32, QueryError> {
    let oid: i64 = row.try_get(column)?;
    u32::try_from(oid).map_err(|error| QueryError::UnexpectedResponse(format!("{column}: {error}")))
}

/// Whether the role has the privilege. The check is null when its object was dropped meanwhile: the read then fails and says so.
pub fn has_privilege(row: &PgRow, column: &str) -> Result<bool, QueryError> {
    Ok(row.try_get::<Option<bool>, _>(column)?.unwrap_or(true))
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
        name_parts: (lossy_text(row, "seq_schema")?, lossy_text(row, "seq_name")?),
        parameters: Parameters {
            increment: row.try_get("seqincrement")?,
            min_value: row.try_get("seqmin")?,
            max_value: row.try_get("seqmax")?,
            start: row.try_get("seqstart")?,
            cache: row.try_get("seqcache")?,
            cycle: row.try_get("seqcycle")?,
        },
        owner: lossy_text(row, "seq_owner")?,
        owner_is_superuser: row.try_get("seq_owner_is_superuser")?,
        may_alter: row.try_get("may_alter")?,
        may_advance: has_privilege(row, "may_advance")?,
        may_set: has_privilege(row, "may_set")?,
        feeds: Vec::new(),
        uncounted: Vec::new(),
        limits: Vec::new(),
        notes: Vec::new(),
        untrusted_owners: UntrustedOwners::new(),
        problem,
        name,
    })
}

/// Reads the catalog query's list of OIDs.
pub fn untrusted_owners(list: &str) -> Result<UntrustedOwners, QueryError> {
    list.split_whitespace().map(parse_oid).collect()
}

pub fn parse_oid(oid: &str) -> Result<u32, QueryError> {
    oid.parse().map_err(|_| QueryError::UnexpectedResponse(format!("{oid:?} is no OID")))
}

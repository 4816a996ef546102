//! One row of the catalog query: which column the sequence feeds, whether that counts, and where its ids are read.

use super::default_expression::is_plain_nextval;
use super::model::UntrustedOwners;
use super::model::{Feed, FeedProblem, FeedSource, Sequence};
use super::position::ColumnRange;
use super::position::Parameters;
use super::{FeedReport, Link};
use crate::{Fix, QueryError, Reason, ReasonKind, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Pages that are read so quickly that a missing index does not matter: 4 MB.
const FEW_PAGES: i64 = 512;

/// Fills the places of a catalog query: those of `values`, and what several catalog queries have in common. That is
/// `@FEED_COLUMNS@` in the select list, and `@PARTITION_STEP@` as the recursive part of `tree (root, member)`.
pub fn catalog_sql(template: &str, values: &[(&str, &str)]) -> String {
    let feed_columns = fill_sql::<&str>(include_str!("feed_columns.sql"), &[]);
    let partition_step = fill_sql::<&str>(include_str!("partition_step.sql"), &[]);
    let shared = [("FEED_COLUMNS", feed_columns.as_str()), ("PARTITION_STEP", &partition_step)];
    fill_sql(template, &[values, &shared].concat())
}

/// Adds the link of one row to its sequence.
pub fn add_link(sequence: &mut Sequence, row: &PgRow, role: &str) -> Result<(), QueryError> {
    let wanted: Option<String> = row.try_get("wanted")?;
    let target: (Option<String>, Option<String>) = (row.try_get("rel_quoted")?, row.try_get("att_quoted")?);
    let (Some(table), Some(attribute)) = target else {
        if let Some(column) = wanted {
            let reason = Reason::new(
                ReasonKind::Configuration,
                format!("sequences.feeds declares column {column}, which does not exist; correct the name"),
            );
            let report = FeedReport { column, link: Link::Declared };
            sequence.feeds.push(Feed { report, source: Err(FeedProblem::Unreadable(reason)) });
        }
        return Ok(());
    };
    let column = format!("{table}.{attribute}");
    let expression: Option<String> = row.try_get("expression")?;
    let link = match row.try_get::<Option<String>, _>("dependency")?.as_deref() {
        Some("i") => Link::Identity,
        Some(_) => Link::Serial,
        None if expression.is_some() => Link::Default,
        None => Link::Declared,
    };
    if let (Link::Default, None, Some(note)) = (link, &wanted, ignored_default_reason(row, &column)?) {
        sequence.notes.push(note);
        return Ok(());
    }
    // A declared column's ids are the sequence's values, because the configuration says so.
    let computed = match wanted {
        Some(_) => None,
        None => computed_default_reason(row, &column, expression.as_deref())?,
    };
    let source = match computed {
        Some(reason) => Err(FeedProblem::Unsupported(reason)),
        None => source(row, table, attribute, role)?,
    };
    sequence.feeds.push(Feed { report: FeedReport { column, link }, source });
    Ok(())
}

/// Why the column's new ids are other than the sequence's values, if its default says so.
fn computed_default_reason(row: &PgRow, column: &str, expression: Option<&str>) -> Result<Option<Reason>, QueryError> {
    let other_default = row.try_get::<Option<bool>, _>("other_default")?.unwrap_or(false);
    let text = match expression {
        Some(tree) if !is_plain_nextval(tree) => {
            Some(format!("the default of {column} is computed from nextval, so its ids are not the sequence's values"))
        }
        None if other_default => Some(format!(
            "the default of {column} does not name this sequence, so its ids may be made otherwise; declare it under \
             [[sequences.feeds]] if they are the sequence's values"
        )),
        _ => None,
    };
    Ok(text.map(|text| Reason::new(ReasonKind::UnsupportedColumn, text)))
}

/// Why a default's link does not count without being declared, if so.
fn ignored_default_reason(row: &PgRow, column: &str) -> Result<Option<Reason>, QueryError> {
    let ignored = |text: String| Ok(Some(Reason::new(ReasonKind::IgnoredLink, text)));
    let declare = "declare it under [[sequences.feeds]] if it is meant";
    if text(row, "rel_kind")? == "v" {
        return ignored(format!(
            "the default of view column {column} uses it too; a view stores no ids: declare the column of the table behind it"
        ));
    }
    if !row.try_get::<bool, _>("same_owner")? {
        let owner = text(row, "rel_owner")?;
        return ignored(format!(
            "the default of {column} uses it too, but that table's owner {owner} does not own the sequence: not counted; {declare}"
        ));
    }
    Ok(None)
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
    if row.try_get("has_foreign")? {
        return unsupported(format!("{table} has a foreign table among its partitions or children"));
    }
    let Some((range, numeric)) = column_type(row.try_get("type_oid")?, row.try_get("type_modifier")?) else {
        return unsupported(format!("{table}.{column} is {}, not an integer column", text(row, "type_name")?));
    };
    let has_children = row.try_get("has_children")?;
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
    };
    Ok(match unreadable_reason(row, &source, role)? {
        Some(reason) => Err(FeedProblem::Refused { source: Box::new(source), reason }),
        None => Ok(source),
    })
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

/// The ids a column of this base type can hold, and whether it is `numeric`; none when it is no integer type.
/// OIDs: `pg_type.dat`; a numeric's precision and scale in its modifier: `src/backend/utils/adt/numeric.c`.
pub fn column_type(type_oid: i64, modifier: i32) -> Option<(ColumnRange, bool)> {
    match (type_oid, modifier) {
        (21, _) => Some((ColumnRange::INT2, false)),
        (23, _) => Some((ColumnRange::INT4, false)),
        (20, _) => Some((ColumnRange::INT8, false)),
        (1700, -1) => Some((ColumnRange::INT8, true)),
        (1700, modifier) if (modifier - 4) & 0x7ff == 0 => {
            let precision = u32::try_from((modifier - 4) >> 16 & 0xffff).ok()?;
            Some((ColumnRange::numeric(precision), true))
        }
        _ => None,
    }
}

/// A text column.
pub fn text(row: &PgRow, column: &str) -> Result<String, QueryError> {
    Ok(row.try_get(column)?)
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

/// Adds one row, a sequence with one of its links; the rows of one sequence are adjacent.
pub fn push_row(sequences: &mut Vec<Sequence>, row: &PgRow, role: &str) -> Result<(), QueryError> {
    let oid = oid(row, "seq_oid")?;
    if sequences.last().is_none_or(|last| last.oid != oid) {
        sequences.push(sequence(row, oid, role)?);
    }
    match sequences.last_mut() {
        Some(sequence) => {
            sequence.untrusted_owners.extend(untrusted_owners(&text(row, "owners")?)?);
            add_link(sequence, row, role)
        }
        None => Ok(()),
    }
}

fn sequence(row: &PgRow, oid: u32, role: &str) -> Result<Sequence, QueryError> {
    let name: String = row.try_get("seq_quoted")?;
    let problem = if !has_privilege(row, "may_enter_seq_schema")? {
        Some(Reason::missing_privilege(&format!("USAGE ON SCHEMA {}", text(row, "seq_schema_quoted")?), role))
    } else if !has_privilege(row, "may_read_seq")? {
        Some(Reason::missing_privilege(&format!("SELECT ON SEQUENCE {name}"), role))
    } else {
        None
    };
    Ok(Sequence {
        oid,
        name_parts: (row.try_get("seq_schema")?, row.try_get("seq_name")?),
        parameters: Parameters {
            increment: row.try_get("seqincrement")?,
            min_value: row.try_get("seqmin")?,
            max_value: row.try_get("seqmax")?,
            start: row.try_get("seqstart")?,
            cache: row.try_get("seqcache")?,
            cycle: row.try_get("seqcycle")?,
        },
        owner: row.try_get("seq_owner")?,
        owner_is_superuser: row.try_get("seq_owner_is_superuser")?,
        may_alter: row.try_get("may_alter")?,
        may_advance: has_privilege(row, "may_advance")?,
        may_set: has_privilege(row, "may_set")?,
        feeds: Vec::new(),
        limits: Vec::new(),
        notes: Vec::new(),
        untrusted_owners: UntrustedOwners::new(),
        problem,
        name,
    })
}

/// Reads the catalog query's list of OIDs.
fn untrusted_owners(list: &str) -> Result<UntrustedOwners, QueryError> {
    list.split_whitespace().map(parse_oid).collect()
}

pub fn parse_oid(oid: &str) -> Result<u32, QueryError> {
    oid.parse().map_err(|_| QueryError::UnexpectedResponse(format!("{oid:?} is no OID")))
}

#[cfg(test)]
mod tests {
    use crate::sequence::feed_row::*;

    #[test]
    fn only_integral_types_are_columns_of_ids() {
        let numeric = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        assert_eq!(column_type(21, -1), Some((ColumnRange::INT2, false)));
        assert_eq!(column_type(1700, -1), Some((ColumnRange::INT8, true)));
        assert_eq!(column_type(1700, numeric(5, 0)), Some((ColumnRange { min: -99_999, max: 99_999 }, true)));
        assert_eq!(column_type(1700, numeric(38, 0)), Some((ColumnRange::INT8, true)));
        assert_eq!(column_type(1700, numeric(10, 2)), None);
        assert_eq!(column_type(1700, numeric(10, -2)), None, "rounds its ids away");
        assert_eq!(column_type(25, -1), None);
    }
}

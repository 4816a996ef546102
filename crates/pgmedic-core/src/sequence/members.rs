//! The partitions and children of a table that are read one by one: it has too many for one transaction, or some of them
//! are left out.

use super::feed_row::catalog_sql;
use super::feed_source::hidden_rows;
use super::model::FeedSource;
use super::probe::{Partition, ProbePart, fits_in_transaction};
use super::row_fields::oid;
use crate::{Fix, QueryError, Reason, ReasonKind, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Whether a table is read by its partitions and children, each by itself.
pub fn is_read_by_member(source: &FeedSource) -> bool {
    source.rare.by_member.is_some() || source.has_children && !fits_in_transaction(1 + source.relations)
}

/// The query for every partition and child that stores rows and is not left out, and the table itself if it does.
pub fn members_sql(source: &FeedSource) -> String {
    let left_out: Vec<String> = source.rare.by_member.iter().flatten().map(ToString::to_string).collect();
    let values = [
        ("ROOT", &*source.table_oid.to_string()),
        ("COLUMN", &*quote_literal(source.column())),
        ("LEFT_OUT", &*left_out.join(",")),
    ];
    catalog_sql(include_str!("members.sql"), &values)
}

/// The rows of that query, as parts of a probe.
///
/// # Errors
///
/// The reason why one of them cannot be read.
pub fn member_parts<'a>(rows: &[PgRow], source: &'a FeedSource, role: &str) -> Result<Vec<ProbePart<'a>>, Reason> {
    let part = |row| Ok(ProbePart { source, member: Some(member(row, source, role)?), own_values: None });
    rows.iter().map(part).collect()
}

/// The same members by OID, without regard to privileges.
///
/// # Errors
///
/// When a row does not hold what it should.
pub fn member_oids(rows: &[PgRow]) -> Result<Vec<u32>, QueryError> {
    rows.iter().map(|row| Ok(decode(row)?.member.oid)).collect()
}

fn member(row: &PgRow, source: &FeedSource, role: &str) -> Result<Partition, Reason> {
    let PartitionRow { member, may_enter, may_read, hides_rows, schema } = decode(row)?;
    let (table, column) = (source.table(), source.column());
    let separately = format!("the partitions and children of {table} are read one by one");
    if !may_enter {
        return Err(Reason::missing_privilege(&format!("USAGE ON SCHEMA {schema}"), role).while_doing(&separately));
    }
    if !may_read {
        let text = format!("{separately}: a privilege on {} is missing, and likewise on the others", member.name);
        let reason = Reason::new(ReasonKind::MissingPrivilege, text);
        return Err(reason.with_fix(Fix::Sql(grant_on_all_members(table, column, role))));
    }
    if hides_rows {
        return Err(hidden_rows(&member.name, role));
    }
    if !fits_in_transaction(1 + member.relations) {
        let text = format!("{} has too many indexes to read it in a bounded transaction", member.name);
        return Err(Reason::new(ReasonKind::TooManyRelations, text));
    }
    Ok(member)
}

/// One statement that grants `SELECT` on the column of `table` and of each of its partitions and children, which may be
/// thousands. All names are quoted by the server.
fn grant_on_all_members(table: &str, column: &str, role: &str) -> String {
    let block = format!(
        "DECLARE member regclass; BEGIN FOR member IN WITH RECURSIVE tree (oid) AS (SELECT {table}::regclass::oid UNION \
         SELECT inhrelid FROM tree JOIN pg_catalog.pg_inherits ON inhparent = tree.oid) SELECT oid FROM tree LOOP \
         EXECUTE format('GRANT SELECT (%s) ON %s TO %s', {column}, member, {role}); END LOOP; END",
        table = quote_literal(table),
        column = quote_literal(column),
        role = quote_literal(role),
    );
    format!("DO {}", quote_literal(&block))
}

/// One row of the query.
struct PartitionRow {
    member: Partition,
    may_enter: bool,
    may_read: bool,
    hides_rows: bool,
    /// Quoted by the server.
    schema: String,
}

fn decode(row: &PgRow) -> Result<PartitionRow, QueryError> {
    let relations: i64 = row.try_get("relations")?;
    let relations = u64::try_from(relations).map_err(|error| QueryError::UnexpectedResponse(error.to_string()))?;
    Ok(PartitionRow {
        member: Partition { oid: oid(row, "oid")?, name: row.try_get("name")?, relations },
        may_enter: row.try_get("may_enter")?,
        may_read: row.try_get("may_read")?,
        hides_rows: row.try_get("hides_rows")?,
        schema: row.try_get("schema")?,
    })
}

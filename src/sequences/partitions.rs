//! The partitions and children of a table that has too many of them for one transaction.

use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::sequence::feed_row::{catalog_sql, hidden_rows, oid};
use pgmedic_core::sequence::model::FeedSource;
use pgmedic_core::sequence::probe::{Partition, fits_in_transaction};
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, Timeouts, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Every partition and child that stores rows, and the table itself if it does.
///
/// # Errors
///
/// The reason why the catalog, or one of them, cannot be read.
pub async fn read_partitions(
    connection: &mut BoundedConnection,
    source: &FeedSource,
    timeouts: Timeouts,
) -> Result<Vec<Partition>, Reason> {
    let rows = rows(connection, source, timeouts).await?;
    let role = &connection.server().role;
    rows.iter().map(|row| member(row, source, role)).collect()
}

/// The same members by OID, without regard to privileges.
///
/// # Errors
///
/// When the catalog cannot be read.
pub async fn oids(
    connection: &mut BoundedConnection,
    source: &FeedSource,
    timeouts: Timeouts,
) -> Result<Vec<u32>, QueryError> {
    rows(connection, source, timeouts).await?.iter().map(|row| Ok(decode(row)?.member.oid)).collect()
}

async fn rows(
    connection: &mut BoundedConnection,
    source: &FeedSource,
    timeouts: Timeouts,
) -> Result<Vec<PgRow>, QueryError> {
    let mut result = connection.run_transaction("partitions", TransactionMode::Read, timeouts, [query(source)]).await;
    match result.failure {
        Some(failure) => Err(failure),
        None => Ok(result.answers.pop().unwrap_or_default()),
    }
}

fn query(source: &FeedSource) -> String {
    let values = [("ROOT", &*source.table_oid.to_string()), ("COLUMN", &*quote_literal(&source.column))];
    catalog_sql(include_str!("partitions.sql"), &values)
}

fn member(row: &PgRow, source: &FeedSource, role: &str) -> Result<Partition, Reason> {
    let PartitionRow { member, may_enter, may_read, hides_rows, schema } = decode(row)?;
    let FeedSource { table, column, .. } = source;
    let separately = format!("{table} has too many partitions to read in one transaction, so each is read by itself");
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

//! The partitions and children of a table that are read one by one.

use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::sequence::members::{member_oids, member_parts, members_sql};
use pgmedic_core::sequence::model::FeedSource;
use pgmedic_core::sequence::probe::ProbePart;
use pgmedic_core::{QueryError, Reason, Timeouts};
use sqlx::postgres::PgRow;

/// Every partition and child that stores rows, and the table itself if it does.
///
/// # Errors
///
/// The reason why the catalog, or one of them, cannot be read.
pub async fn read_partitions<'a>(
    connection: &mut BoundedConnection,
    source: &'a FeedSource,
    timeouts: Timeouts,
) -> Result<Vec<ProbePart<'a>>, Reason> {
    let rows = rows(connection, source, timeouts).await?;
    member_parts(&rows, source, &connection.server().role)
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
    member_oids(&rows(connection, source, timeouts).await?)
}

async fn rows(
    connection: &mut BoundedConnection,
    source: &FeedSource,
    timeouts: Timeouts,
) -> Result<Vec<PgRow>, QueryError> {
    connection.run_transaction("partitions", TransactionMode::Read, timeouts, [members_sql(source)]).await.into_rows()
}

//! The privileges that a role needs for a complete pass, found by the same discovery as in a pass.

use super::catalog::discover;
use super::computed::computed_columns;
use super::findings::missing_sequence_reason;
use super::partitions;
use crate::config::Sequences;
use crate::db::{BoundedConnection, TransactionMode};
use crate::report::DatabaseLabel;
use pgmedic_core::sequence::members::is_read_by_member;
use pgmedic_core::sequence::model::{FeedProblem, FeedSource, Sequence};
use pgmedic_core::{QueryError, Reason, Timeouts, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::{BTreeMap, BTreeSet};

/// The relations that the configured work reads or changes in one database, each list sorted by name.
#[derive(Debug, Default)]
pub struct RequiredPrivileges {
    pub sequences: Vec<SequencePrivileges>,
    pub tables: Vec<TablePrivileges>,
    /// Why something that is configured cannot be looked at, with any privileges.
    pub notes: Vec<Reason>,
}

/// A sequence whose state is read.
#[derive(Debug)]
pub struct SequencePrivileges {
    pub relation: Relation,
    /// It may have to be repaired too.
    pub repair: bool,
    /// `CACHE` above 1: only a leap repairs it completely.
    pub cached: bool,
}

/// A table, partition or child that is read by its own name.
#[derive(Debug)]
pub struct TablePrivileges {
    pub relation: Relation,
    /// Quoted by the server.
    pub columns: BTreeSet<String>,
    /// Its policies hide rows from roles that do not own it.
    pub row_security: bool,
}

/// Names are quoted by the server.
#[derive(Debug, Clone)]
pub struct Relation {
    pub schema: String,
    /// With its schema.
    pub name: String,
    pub owner: String,
    pub owner_is_superuser: bool,
}

/// Discovers which relations the work on `database`, by its configured name, reads or changes.
///
/// # Errors
///
/// When the catalog cannot be read.
pub async fn required_privileges(
    session: &mut BoundedConnection,
    database: &DatabaseLabel,
    settings: &Sequences,
    bounds: Timeouts,
) -> Result<RequiredPrivileges, QueryError> {
    let found = discover(session, database, settings, bounds).await?;
    let mut needs = RequiredPrivileges::default();
    needs.notes.extend(found.missing.iter().map(|feed| missing_sequence_reason(feed, database)));
    let mut sequences: BTreeMap<u32, &Sequence> = BTreeMap::new();
    let mut tables: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for sequence in found.sequences.iter().filter(|sequence| sequence.is_observable() && sequence.has_readable_names())
    {
        sequences.insert(sequence.oid, sequence);
        for feed in &sequence.feeds {
            let source = match &feed.source {
                Ok(source) => source,
                Err(FeedProblem::Refused { source, .. }) => source,
                Err(FeedProblem::Unreadable(reason)) => {
                    needs.notes.push(reason.clone());
                    continue;
                }
                Err(FeedProblem::Unsupported(_)) => continue,
            };
            for oid in read_by_name(session, source, bounds).await? {
                tables.entry(oid).or_default().insert(source.column().to_owned());
            }
        }
    }
    for (sequence, source) in computed_columns(session, &found.sequences, bounds).await? {
        sequences.insert(sequence.oid, sequence);
        tables.entry(source.table_oid).or_default().insert(source.column().to_owned());
    }
    let oids: Vec<u32> = sequences.keys().chain(tables.keys()).copied().collect();
    for (oid, relation, row_security) in relations(session, &oids, bounds).await? {
        if let Some(columns) = tables.remove(&oid) {
            needs.tables.push(TablePrivileges { relation, columns, row_security });
        } else if let Some(sequence) = sequences.get(&oid) {
            let repair = settings.repair && !sequence.feeds.is_empty() && sequence.is_observable();
            needs.sequences.push(SequencePrivileges { relation, repair, cached: sequence.parameters.cache > 1 });
        }
    }
    Ok(needs)
}

/// The table, and its partitions and children where they are too many to be read through it.
async fn read_by_name(
    session: &mut BoundedConnection,
    source: &FeedSource,
    bounds: Timeouts,
) -> Result<Vec<u32>, QueryError> {
    let mut oids = vec![source.table_oid];
    if is_read_by_member(source) {
        oids.extend(partitions::oids(session, source, bounds).await?);
    }
    Ok(oids)
}

/// Names and owners of relations, and whether row security is switched on, sorted by name.
async fn relations(
    session: &mut BoundedConnection,
    oids: &[u32],
    bounds: Timeouts,
) -> Result<Vec<(u32, Relation, bool)>, QueryError> {
    let oids: Vec<String> = oids.iter().map(ToString::to_string).collect();
    let statement = fill_sql(include_str!("relations.sql"), &[("OIDS", oids.join(","))]);
    let result = session.run_transaction("privileges", TransactionMode::Read, bounds, [statement]).await;
    result.into_rows()?.iter().map(relation).collect()
}

fn relation(row: &PgRow) -> Result<(u32, Relation, bool), QueryError> {
    let oid =
        u32::try_from(row.try_get::<i64, _>(0)?).map_err(|error| QueryError::UnexpectedResponse(error.to_string()))?;
    let relation = Relation {
        schema: row.try_get(1)?,
        name: row.try_get(2)?,
        owner: row.try_get(3)?,
        owner_is_superuser: row.try_get(4)?,
    };
    Ok((oid, relation, row.try_get(5)?))
}

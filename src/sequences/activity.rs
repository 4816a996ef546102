//! What has changed since the last pass, by the server's statistics, so that a pass reads only what changed.
//!
//! Each access to a sequence fetches its one block, and each change of a table's rows is counted. The counters are updated
//! within seconds, are lost in a crash and can be reset. So everything that resets them is compared too (`stats_epoch`),
//! and every `full_pass_every`th pass reads everything.
//! Source: PostgreSQL manual, The Cumulative Statistics System.

use crate::db::{BoundedConnection, TransactionMode, server_name_sql};
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::{QueryError, Timeouts, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::{HashMap, HashSet};

/// The server's counters at one moment.
#[derive(Debug, Default)]
pub struct StatsSnapshot {
    /// What identifies the counters' start; counters of different epochs cannot be compared.
    pub stats_epoch: String,
    /// Changes of the catalog: of sequences, tables, columns, indexes, privileges and policies.
    pub catalog: i64,
    /// Which server this is, and whether it is a replica. Empty where that cannot be read.
    pub server: String,
    /// Block fetches of each sequence.
    sequences: HashMap<u32, i64>,
    /// Row changes of each table, partitions and children included.
    tables: HashMap<u32, i64>,
    /// Sequences that an open transaction has used: what it did is in effect, and is counted at its end.
    in_use: HashSet<u32>,
}

/// The counters of one sequence and of the tables it feeds, or may feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivityCounters {
    pub sequence: i64,
    pub tables: i64,
}

impl StatsSnapshot {
    /// Reads the answer to [`changes_sql`].
    ///
    /// # Errors
    ///
    /// When it is another one.
    pub fn read(rows: &[PgRow]) -> Result<Self, QueryError> {
        let mut snapshot = Self::default();
        for row in rows {
            let (of, counts): (&str, Option<&str>) = (row.try_get(0)?, row.try_get(1)?);
            let counts = counts.unwrap_or_default().split_whitespace().map(count);
            match of {
                "server" => {
                    (snapshot.catalog, snapshot.stats_epoch, snapshot.server) =
                        (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
                }
                "sequence" => snapshot.sequences = counts.collect::<Result<_, _>>()?,
                "table" => snapshot.tables = counts.collect::<Result<_, _>>()?,
                _ => snapshot.in_use = counts.map(|count| Ok(count?.0)).collect::<Result<_, QueryError>>()?,
            }
        }
        if snapshot.stats_epoch.is_empty() {
            return Err(QueryError::UnexpectedResponse("no epoch".to_owned()));
        }
        Ok(snapshot)
    }

    /// The counters of `sequence`; none where one is missing, or does not tell all.
    pub fn of(&self, sequence: &Sequence) -> Option<ActivityCounters> {
        // No counter is read of a column whose ids are computed.
        if self.in_use.contains(&sequence.oid) || !sequence.rare.computed.is_empty() {
            return None;
        }
        let mut tables = 0_i64;
        for feed in &sequence.feeds {
            feed.source.as_ref().ok()?;
        }
        for source in sequence.all_feeds().filter_map(|feed| feed.source.as_ref().ok()) {
            tables = tables.wrapping_add(*self.tables.get(&source.table_oid)?);
        }
        Some(ActivityCounters { sequence: *self.sequences.get(&sequence.oid)?, tables })
    }
}

/// Reads the epoch, the catalog's counter, and the counters of these sequences and of the tables they feed.
///
/// # Errors
///
/// When a statement fails.
pub async fn read_stats(
    connection: &mut BoundedConnection,
    sequences: &[Sequence],
    timeouts: Timeouts,
) -> Result<StatsSnapshot, QueryError> {
    let result = connection.run_transaction("changes", TransactionMode::Read, timeouts, [changes_sql(sequences)]).await;
    StatsSnapshot::read(&result.into_rows()?)
}

/// The statement whose rows [`StatsSnapshot::read`] reads: the epoch, the catalog's counter, and the counters of these
/// sequences and of the tables they feed.
pub fn changes_sql(sequences: &[Sequence]) -> String {
    let sources = || sequences.iter().flat_map(Sequence::all_feeds).filter_map(|feed| feed.source.as_ref().ok());
    let oids = |with_children: bool| {
        let oids: Vec<String> = sources()
            .filter(|source| source.has_children == with_children)
            .map(|source| source.table_oid.to_string())
            .collect();
        oids.join(",")
    };
    let own: Vec<String> = sequences.iter().map(|sequence| sequence.oid.to_string()).collect();
    let values = [
        ("SEQUENCES", own.join(",")),
        ("TABLES", oids(false)),
        ("TREES", oids(true)),
        ("ROW_CHANGES", ROW_CHANGES.to_owned()),
        ("SERVER", server_name_sql()),
    ];
    fill_sql(include_str!("changes.sql"), &values)
}

/// An OID and what was counted of it, as `oid:count`.
fn count(text: &str) -> Result<(u32, i64), QueryError> {
    let count = text.split_once(':').and_then(|(oid, count)| Some((oid.parse().ok()?, count.parse().ok()?)));
    count.ok_or_else(|| QueryError::UnexpectedResponse(format!("{text:?} is no OID with its count")))
}

/// The rows that were inserted into, updated in and deleted from table `t`.
const ROW_CHANGES: &str =
    "pg_stat_get_tuples_inserted(t) + pg_stat_get_tuples_updated(t) + pg_stat_get_tuples_deleted(t)";

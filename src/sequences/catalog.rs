//! Which sequences feed which columns: one catalog query, read into what can be looked at and what cannot.

use super::feed_row::{add_link, has_privilege, missing_privilege, oid, text};
use super::owners::{self, UntrustedOwners};
use super::position::{ColumnRange, Parameters};
use crate::config::{DeclaredFeed, Sequences};
use crate::db::{BoundedConnection, QueryError, Timeouts};
use crate::report::FeedReport;
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::HashSet;
use std::time::Duration;

const CATALOG: &str = include_str!("catalog.sql");

/// The catalog query holds no user's lock, so it may take the time that 100 000 sequences need.
const CATALOG_WITHIN: Duration = Duration::from_secs(60);

/// A sequence and what it feeds.
#[derive(Debug, PartialEq)]
pub struct Sequence {
    pub oid: u32,
    /// Schema and name as they are, for matching.
    pub name_parts: (String, String),
    /// Schema-qualified, quoted by the server.
    pub name: String,
    pub parameters: Parameters,
    /// Quoted.
    pub owner: String,
    /// The role may `ALTER` it: it owns it, or is a member of its owner.
    pub may_alter: bool,
    /// The role may call `nextval`.
    pub may_advance: bool,
    /// The role may call `setval`.
    pub may_set: bool,
    pub feeds: Vec<Feed>,
    /// Links that were seen and do not count, and why.
    pub notes: Vec<String>,
    /// To whose doings reading it is exposed.
    pub untrusted_owners: UntrustedOwners,
    /// Why its state cannot be read.
    pub problem: Option<String>,
}

impl Sequence {
    /// Whether anything of it is to be read, privileges aside.
    pub fn is_observable(&self) -> bool {
        let unsupported = |feed: &Feed| matches!(feed.source, Err(FeedProblem::Unsupported(_)));
        !self.parameters.cycle && (self.feeds.is_empty() || !self.feeds.iter().all(unsupported))
    }
}

/// A column that counts as fed.
#[derive(Debug, PartialEq)]
pub struct Feed {
    pub report: FeedReport,
    pub source: Result<FeedSource, FeedProblem>,
}

/// Where a fed column's ids are read.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedSource {
    pub table_oid: u32,
    /// Schema-qualified, quoted by the server.
    pub table: String,
    /// Quoted by the server.
    pub column: String,
    pub range: ColumnRange,
    /// Stored as `numeric`: may hold fractions and values beyond int8.
    pub numeric: bool,
    /// Relations that reading it locks: the table, its partitions and children, and all their indexes.
    pub relations: u64,
    pub has_children: bool,
    /// Another number: the rows may be others, though no change of a row was counted.
    pub file_fingerprint: i64,
    /// The table, or the largest of its partitions and children, that has no index to use; quoted by the server.
    pub unindexed: Option<String>,
    /// To be read in a transaction of its own: without an index to use and too large to read in passing, or with
    /// functions of a user's own, which might bend what comes after them.
    pub alone: bool,
    /// The role may lock the table, for which the privilege on its column is not enough.
    pub may_lock: bool,
}

/// Why a feed cannot be looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedProblem {
    /// By its nature.
    Unsupported(String),
    /// For now; the text names the fix.
    Unreadable(String),
    /// For want of a privilege, which the text names: where the ids would be read.
    Refused { source: Box<FeedSource>, reason: String },
}

/// What the catalog and the configuration say there is.
#[derive(Debug)]
pub struct Catalog {
    /// Every covered sequence once, in OID order.
    pub sequences: Vec<Sequence>,
    /// Declared feeds of sequences that this database does not have.
    pub missing: Vec<DeclaredFeed>,
    /// How many sequences `include` and `exclude` leave out.
    pub excluded: usize,
}

/// Reads the catalog.
///
/// # Errors
///
/// The query's failure.
pub async fn discover(
    session: &mut BoundedConnection,
    database: &str,
    settings: &Sequences,
    bounds: Timeouts,
) -> Result<Catalog, QueryError> {
    let role = session.server().role.clone();
    let bounds = Timeouts { statement: bounds.statement.max(CATALOG_WITHIN), ..bounds };
    let mut sequences: Vec<Sequence> = Vec::new();
    let trusted = owners::trusted_roles(session, bounds).await?;
    session
        .query("catalog", bounds, CATALOG, declared(database, settings), |row| push_row(&mut sequences, &row, &role))
        .await?;
    let known: HashSet<(&str, &str)> =
        sequences.iter().map(|sequence| (sequence.name_parts.0.as_str(), sequence.name_parts.1.as_str())).collect();
    let missing = settings
        .feeds_in(database)
        .filter(|feed| !known.contains(&(feed.sequence.schema.as_str(), feed.sequence.name.as_str())))
        .cloned()
        .collect();
    for sequence in &mut sequences {
        sequence.untrusted_owners.retain(|keeper| !trusted.contains(keeper));
    }
    let total = sequences.len();
    sequences.retain(|sequence| settings.covers(&sequence.name_parts.0, &sequence.name_parts.1));
    let left_out = total - sequences.len();
    Ok(Catalog { sequences, missing, excluded: left_out })
}

/// Takes in one row, a sequence with one of its links; the rows of a sequence follow each other.
pub fn push_row(sequences: &mut Vec<Sequence>, row: &PgRow, role: &str) -> Result<(), QueryError> {
    let oid = oid(row, "seq_oid")?;
    if sequences.last().is_none_or(|last| last.oid != oid) {
        sequences.push(sequence(row, oid, role)?);
    }
    match sequences.last_mut() {
        Some(sequence) => {
            sequence.untrusted_owners.extend(owners::read(&text(row, "keepers")?)?);
            add_link(sequence, row, role)
        }
        None => Ok(()),
    }
}

fn declared(database: &str, settings: &Sequences) -> [Vec<String>; 5] {
    let mut columns: [Vec<String>; 5] = Default::default();
    for feed in settings.feeds_in(database) {
        let parts = [
            &feed.sequence.schema,
            &feed.sequence.name,
            &feed.column.table.schema,
            &feed.column.table.name,
            &feed.column.column,
        ];
        for (column, part) in columns.iter_mut().zip(parts) {
            column.push(part.clone());
        }
    }
    columns
}

fn sequence(row: &PgRow, oid: u32, role: &str) -> Result<Sequence, QueryError> {
    let name: String = row.try_get("seq_quoted")?;
    let problem = if !has_privilege(row, "may_enter_seq_schema")? {
        Some(missing_privilege(&format!("USAGE ON SCHEMA {}", text(row, "seq_schema_quoted")?), role))
    } else if !has_privilege(row, "may_read_seq")? {
        Some(missing_privilege(&format!("SELECT ON SEQUENCE {name}"), role))
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
        may_alter: row.try_get("may_alter")?,
        may_advance: has_privilege(row, "may_advance")?,
        may_set: has_privilege(row, "may_set")?,
        feeds: Vec::new(),
        notes: Vec::new(),
        untrusted_owners: UntrustedOwners::new(),
        problem,
        name,
    })
}

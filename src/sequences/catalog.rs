//! Discovery: which sequences feed which columns, by one catalog query, or two where likely links are looked at.

use super::catalog_timeouts::catalog_timeouts;
use super::declared::{StatedLink, expand};
use super::owners;
use super::shared_columns::{SharedColumn, shared_columns};
use super::suggestions::suggest;
use crate::config::{DeclaredFeed, Sequences};
use crate::db::{BoundedConnection, TransactionMode};
use crate::report::DatabaseLabel;
use pgmedic_core::sequence::catalog_reader::CatalogReader;
use pgmedic_core::sequence::feed_row::{catalog_sql, obstacles_sql};
use pgmedic_core::sequence::link_rules::Stated;
use pgmedic_core::sequence::model::{Sequence, UntrustedOwners};
use pgmedic_core::{ColumnName, QueryError, TableName, Timeouts};
use sqlx::Row;
use std::collections::HashSet;
use std::sync::LazyLock;

static CATALOG: LazyLock<String> = LazyLock::new(|| {
    let obstacles = obstacles_sql("SELECT l.rel, l.att FROM links l UNION ALL SELECT f.rel, f.att FROM fed f");
    catalog_sql(include_str!("catalog.sql"), &[("OBSTACLES", &obstacles)])
});

static SEQUENCE_NAMES: LazyLock<String> = LazyLock::new(|| catalog_sql(include_str!("sequence_names.sql"), &[]));

/// The sequences of a database, from its catalog and the configuration.
#[derive(Debug)]
pub struct Catalog {
    /// Every covered sequence once, in OID order.
    pub sequences: Vec<Sequence>,
    /// Pairs of them that feed one column.
    pub shared: Vec<SharedColumn>,
    /// Declared feeds of sequences that this database does not have.
    pub missing: Vec<DeclaredFeed>,
    /// How many sequences `include` and `exclude` leave out.
    pub excluded: usize,
    /// How many sequences that nothing is known of a pass leaves out, because there are so many.
    pub unlisted: usize,
}

/// Most sequences that feed nothing, and of which there is nothing to say, that are looked at: a tenant may create any number.
const MOST_BARE: usize = 1000;

impl Catalog {
    /// Keeps the first of the sequences that nothing is known of, and counts the others.
    pub fn leave_out_bare(&mut self) {
        let (before, mut bare) = (self.sequences.len(), 0);
        self.sequences.retain(|sequence| {
            bare += usize::from(sequence.is_bare());
            !sequence.is_bare() || bare <= MOST_BARE
        });
        self.unlisted = before - self.sequences.len();
        if self.unlisted > 0 {
            self.sequences.shrink_to_fit();
            self.shared = shared_columns(&self.sequences);
        }
    }
}

/// Reads the catalog.
///
/// # Errors
///
/// When a query fails.
pub async fn discover(
    connection: &mut BoundedConnection,
    database: &DatabaseLabel,
    settings: &Sequences,
    timeouts: Timeouts,
) -> Result<Catalog, QueryError> {
    let role = connection.server().role.clone();
    let timeouts = catalog_timeouts(timeouts);
    let trusted = owners::trusted_roles(connection, timeouts).await?;
    let feeds: Vec<&DeclaredFeed> = settings.feeds_in(database).collect();
    let mut links = declared_links(connection, &feeds, timeouts).await?;
    let mut sequences = read_catalog(connection, &links, &role, timeouts).await?;
    let covered = |sequence: &&Sequence| {
        let (schema, name) = sequence.name_parts();
        settings.covers(&schema, &name)
    };
    let likely = suggest(connection, sequences.iter().filter(covered), timeouts).await?;
    if !likely.is_empty() {
        links.extend(likely);
        // Not both at once in memory.
        drop(sequences);
        sequences = read_catalog(connection, &links, &role, timeouts).await?;
    }
    let missing = missing(&feeds, &sequences);
    for sequence in &mut sequences {
        if let Some(rare) = sequence.rare.parts_mut() {
            rare.untrusted_owners.retain(|owner| !trusted.contains(owner));
            if rare.untrusted_owners.is_empty() {
                // An emptied set keeps its room.
                rare.untrusted_owners = UntrustedOwners::new();
            }
        }
        sequence.rare.shrink_to_fit();
    }
    let total = sequences.len();
    sequences.retain(|sequence| covered(&sequence));
    sequences.shrink_to_fit();
    let left_out = total - sequences.len();
    let shared = shared_columns(&sequences);
    Ok(Catalog { sequences, shared, missing, excluded: left_out, unlisted: 0 })
}

async fn declared_links(
    connection: &mut BoundedConnection,
    feeds: &[&DeclaredFeed],
    timeouts: Timeouts,
) -> Result<Vec<StatedLink>, QueryError> {
    let has_patterns = feeds.iter().any(|feed| feed.names().is_none());
    let names = if has_patterns { sequence_names(connection, timeouts).await? } else { Vec::new() };
    Ok(expand(feeds, &names))
}

/// Every sequence with its links, of those in the catalog and these.
async fn read_catalog(
    connection: &mut BoundedConnection,
    links: &[StatedLink],
    role: &str,
    timeouts: Timeouts,
) -> Result<Vec<Sequence>, QueryError> {
    let stated: Vec<Stated> = links.iter().map(|link| link.stated.clone()).collect();
    let mut reader = CatalogReader::new(role, &stated);
    connection.query("catalog", timeouts, &CATALOG, columns(links), |row| reader.push(&row)).await?;
    Ok(reader.finish())
}

async fn sequence_names(connection: &mut BoundedConnection, timeouts: Timeouts) -> Result<Vec<TableName>, QueryError> {
    let result =
        connection.run_transaction("sequences", TransactionMode::Read, timeouts, [SEQUENCE_NAMES.as_str()]).await;
    // A name that is no UTF-8 matches no pattern; its sequence is reported as unreadable.
    let name = |row| Some(TableName { schema: Row::try_get(row, 0).ok()?, name: Row::try_get(row, 1).ok()? });
    Ok(result.into_rows()?.iter().filter_map(name).collect())
}

/// The declared feeds whose sequence this database does not have, and the patterns that match no sequence with such a column.
fn missing(feeds: &[&DeclaredFeed], sequences: &[Sequence]) -> Vec<DeclaredFeed> {
    if feeds.is_empty() {
        return Vec::new();
    }
    let name = |sequence: &Sequence| {
        let (schema, name) = sequence.name_parts();
        TableName { schema, name }
    };
    let known: HashSet<TableName> = sequences.iter().map(name).collect();
    let is_found = |feed: &DeclaredFeed| match feed.names() {
        Some((sequence, _)) => known.contains(sequence),
        None => sequences.iter().any(|sequence| {
            let Some(column) = feed.column_of(&name(sequence)) else { return false };
            sequence.feeds.iter().any(|feed| feed.report.column.parse::<ColumnName>().as_ref() == Ok(&column))
        }),
    };
    feeds.iter().filter(|feed| !is_found(feed)).map(|feed| (*feed).clone()).collect()
}

/// The parameters of the catalog query.
fn columns(links: &[StatedLink]) -> [Vec<String>; 5] {
    let mut columns: [Vec<String>; 5] = Default::default();
    for StatedLink { sequence, column, .. } in links {
        let parts = [&sequence.schema, &sequence.name, &column.table.schema, &column.table.name, &column.column];
        for (column, part) in columns.iter_mut().zip(parts) {
            column.push(part.clone());
        }
    }
    columns
}

//! Discovers the catalog, unless the server's counters say that the one of the previous pass still holds.

use super::activity::{StatsSnapshot, read_stats};
use super::batch;
use super::catalog::{Catalog, discover};
use super::invalidation::Invalidation;
use super::pass_state::SequencePassState;
use super::references::add_reference_limits;
use crate::config::{Database, Sequences};
use crate::db::{BoundedConnection, TransactionMode, which_server_sql};
use pgmedic_core::sequence::allocator::Blocks;
use pgmedic_core::sequence::model::{FeedSource, Limit, LimitedBy, Sequence};
use pgmedic_core::sequence::position::ColumnRange;
use pgmedic_core::{QueryError, Reason, Timeouts};
use sqlx::Row;

/// The catalog, from `state` when it has not changed; and the server's counters as they were before any probe, read now unless
/// `counters` has them. Of many sequences that nothing is known of some are left out, unless `keep_bare`.
///
/// # Errors
///
/// When a statement fails.
pub async fn load_catalog(
    connection: &mut BoundedConnection,
    database: &Database,
    settings: &Sequences,
    state: &mut SequencePassState,
    counters: Option<StatsSnapshot>,
    keep_bare: bool,
) -> Result<(Catalog, StatsSnapshot), Reason> {
    let timeouts = settings.bounds();
    if !state.is_lasting() {
        state.reaches("", connection.server().is_replica);
        return Ok((discover_catalog(connection, database, settings, keep_bare).await?, StatsSnapshot::default()));
    }
    let while_counting = |error| Reason::from(&error).while_doing("reading the server's statistics failed");
    let known = state.discovered().map_or(&[][..], |known| &known.sequences);
    let counters = match counters {
        Some(counters) if is_server(connection, &counters.server, timeouts).await => Ok(counters),
        _ => read_stats(connection, known, timeouts).await,
    };
    let counters = match counters {
        // Without the statistics nothing can be left out: each pass is as the first.
        Err(QueryError::PermissionDenied(message)) => {
            tracing::debug!(database = database.name.as_str(), message, "the server's statistics cannot be read");
            state.invalidate(&Invalidation::All);
            state.reaches("", connection.server().is_replica);
            let found = discover_catalog(connection, database, settings, keep_bare).await?;
            return Ok((found, StatsSnapshot::default()));
        }
        counters => counters.map_err(while_counting)?,
    };
    state.reaches(&counters.server, connection.server().is_replica);
    state.start_pass(&counters, settings.full_pass_every, connection.server().read_only.is_some());
    if let Some(found) = state.take_discovered(&counters) {
        return Ok((found, counters));
    }
    let mut found = discover_catalog(connection, database, settings, keep_bare).await?;
    state.rediscovered(&mut found);
    let mut now = read_stats(connection, &found.sequences, timeouts).await.map_err(while_counting)?;
    // A change of the catalog between the two reads is found by the next pass.
    now.catalog = counters.catalog;
    Ok((found, now))
}

/// Whether the connection reaches the server of this name: the lease may stand on another one.
async fn is_server(connection: &mut BoundedConnection, name: &str, timeouts: Timeouts) -> bool {
    let ask = [which_server_sql()];
    let result = connection.run_transaction("which-server", TransactionMode::Read, timeouts, ask).await;
    let row = result.answers.first().and_then(|rows| rows.first());
    row.is_some_and(|row| row.try_get::<&str, _>(0).is_ok_and(|reached| reached == name))
}

async fn discover_catalog(
    connection: &mut BoundedConnection,
    database: &Database,
    settings: &Sequences,
    keep_bare: bool,
) -> Result<Catalog, Reason> {
    let timeouts = settings.bounds();
    let found = discover(connection, &database.name, settings, timeouts).await;
    let mut found = found.map_err(|error| Reason::from(error).while_doing("reading the catalog failed"))?;
    if !keep_bare {
        found.leave_out_bare();
    }
    let limits = add_reference_limits(connection, &mut found.sequences, timeouts).await;
    limits.map_err(|error| Reason::from(error).while_doing("reading the foreign keys failed"))?;
    state_max_ids(&mut found.sequences, settings);
    // The server process has cached catalog entries of all of them.
    let relations: Vec<(u32, u64)> = found.sequences.iter().map(|sequence| (sequence.oid, 1)).collect();
    connection.reserve_relations(&relations, batch::MAX_CACHED_RELATIONS, timeouts).await;
    tracing::debug!(database = database.name.as_str(), sequences = found.sequences.len(), "discovered");
    Ok(found)
}

/// The limits that the configuration states. They are of ids: where a value stands for a block, all of it must fit.
fn state_max_ids(sequences: &mut [Sequence], settings: &Sequences) {
    for sequence in sequences {
        let (schema, name) = sequence.name_parts();
        let Some(max_id) = settings.rule(&schema, &name).and_then(|rule| rule.max_id) else { continue };
        let range = if sequence.parameters.increment > 0 {
            ColumnRange { max: max_id, ..ColumnRange::INT8 }
        } else {
            ColumnRange { min: max_id, ..ColumnRange::INT8 }
        };
        let increment = sequence.parameters.increment;
        let values = |source: &FeedSource| Blocks::new(source.allocator(), increment, 0).values_that_fit(range);
        let range = sequence.sources().map(values).reduce(ColumnRange::narrowest).unwrap_or(range);
        sequence.rare.limits.push(Limit { range, by: LimitedBy::StatedMaxId });
    }
}

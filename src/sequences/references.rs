//! Limits that foreign keys set: an id that no referencing column can hold is of no use.

use super::catalog_timeouts::catalog_timeouts;
use crate::db::BoundedConnection;
use pgmedic_core::sequence::allocator::Blocks;
use pgmedic_core::sequence::column_type::column_type;
use pgmedic_core::sequence::feed_row::{catalog_sql, obstacles_sql};
use pgmedic_core::sequence::model::{FeedSource, Limit, LimitedBy, Sequence};
use pgmedic_core::sequence::row_fields::{lossy_text, optional_lossy_text};
use pgmedic_core::{QueryError, Timeouts};
use sqlx::Row;
use std::sync::LazyLock;

static REFERENCES: LazyLock<String> = LazyLock::new(|| {
    let obstacles = obstacles_sql("SELECT w.member, w.member_att FROM below w");
    catalog_sql(include_str!("references.sql"), &[("OBSTACLES", &obstacles)])
});

/// Adds the limits of foreign key columns to `sequences`.
///
/// # Errors
///
/// When the query fails.
pub async fn add_reference_limits(
    connection: &mut BoundedConnection,
    sequences: &mut [Sequence],
    timeouts: Timeouts,
) -> Result<(), QueryError> {
    let timeouts = catalog_timeouts(timeouts);
    let fed: Vec<(usize, &FeedSource)> = sequences
        .iter()
        .enumerate()
        .flat_map(|(index, sequence)| sequence.sources().map(move |source| (index, source)))
        .collect();
    let tables = fed.iter().map(|(_, source)| source.table_oid.to_string()).collect();
    let columns = fed.iter().map(|(_, source)| source.column().to_owned()).collect();
    // An id must fit, and a value may stand for a block of them.
    let blocks = |(index, source): &(usize, &FeedSource)| {
        Blocks::new(source.allocator(), sequences[*index].parameters.increment, 0)
    };
    let values_that_fit: Vec<Blocks> = fed.iter().map(blocks).collect();
    let owners: Vec<usize> = fed.iter().map(|(index, _)| *index).collect();
    let empty = || vec![String::new(); owners.len()];
    let mut limits: Vec<(usize, Limit)> = Vec::new();
    let parameters = [tables, columns, empty(), empty(), empty()];
    connection
        .query("references", timeouts, &REFERENCES, parameters, |row| {
            let nth: i64 = row.try_get("nth")?;
            let nth = usize::try_from(nth - 1).ok();
            let owner = nth.and_then(|nth| Some((*owners.get(nth)?, *values_that_fit.get(nth)?)));
            let kind = column_type(row.try_get("type_oid")?, row.try_get("type_modifier")?);
            if let (Some((owner, blocks)), Some((range, _))) = (owner, kind) {
                let range = blocks.values_that_fit(range);
                let (table, column) = (lossy_text(&row, "rel_quoted")?, lossy_text(&row, "att_quoted")?);
                let obstacle = match [&table, &column].iter().any(|name| name.contains(char::REPLACEMENT_CHARACTER)) {
                    true => Some("its name is no UTF-8".to_owned()),
                    false => optional_lossy_text(&row, "widen_obstacle")?,
                };
                let by = LimitedBy::Column { table, column, widen_obstacle: obstacle.map(String::into_boxed_str) };
                limits.push((owner, Limit { range, by }));
            }
            Ok(())
        })
        .await?;
    for (owner, limit) in limits {
        if let Some(sequence) = sequences.get_mut(owner)
            && !sequence.rare.limits.contains(&limit)
        {
            sequence.rare.limits.push(limit);
            sequence.rare.limits.shrink_to_fit();
        }
    }
    Ok(())
}

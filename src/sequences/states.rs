//! Reads the states of sequences alone: last value, and whether it was handed out.

use super::batch::{self, MAX_CACHED_RELATIONS};
use crate::db::{BoundedConnection, TransactionMode};
use crate::progress::Progress;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::position::SequenceState;
use pgmedic_core::sequence::probe::{Probe, ProbeAnswer};
use pgmedic_core::sequence::row_fields::parse_oid;
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts};
use sqlx::Row;
use std::collections::HashMap;

/// Most sequences in one statement, which locks each until its end.
const TOGETHER: usize = 200;

/// The state of each of `sequences`, in their order, or why it cannot be read. It locks no table.
pub async fn read_states(
    connections: &mut [BoundedConnection],
    sequences: &[&Sequence],
    timeouts: Timeouts,
) -> Vec<Result<SequenceState, Reason>> {
    let unread = || Err(Reason::new(ReasonKind::Internal, "it was not read"));
    let mut states: Vec<_> =
        sequences.iter().map(|sequence| sequence.rare.problem.clone().map_or_else(unread, Err)).collect();
    let readable: Vec<usize> = (0..sequences.len()).filter(|index| sequences[*index].rare.problem.is_none()).collect();
    let mut probes = Vec::new();
    for few in readable.chunks(TOGETHER) {
        let last_values = read_last_values(connections, sequences, few, timeouts).await.unwrap_or_default();
        for index in few {
            match last_values.get(&sequences[*index].oid) {
                Some(last_value) => {
                    states[*index] = Ok(SequenceState { last_value: *last_value, is_called: true });
                }
                None => probes.push(Probe { sequence: *index, parts: Vec::new(), block: None }),
            }
        }
    }
    for (probe, answer) in batch::run(connections, sequences, probes, timeouts, &Progress::default()).await {
        states[probe.sequence] = match answer {
            Ok(ProbeAnswer::Extremes { state, .. }) => Ok(state),
            Ok(ProbeAnswer::Block { .. }) => unread(),
            Err(error) => Err(error.into()),
        };
    }
    states
}

/// The last values of those of `few` that have handed one out, by OID: one statement for all takes a third of the time. A
/// sequence that was not called yet, and any failure, is left to a probe.
async fn read_last_values(
    connections: &mut [BoundedConnection],
    sequences: &[&Sequence],
    few: &[usize],
    timeouts: Timeouts,
) -> Result<HashMap<u32, i64>, QueryError> {
    let Some(connection) = connections.first_mut() else { return Ok(HashMap::new()) };
    let relations: Vec<(u32, u64)> = few.iter().map(|index| (sequences[*index].oid, 1)).collect();
    connection.reserve_relations(&relations, MAX_CACHED_RELATIONS, timeouts).await;
    let oids: Vec<String> = few.iter().map(|index| sequences[*index].oid.to_string()).collect();
    let sql = format!(
        "SELECT s.oid::bigint, s.last_value FROM (SELECT o.oid, pg_sequence_last_value(o.oid::regclass) AS last_value \
         FROM unnest('{{{}}}'::oid[]) AS o (oid) OFFSET 0) AS s WHERE s.last_value IS NOT NULL",
        oids.join(",")
    );
    let result = connection.run_transaction("states", TransactionMode::Read, timeouts, [sql]).await;
    if let Some(failure) = result.failure {
        return Err(failure);
    }
    let rows = result.answers.iter().flatten();
    rows.map(|row| Ok((parse_oid(&row.try_get::<i64, _>(0)?.to_string())?, row.try_get(1)?))).collect()
}

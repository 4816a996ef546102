//! Looks at what lies ahead of sequences whose max id is at or beyond their next value: walks their blocks, many at once.
//!
//! Each walk asks one question after the other; the questions of all walks go out together, as the probes of a pass do.

use super::batch;
use super::keys::read_keys;
use super::look_results::{LookResult, LookResults};
use super::single_look::{Look, Subject};
use crate::db::BoundedConnection;
use crate::progress::Progress;
use pgmedic_core::sequence::model::{FeedSource, Sequence};
use pgmedic_core::sequence::observation::ObserveResult;
use pgmedic_core::sequence::probe::{Probe, ProbeResult};
use pgmedic_core::{Reason, Timeouts};
use std::collections::BTreeMap;

/// Looks at what lies ahead of each of `subjects`, as far as `seen` says that something may; in the same order.
pub async fn look(
    connections: &mut [BoundedConnection],
    subjects: &[Subject<'_>],
    seen: Vec<ObserveResult>,
    timeouts: Timeouts,
    progress: &Progress,
) -> LookResults {
    // A look takes two kilobytes, and few of the sequences need one.
    let mut looks: Vec<Look<'_>> = Vec::new();
    for (index, (subject, seen)) in subjects.iter().zip(&seen).enumerate() {
        looks.extend(Look::new(index, *subject, seen));
    }
    scope(connections, &mut looks, timeouts).await;
    let sequences: Vec<&Sequence> = looks.iter().map(|look| look.subject.sequence).collect();
    loop {
        let probes: Vec<Probe<'_>> =
            looks.iter_mut().enumerate().flat_map(|(index, look)| look.probes(index)).collect();
        if probes.is_empty() {
            break;
        }
        progress.add_total(probes.len());
        let mut answers: BTreeMap<usize, Vec<ProbeResult<'_>>> = BTreeMap::new();
        for (probe, answer) in batch::run(connections, &sequences, probes, timeouts, progress).await {
            answers.entry(probe.sequence).or_default().push((probe, answer));
        }
        for (index, answers) in answers {
            looks[index].answered(answers, timeouts);
        }
    }
    let ahead: Vec<(usize, LookResult)> = looks.into_iter().map(|look| (look.index, look.result)).collect();
    LookResults::new(seen, ahead)
}

/// Reads the keys of what the subjects ahead feed, and begins their walks.
async fn scope(connections: &mut [BoundedConnection], looks: &mut [Look<'_>], timeouts: Timeouts) {
    let sources: Vec<&FeedSource> = looks.iter().flat_map(|look| look.subject.sequence.sources()).collect();
    let Some(connection) = connections.first_mut().filter(|_| !sources.is_empty()) else { return };
    let keys = read_keys(connection, &sources, timeouts).await;
    let mut keys = keys.map(Vec::into_iter);
    for look in looks {
        look.read_members(connection, timeouts).await;
        match &mut keys {
            Ok(keys) => {
                let own = keys.by_ref().take(look.subject.sequence.sources().count()).collect();
                look.begin(own);
            }
            Err(error) => {
                let reason = Reason::from(&*error).while_doing("reading the keys of its columns failed");
                look.end(Err(reason));
            }
        }
    }
}

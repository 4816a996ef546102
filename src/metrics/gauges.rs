//! Gauges, computed from the state at each scrape.

use super::session_stores::StoreGauges;
use super::{SEQUENCES, SESSIONS};
use crate::build_info::{REVISION, VERSION};
use crate::db::budget::ServerConnections;
use crate::report::{Outcome, SequenceReport, Verdict};
use crate::state::{AgentState, DatabaseState};
use pgmedic_core::sequence::HoldReason;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, Opts};
use std::sync::Arc;

/// Detail series of one database. Further ones are dropped, and their number is exported.
const MOST_DETAILS: usize = 50;

const VERDICTS: [Verdict; 6] = [
    Verdict::InSync,
    Verdict::Behind,
    Verdict::Exhausted,
    Verdict::Unreadable,
    Verdict::Unsupported,
    Verdict::Unlinked,
];

/// Keeps nothing between scrapes: a database that is gone from the state is gone from the metrics.
pub struct Gauges {
    state: Arc<AgentState>,
    described: Vec<Desc>,
}

/// The gauges of one scrape.
struct GaugeSet {
    build_info: GaugeVec,
    dry_run: GaugeVec,
    config_last_reload_successful: GaugeVec,
    config_last_reload_success: GaugeVec,
    database_up: GaugeVec,
    leader: GaugeVec,
    in_recovery: GaugeVec,
    server_connections: GaugeVec,
    server_connections_max: GaugeVec,
    pass_interval: GaugeVec,
    pass_last_success: GaugeVec,
    sequences: GaugeVec,
    held: GaugeVec,
    lag: GaugeVec,
    used: GaugeVec,
    lag_max: GaugeVec,
    used_max: GaugeVec,
    days_left_min: GaugeVec,
    dropped: GaugeVec,
    stores: StoreGauges,
}

impl GaugeSet {
    fn new() -> Result<Self, prometheus::Error> {
        let gauge = |name: &str, help: &str, labels: &[&str]| GaugeVec::new(Opts::new(name, help), labels);
        Ok(Self {
            build_info: gauge("build_info", "1, with the version that runs.", &["version", "revision"])?,
            dry_run: gauge("dry_run", "1 when the agent changes nothing.", &[])?,
            config_last_reload_successful: gauge(
                "config_last_reload_successful",
                "1 when the last reload was accepted, 0 when it was refused.",
                &[],
            )?,
            config_last_reload_success: gauge(
                "config_last_reload_success_timestamp_seconds",
                "When a configuration was last accepted, at the start or later.",
                &[],
            )?,
            database_up: gauge("database_up", "1 when the database could be reached at the last try.", &["database"])?,
            leader: gauge(
                "leader",
                "1 when this agent works on the database, 0 when it is standby or the server is a replica.",
                &["database"],
            )?,
            in_recovery: gauge(
                "database_in_recovery",
                "1 when the server is a replica, which each agent observes and none leads.",
                &["database"],
            )?,
            server_connections: gauge(
                "server_connections",
                "Connections that this agent has to the server, those that stay open and those that work.",
                &["server"],
            )?,
            server_connections_max: gauge(
                "server_connections_max",
                "The most that it opens at a time: max_connections, or fewer where the server grants fewer.",
                &["server"],
            )?,
            pass_interval: gauge(
                "pass_interval_seconds",
                "Longest time between two passes that follow each other, by the schedule.",
                &["database", "pass"],
            )?,
            pass_last_success: gauge(
                "pass_last_success_timestamp_seconds",
                "When a pass was last completed by this agent.",
                &["database", "pass"],
            )?,
            sequences: gauge(
                "sequences",
                "Sequences by verdict, as the last pass left them: a repaired one is in sync.",
                &["database", "verdict"],
            )?,
            held: gauge(
                "sequences_held",
                "Sequences behind whose repair the last pass held, by the guard that held it.",
                &["database", "reason"],
            )?,
            lag: gauge(
                "sequence_lag_values",
                "Values that the sequence would still hand out without being beyond its max id.",
                &["database", "sequence"],
            )?,
            used: gauge(
                "sequence_used_ratio",
                "Share of the sequence's range up to its limit that is used, 0 to 1.",
                &["database", "sequence"],
            )?,
            lag_max: gauge(
                "sequence_lag_values_max",
                "The largest lag of any sequence that could be judged.",
                &["database"],
            )?,
            used_max: gauge(
                "sequence_used_ratio_max",
                "The largest used ratio of any sequence that could be read.",
                &["database"],
            )?,
            days_left_min: gauge(
                "sequence_days_left_min",
                "The fewest days until a sequence reaches its limit, at the pace that this agent has seen.",
                &["database"],
            )?,
            dropped: gauge(
                "detail_series_dropped",
                "Sequences whose detail series were dropped, because there are too many.",
                &["database"],
            )?,
            stores: StoreGauges::new()?,
        })
    }

    fn all(&self) -> Vec<&GaugeVec> {
        let own = [
            &self.build_info,
            &self.dry_run,
            &self.config_last_reload_successful,
            &self.config_last_reload_success,
            &self.database_up,
            &self.leader,
            &self.in_recovery,
            &self.server_connections,
            &self.server_connections_max,
            &self.pass_interval,
            &self.pass_last_success,
            &self.sequences,
            &self.held,
            &self.lag,
            &self.used,
            &self.lag_max,
            &self.used_max,
            &self.days_left_min,
            &self.dropped,
        ];
        own.into_iter().chain(self.stores.all()).collect()
    }

    fn fill(&self, database: &str, state: &DatabaseState) {
        let number = |yes: bool| if yes { 1.0 } else { 0.0 };
        if let Some(up) = state.up {
            self.database_up.with_label_values(&[database]).set(number(up));
        }
        self.leader.with_label_values(&[database]).set(number(state.leader));
        self.in_recovery.with_label_values(&[database]).set(number(state.replica));
        self.pass_interval.with_label_values(&[database, SEQUENCES]).set(state.interval);
        if let Some(at) = state.last_success {
            self.pass_last_success.with_label_values(&[database, SEQUENCES]).set(at);
        }
        if let Some(interval) = state.sweeps.interval {
            self.pass_interval.with_label_values(&[database, SESSIONS]).set(interval);
        }
        if let Some(at) = state.sweeps.last_success {
            self.pass_last_success.with_label_values(&[database, SESSIONS]).set(at);
        }
        self.stores.fill(database, &state.sweeps);
        let Some(report) = &state.report else { return };
        // Of one of many databases only what there is.
        let is_shown = |count: usize| count > 0 || state.discovered.is_none();
        for verdict in VERDICTS {
            let listed = report.sequences.iter().filter(|sequence| verdict_after_pass(sequence) == verdict).count();
            let count = listed + if verdict == Verdict::Unlinked { report.unlisted } else { 0 };
            if is_shown(count) || matches!(verdict, Verdict::InSync | Verdict::Behind) {
                self.sequences.with_label_values(&[database, verdict.as_str()]).set(count as f64);
            }
        }
        for guard in HoldReason::ALL {
            let is_held = |sequence: &SequenceReport| {
                verdict_after_pass(sequence) == Verdict::Behind && sequence.held_by() == Some(guard)
            };
            let count = report.sequences.iter().filter(|sequence| is_held(sequence)).count();
            // The alert on sequences behind subtracts these, so that one of them has to be there.
            if is_shown(count) || guard == HoldReason::FarIds {
                self.held.with_label_values(&[database, guard.word()]).set(count as f64);
            }
        }
        let maximum = |of: fn(&SequenceReport) -> Option<f64>| {
            let maximum = report.sequences.iter().filter_map(|sequence| of(sequence)).reduce(f64::max);
            maximum.or(report.sequences.is_empty().then_some(0.0))
        };
        if let Some(lag) = maximum(|sequence| sequence.lag.map(|_| lag_after_pass(sequence))) {
            self.lag_max.with_label_values(&[database]).set(lag);
        }
        if let Some(used) = maximum(SequenceReport::used_after_pass) {
            self.used_max.with_label_values(&[database]).set(used);
        }

        let days_left = report.sequences.iter().filter_map(|sequence| sequence.days_left).reduce(f64::min);
        if let Some(days_left) = days_left {
            self.days_left_min.with_label_values(&[database]).set(days_left);
        }

        let mut details: Vec<&SequenceReport> =
            report.sequences.iter().map(Arc::as_ref).filter(|sequence| in_detail(sequence)).collect();
        details.sort_by(|a, b| severity(b).total_cmp(&severity(a)).then_with(|| a.name.cmp(&b.name)));
        self.dropped.with_label_values(&[database]).set(details.len().saturating_sub(MOST_DETAILS) as f64);
        for sequence in details.into_iter().take(MOST_DETAILS) {
            self.lag.with_label_values(&[database, &sequence.name]).set(lag_after_pass(sequence));
            if let Some(used) = sequence.used_after_pass() {
                self.used.with_label_values(&[database, &sequence.name]).set(used);
            }
        }
    }
}

/// The verdict that is true after the pass.
fn verdict_after_pass(sequence: &SequenceReport) -> Verdict {
    match sequence.outcome() {
        _ if sequence.meets_taken_ids() => Verdict::Behind,
        Some(Outcome::Repaired) if sequence.held_by().is_none() => Verdict::InSync,
        // Ids in its way were seen, though it is not moved.
        None if sequence.verdict == Verdict::Unsupported && sequence.needs_attention() => Verdict::Behind,
        // No alert is wanted.
        _ if sequence.observed_only && sequence.verdict != Verdict::InSync => Verdict::Unsupported,
        _ => sequence.verdict,
    }
}

fn lag_after_pass(sequence: &SequenceReport) -> f64 {
    if verdict_after_pass(sequence) == Verdict::Behind { sequence.lag.unwrap_or(0) as f64 } else { 0.0 }
}

fn in_detail(sequence: &SequenceReport) -> bool {
    let attention = matches!(verdict_after_pass(sequence), Verdict::Behind | Verdict::Exhausted);
    attention || sequence.running_out
}

/// Lag counts for more than a range that runs out.
fn severity(sequence: &SequenceReport) -> f64 {
    lag_after_pass(sequence) + sequence.used_after_pass().unwrap_or(0.0)
}

impl Gauges {
    pub fn new(state: Arc<AgentState>) -> Result<Self, prometheus::Error> {
        let described = GaugeSet::new()?.all().into_iter().flat_map(Collector::desc).cloned().collect();
        Ok(Self { state, described })
    }
}

impl Collector for Gauges {
    fn desc(&self) -> Vec<&Desc> {
        self.described.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        // `new` has accepted the same definitions.
        let Ok(scrape) = GaugeSet::new() else { return Vec::new() };
        scrape.build_info.with_label_values(&[VERSION, REVISION]).set(1.0);
        scrape.dry_run.with_label_values::<&str>(&[]).set(if self.state.dry_run() { 1.0 } else { 0.0 });
        let reload = self.state.reload();
        let accepted = if reload.accepted { 1.0 } else { 0.0 };
        scrape.config_last_reload_successful.with_label_values::<&str>(&[]).set(accepted);
        scrape.config_last_reload_success.with_label_values::<&str>(&[]).set(reload.accepted_at);
        for ServerConnections { server, open, max, .. } in self.state.servers() {
            scrape.server_connections.with_label_values(&[&server]).set(f64::from(open));
            scrape.server_connections_max.with_label_values(&[&server]).set(f64::from(max));
        }
        for (database, state) in self.state.databases() {
            scrape.fill(&database, &state);
        }
        scrape.all().into_iter().flat_map(Collector::collect).collect()
    }
}

#[cfg(test)]
#[path = "gauges_tests.rs"]
mod tests;

//! The counters and gauges of session stores.

use crate::report::SessionReport;
use crate::state::SessionSweepState;
use prometheus::{GaugeVec, IntCounterVec, Opts, Registry};

const LABELS: [&str; 2] = ["database", "store"];

/// Sessions that were ended, by store.
#[derive(Debug)]
pub struct StoreCounters {
    expired: IntCounterVec,
    superseded: IntCounterVec,
}

impl StoreCounters {
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str| -> Result<IntCounterVec, prometheus::Error> {
            let counter = IntCounterVec::new(Opts::new(name, help), &LABELS)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        Ok(Self {
            expired: counter("sessions_expired_total", "Sessions that were ended because they were over.")?,
            superseded: counter(
                "sessions_superseded_total",
                "Live sessions that were ended because their user has newer ones.",
            )?,
        })
    }

    pub fn all(&self) -> [&IntCounterVec; 2] {
        [&self.expired, &self.superseded]
    }

    pub fn init_store(&self, database: &str, store: &str) {
        self.expired.with_label_values(&[database, store]);
        self.superseded.with_label_values(&[database, store]);
    }

    pub fn count(&self, database: &str, report: &SessionReport) {
        self.expired.with_label_values(&[database, &report.name]).inc_by(report.expired);
        self.superseded.with_label_values(&[database, &report.name]).inc_by(report.superseded);
    }
}

/// The stores after their last sweeps.
pub struct StoreGauges {
    held: GaugeVec,
    stale: GaugeVec,
    live: GaugeVec,
}

impl StoreGauges {
    pub fn new() -> Result<Self, prometheus::Error> {
        let gauge = |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &LABELS);
        Ok(Self {
            held: gauge("sessions_held", "1 when a guard held the last sweep, or a part of it.")?,
            stale: gauge("sessions_stale", "Sessions that are over and have not been ended.")?,
            live: gauge("sessions_live", "Sessions that are not over.")?,
        })
    }

    pub fn all(&self) -> [&GaugeVec; 3] {
        [&self.held, &self.stale, &self.live]
    }

    /// A store that could not be read has no series.
    pub fn fill(&self, database: &str, sweeps: &SessionSweepState) {
        for (store, report) in &sweeps.stores {
            let labels = [database, store.as_str()];
            if report.error.is_none() {
                self.held.with_label_values(&labels).set(if report.held.is_some() { 1.0 } else { 0.0 });
            }
            for (gauge, count) in [(&self.stale, report.stale), (&self.live, report.live)] {
                if let Some(count) = count {
                    gauge.with_label_values(&labels).set(count as f64);
                }
            }
        }
    }
}

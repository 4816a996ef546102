//! The figures of a run, for docs/reliability.md: writes `target/figures/reliability.json`, which `scripts/figures`
//! reads.

use super::calm::{Calm, FaultPeriod, fault_periods};
use super::drifts::{Drift, drifts};
use super::history::{Entry, Event, Fault, Moment};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The history of one run, and its parameters.
pub struct Run<'a> {
    pub entries: &'a [Entry],
    pub seed: u64,
    pub length: Duration,
    pub server: &'a str,
    /// The faults that cannot be injected on this machine, and why.
    pub not_made: &'a [(Fault, String)],
}

impl Run<'_> {
    /// Writes the file into the target folder.
    pub fn write(&self) {
        // The test binary is in target/debug/deps.
        let binary = std::env::current_exe().expect("the path of the test binary");
        let target = binary.ancestors().nth(3).unwrap_or(Path::new("target")).join("figures");
        fs::create_dir_all(&target).expect("a folder");
        let text = serde_json::to_string_pretty(&self.document()).expect("JSON");
        fs::write(target.join("reliability.json"), text).expect("a file");
    }

    fn document(&self) -> Value {
        let fault_periods = fault_periods(self.entries);
        let drifts = drifts(self.entries);
        let today = chrono::Utc::now().format("%Y-%m-%d").to_string();
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        json!({
            "document": "reliability",
            "machine": format!("{cores} cores, PostgreSQL {}", self.server),
            "taken": today,
            "blocks": [self.counts(&fault_periods, &drifts), self.by_fault(&fault_periods, &drifts), timeline(&fault_periods, &drifts)],
        })
    }

    fn counts(&self, fault_periods: &[FaultPeriod], drifts: &[Drift]) -> Value {
        let count = |which: &dyn Fn(&Event) -> usize| -> String {
            self.entries.iter().map(|entry| which(&entry.event)).sum::<usize>().to_string()
        };
        let one = |yes: bool| usize::from(yes);
        let deleted = |agents: bool| {
            count(&|event| match event {
                Event::Sessions { deleted, .. } => deleted.iter().filter(|one| one.by_agent == agents).count(),
                _ => 0,
            })
        };
        let repaired = drifts.iter().filter(|drift| drift.repaired.is_some()).count();
        let rows = [
            ("faults", fault_periods.len().to_string()),
            ("sabotages", count(&|event| one(matches!(event, Event::Sabotage { .. })))),
            ("drifts observed", drifts.len().to_string()),
            ("of these, repaired before the next sabotage of the same sequence", repaired.to_string()),
            ("inserts", count(&|event| one(matches!(event, Event::Inserted { .. })))),
            (
                "inserts without inline repair that met a taken id",
                count(&|event| one(matches!(event, Event::Duplicate { sequence } if !is_repaired(sequence)))),
            ),
            (
                "inserts and logins with inline repair that met a taken id",
                count(&|event| one(matches!(event, Event::Duplicate { sequence } if is_repaired(sequence)))),
            ),
            ("logins", count(&|event| one(matches!(event, Event::Login { .. })))),
            (
                "of these, with an inline repair",
                count(&|event| one(matches!(event, Event::Login { repairs } if *repairs > 0))),
            ),
            ("sessions ended by logins and logouts", deleted(false)),
            ("sessions ended by the agents", deleted(true)),
            ("observations of all sequences", count(&|event| one(matches!(event, Event::Sequences(_))))),
            ("scrapes answered", count(&|event| one(matches!(event, Event::Scrape { .. })))),
        ];
        let rows: Vec<_> = rows.into_iter().map(|(what, number)| json!([what, number])).collect();
        let (seed, seconds) = (self.seed, self.length.as_secs());
        let mut text = format!("{seconds} s, `PROOF_SEED={seed}`; no violation.");
        for (fault, why) in self.not_made {
            text += &format!(" Not injected on this machine: {fault} ({why}).");
        }
        json!({ "id": "proof-counts", "text": text, "columns": ["what", "number"], "rows": rows })
    }

    fn by_fault(&self, fault_periods: &[FaultPeriod], drifts: &[Drift]) -> Value {
        let calm = Calm::of(self.entries);
        let mut rows = Vec::new();
        for fault in Fault::ALL {
            let own: Vec<&FaultPeriod> = fault_periods.iter().filter(|period| period.fault == fault).collect();
            if own.is_empty() {
                continue;
            }
            let held = Quantiles::of(own.iter().map(|period| period.to - period.from));
            let back = Quantiles::of(own.iter().filter_map(|period| back(&calm, period)));
            let repairs = own.iter().flat_map(|period| repairs(period, drifts));
            let repairs = Quantiles::of(repairs);
            rows.push(json!([
                fault.to_string(),
                own.len().to_string(),
                held.median(),
                format!("{}, {}", back.median(), back.worst()),
                repairs.count(),
                format!("{}, {}, {}", repairs.median(), repairs.at(0.95), repairs.worst()),
            ]));
        }
        let alone = drifts.iter().filter(|drift| !fault_periods.iter().any(|period| overlap(period, drift)));
        let alone = Quantiles::of(alone.filter_map(|drift| Some(drift.repaired? - drift.since)));
        rows.push(json!([
            "none: sabotage in calm",
            "",
            "",
            "",
            alone.count(),
            format!("{}, {}, {}", alone.median(), alone.at(0.95), alone.worst())
        ]));
        json!({
            "id": "proof-faults",
            "columns": ["fault", "times", "duration, median", "from its end until a leader had made a pass: median, worst",
                        "drifts during it", "from its end until they were repaired: median, 95 %, worst"],
            "rows": rows,
        })
    }
}

/// The time from the end of a fault until a leader had completed a pass that began after it: the second one that ended.
fn back(calm: &Calm<'_>, period: &FaultPeriod) -> Option<Duration> {
    let mut first = std::collections::HashMap::new();
    let mut scrapes = calm.timed(period.to, Moment::MAX).filter(|(_, _, page)| page.leads && page.up);
    let (answered, ..) = scrapes.find(|(_, agent, page)| {
        let completed = page.passes - page.failures;
        completed >= *first.entry(*agent).or_insert(completed) + 2
    })?;
    Some(answered - period.to)
}

fn overlap(period: &FaultPeriod, drift: &Drift) -> bool {
    drift.since < period.to && drift.repaired.unwrap_or(drift.seen) > period.from
}

/// The time from the end of the fault until each drift was repaired; 0 if it was repaired during the fault.
fn repairs(period: &FaultPeriod, drifts: &[Drift]) -> Vec<Duration> {
    let own = drifts.iter().filter(|drift| overlap(period, drift));
    own.filter_map(|drift| Some(drift.repaired?.saturating_sub(period.to))).collect()
}

fn is_repaired(sequence: &str) -> bool {
    super::tables::TABLES.iter().any(|table| table.sequence == sequence && table.repairs)
}

/// One line for each fault with its periods, and one for the drifts.
fn timeline(fault_periods: &[FaultPeriod], drifts: &[Drift]) -> Value {
    let lane = |name: String, spans: Vec<(Moment, Moment)>| {
        let begins: Vec<f64> = spans.iter().map(|(from, _)| tenths(*from)).collect();
        let lasts: Vec<f64> = spans.iter().map(|(from, to)| tenths(*to - *from)).collect();
        json!({ "name": name, "x": begins, "y": lasts })
    };
    let mut lanes: Vec<Value> = Vec::new();
    for fault in Fault::ALL {
        let own: Vec<_> = fault_periods
            .iter()
            .filter(|period| period.fault == fault)
            .map(|period| (period.from, period.to))
            .collect();
        if !own.is_empty() {
            lanes.push(lane(fault.to_string(), own));
        }
    }
    lanes.push(lane(
        "a sequence is behind".to_owned(),
        drifts.iter().map(|drift| (drift.since, drift.repaired.unwrap_or(drift.seen))).collect(),
    ));
    json!({
        "id": "proof-timeline",
        "plot": { "title": "Faults, and the times in which sequences were behind", "kind": "timeline",
                  "x": { "label": "seconds since the run began" }, "y": {}, "series": lanes },
    })
}

fn tenths(moment: Duration) -> f64 {
    (moment.as_secs_f64() * 100.0).round() / 100.0
}

struct Quantiles(Vec<Duration>);

impl Quantiles {
    fn of(durations: impl Iterator<Item = Duration>) -> Self {
        let mut durations: Vec<Duration> = durations.collect();
        durations.sort();
        Self(durations)
    }

    fn count(&self) -> String {
        self.0.len().to_string()
    }

    /// The quantile: the smallest value that is not exceeded by this part of the values.
    fn at(&self, part: f64) -> String {
        let rank = (self.0.len() as f64 * part).ceil().max(1.0) as usize;
        self.0.get(rank - 1).map_or_else(|| "-".to_owned(), |duration| format!("{:.1} s", duration.as_secs_f64()))
    }

    fn median(&self) -> String {
        self.at(0.5)
    }

    fn worst(&self) -> String {
        self.at(1.0)
    }
}

//! What a run was like, in numbers: `target/figures/reliability.json`, from which `scripts/figures` makes the document.

use super::calm::{Calm, Spell, spells};
use super::drifts::{Drift, drifts};
use super::history::{Entry, Event, Fault, Moment};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// One run.
pub struct Run<'a> {
    pub entries: &'a [Entry],
    pub seed: u64,
    pub length: Duration,
    pub server: &'a str,
    /// What could not be made, and why.
    pub not_made: &'a [(Fault, String)],
}

impl Run<'_> {
    /// Beside what was built, where `scripts/figures` looks.
    pub fn write(&self) {
        // The test's binary is in target/debug/deps.
        let binary = std::env::current_exe().expect("our own path");
        let target = binary.ancestors().nth(3).unwrap_or(Path::new("target")).join("figures");
        fs::create_dir_all(&target).expect("a folder");
        let text = serde_json::to_string_pretty(&self.document()).expect("JSON");
        fs::write(target.join("reliability.json"), text).expect("a file");
    }

    fn document(&self) -> Value {
        let spells = spells(self.entries);
        let drifts = drifts(self.entries);
        let today = chrono::Utc::now().format("%Y-%m-%d").to_string();
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        json!({
            "document": "reliability",
            "machine": format!("{cores} cores, PostgreSQL {}", self.server),
            "taken": today,
            "blocks": [self.counts(&spells, &drifts), self.by_fault(&spells, &drifts), timeline(&spells, &drifts)],
        })
    }

    fn counts(&self, spells: &[Spell], drifts: &[Drift]) -> Value {
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
            ("faults", spells.len().to_string()),
            ("sabotages", count(&|event| one(matches!(event, Event::Sabotage { .. })))),
            ("drifts that were seen", drifts.len().to_string()),
            ("of which repaired before the next sabotage of the same sequence", repaired.to_string()),
            ("inserts", count(&|event| one(matches!(event, Event::Given { .. })))),
            (
                "inserts without repairing that met a taken id",
                count(&|event| one(matches!(event, Event::Duplicate { sequence } if !is_repaired(sequence)))),
            ),
            (
                "inserts and logins with repairing that failed so all the same",
                count(&|event| one(matches!(event, Event::Duplicate { sequence } if is_repaired(sequence)))),
            ),
            ("logins", count(&|event| one(matches!(event, Event::Login { .. })))),
            (
                "of which repaired themselves",
                count(&|event| one(matches!(event, Event::Login { repairs } if *repairs > 0))),
            ),
            ("sessions ended by logins and logouts", deleted(false)),
            ("sessions ended by the agents", deleted(true)),
            ("looks at all sequences", count(&|event| one(matches!(event, Event::Sequences(_))))),
            ("scrapes that were answered", count(&|event| one(matches!(event, Event::Scrape { .. })))),
        ];
        let rows: Vec<_> = rows.into_iter().map(|(what, number)| json!([what, number])).collect();
        let (seed, seconds) = (self.seed, self.length.as_secs());
        let mut text = format!("{seconds} s, `PROOF_SEED={seed}`; no violation.");
        for (fault, why) in self.not_made {
            text += &format!(" Not made here: {fault} ({why}).");
        }
        json!({ "id": "proof-counts", "text": text, "columns": ["what", "times"], "rows": rows })
    }

    fn by_fault(&self, spells: &[Spell], drifts: &[Drift]) -> Value {
        let calm = Calm::of(self.entries);
        let mut rows = Vec::new();
        for fault in Fault::ALL {
            let own: Vec<&Spell> = spells.iter().filter(|spell| spell.fault == fault).collect();
            if own.is_empty() {
                continue;
            }
            let held = Quantiles::of(own.iter().map(|spell| spell.to - spell.from));
            let back = Quantiles::of(own.iter().filter_map(|spell| back(&calm, spell)));
            let repairs = own.iter().flat_map(|spell| repairs(spell, drifts));
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
        let alone = drifts.iter().filter(|drift| !spells.iter().any(|spell| overlap(spell, drift)));
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
            "columns": ["fault", "times", "held, median", "until a leader had made a pass since: median, worst",
                        "drifts under it", "until they were repaired, since it was over: median, 95 %, worst"],
            "rows": rows,
        })
    }
}

/// From the end of a fault until a leader had completed a pass that began after it: the second one that ended.
fn back(calm: &Calm<'_>, spell: &Spell) -> Option<Duration> {
    let mut first = std::collections::HashMap::new();
    let mut scrapes = calm.timed(spell.to, Moment::MAX).filter(|(_, _, page)| page.leads && page.up);
    let (answered, ..) = scrapes.find(|(_, agent, page)| {
        let completed = page.passes - page.failures;
        completed >= *first.entry(*agent).or_insert(completed) + 2
    })?;
    Some(answered - spell.to)
}

fn overlap(spell: &Spell, drift: &Drift) -> bool {
    drift.since < spell.to && drift.repaired.unwrap_or(drift.seen) > spell.from
}

/// What was repaired while the fault was still on took no time since.
fn repairs(spell: &Spell, drifts: &[Drift]) -> Vec<Duration> {
    let own = drifts.iter().filter(|drift| overlap(spell, drift));
    own.filter_map(|drift| Some(drift.repaired?.saturating_sub(spell.to))).collect()
}

fn is_repaired(sequence: &str) -> bool {
    super::tables::TABLES.iter().any(|table| table.sequence == sequence && table.repairs)
}

/// Faults as they lasted, and the drifts on one more line.
fn timeline(spells: &[Spell], drifts: &[Drift]) -> Value {
    let lane = |name: String, spans: Vec<(Moment, Moment)>| {
        let begins: Vec<f64> = spans.iter().map(|(from, _)| tenths(*from)).collect();
        let lasts: Vec<f64> = spans.iter().map(|(from, to)| tenths(*to - *from)).collect();
        json!({ "name": name, "x": begins, "y": lasts })
    };
    let mut lanes: Vec<Value> = Vec::new();
    for fault in Fault::ALL {
        let own: Vec<_> =
            spells.iter().filter(|spell| spell.fault == fault).map(|spell| (spell.from, spell.to)).collect();
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

    /// The smallest that so large a part of all does not exceed.
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

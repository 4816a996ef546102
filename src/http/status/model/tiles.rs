//! Four figures, with the hours of the last day.

use super::Snapshot;
use super::facts::DatabaseFacts;
use super::headline::sums;
use crate::http::status::line::Line;
use crate::http::status::page_level::PageLevel;
use crate::http::status::time::{minute, roughly};
use crate::http::status::words::{approximate, count};
use crate::report::escape_control;
use crate::state::{HOURS, HistoryEvent, HourCounts};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// In the page, as long as it is open.
    pub id: &'static str,
    pub label: &'static str,
    /// Whether it counts the last 24 hours, and not this moment.
    pub is_daily: bool,
    /// None while it is not known.
    pub number: Option<u64>,
    pub sub: Line,
    /// None for an hour before the agent started.
    pub hours: [Option<u64>; HOURS],
    /// What the hours are, for a screen reader.
    pub hours_label: String,
    /// The level of the number, where it is one to act upon.
    pub level: Option<PageLevel>,
}

/// The four, in the page's order.
pub fn tiles(snapshot: &Snapshot, facts: &[DatabaseFacts<'_>]) -> [Tile; 4] {
    let is_known = facts.iter().any(|database| database.sequences.is_some());
    [
        sequences(snapshot, facts, is_known),
        failing(snapshot, facts, is_known),
        repaired(snapshot),
        ended(snapshot, facts),
    ]
}

fn hours(snapshot: &Snapshot, of: impl Fn(&HourCounts) -> u64) -> [Option<u64>; HOURS] {
    let first = (snapshot.started / 3600.0) as u64;
    // Hours that an earlier run counted are known too.
    snapshot.day.hours(snapshot.now).map(|hour| {
        let value = of(&hour);
        (hour.hour >= first || value > 0).then_some(value)
    })
}

/// Where the agent has run for less than a day.
fn short_history(snapshot: &Snapshot) -> Option<String> {
    let known = snapshot.now - snapshot.started;
    (known < 24.0 * 3600.0).then(|| format!("since {}, when the agent started", minute(snapshot.started)))
}

fn total(hours: &[Option<u64>]) -> u64 {
    hours.iter().flatten().sum()
}

fn sequences(snapshot: &Snapshot, facts: &[DatabaseFacts<'_>], is_known: bool) -> Tile {
    let number: u64 = facts.iter().filter_map(|database| database.sequences).sum();
    let unchecked: u64 = facts.iter().map(DatabaseFacts::unchecked).sum();
    let hours = hours(snapshot, |hour| hour.ids);
    let ids = total(&hours);
    let mut sub = match (is_known, facts.len()) {
        (false, _) => "Not counted yet".to_owned(),
        (true, 1) if ids == 1 => format!("1 id handed out {}", period(snapshot)),
        (true, 1) => format!("{} ids handed out {}", approximate(ids), period(snapshot)),
        (true, number) => match facts.iter().filter_map(|database| database.server).collect::<BTreeSet<_>>().len() {
            0 | 1 => count(number as u64, "database"),
            servers => format!("{} on {servers} servers", count(number as u64, "database")),
        },
    };
    if unchecked > 0 {
        sub += &format!("; {unchecked} not checked");
    }
    Tile {
        id: "tile-sequences",
        label: "Sequences",
        is_daily: false,
        number: is_known.then_some(number),
        sub: Line::new(sub),
        hours_label: format!("Ids handed out in each of the last 24 hours: {} in all", approximate(ids)),
        hours,
        level: None,
    }
}

fn period(snapshot: &Snapshot) -> String {
    let is_short = short_history(snapshot).is_some();
    if is_short { format!("since {}", minute(snapshot.started)) } else { "in 24 h".to_owned() }
}

fn failing(snapshot: &Snapshot, facts: &[DatabaseFacts<'_>], is_known: bool) -> Tile {
    let sums = sums(facts);
    let behind = sums.failing - sums.exhausted;
    let last = facts.iter().filter_map(|database| database.state.observed.last_failure);
    let last = last.max_by(|(a, _), (b, _)| a.total_cmp(b));
    let sub = match (sums.failing, behind, sums.exhausted) {
        _ if !is_known => Line::new("Not known yet"),
        (0, ..) => match last {
            Some((at, lasted)) => {
                Line::new(format!("Nothing is behind; last at {}, for {}", minute(at), roughly(lasted)))
            }
            None => Line::new("Nothing is behind"),
        },
        (_, behind, 0) => Line::new(format!("{behind} behind")),
        (_, 0, exhausted) => Line::new(format!("{exhausted} out of values")),
        (_, behind, exhausted) => Line::new(format!("{behind} behind, {exhausted} out of values")),
    };
    let hours = hours(snapshot, |hour| hour.failing);
    let most = hours.iter().flatten().max().copied().unwrap_or(0);
    Tile {
        id: "tile-failing",
        label: "Failing now",
        is_daily: false,
        number: is_known.then_some(sums.failing),
        sub,
        hours,
        hours_label: format!("Sequences whose inserts failed, most in each of the last 24 hours: at most {most}"),
        level: (sums.failing > 0).then_some(PageLevel::Failing),
    }
}

fn repaired(snapshot: &Snapshot) -> Tile {
    let hours = hours(snapshot, |hour| hour.repaired);
    let number = total(&hours);
    let last = snapshot.history.entries().find_map(|entry| match &entry.action {
        HistoryEvent::Repaired { sequence, .. } => Some((entry, sequence)),
        _ => None,
    });
    let sub = match last {
        Some((entry, sequence)) => {
            let mut line = Line::new("Last ").ago(entry.at).text(", ");
            if snapshot.databases.len() > 1 {
                line = line.text(format!("{}, ", escape_control(&entry.database)));
            }
            line.name(sequence)
        }
        None => Line::new(short_history(snapshot).map_or_else(|| "None".to_owned(), |since| format!("None {since}"))),
    };
    Tile {
        id: "tile-repaired",
        label: "Repaired",
        is_daily: true,
        number: Some(number),
        sub,
        hours,
        hours_label: format!("Repairs in each of the last 24 hours: {number} in all"),
        level: None,
    }
}

fn ended(snapshot: &Snapshot, facts: &[DatabaseFacts<'_>]) -> Tile {
    let stores: usize = facts.iter().map(|database| database.state.sweeps.stores.len()).sum();
    let last = facts.iter().flat_map(|database| database.state.sweeps.swept_at.values()).copied().reduce(f64::max);
    let hours = hours(snapshot, |hour| hour.ended);
    let number = total(&hours);
    let sub = match (stores, last) {
        (0, _) if number == 0 => Line::new("No session store is configured"),
        (stores, Some(at)) => Line::new(format!("{}, last sweep ", count(stores as u64, "store"))).ago(at),
        (stores, None) => Line::new(format!("{}, not swept yet", count(stores as u64, "store"))),
    };
    Tile {
        id: "tile-ended",
        label: "Sessions ended",
        is_daily: true,
        number: (stores > 0 || number > 0).then_some(number),
        sub,
        hours_label: format!("Sessions ended in each of the last 24 hours: {} in all", approximate(number)),
        hours,
        level: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::status::model::test_support::*;
    use crate::report::{DatabaseReport, Outcome, RepairReport, SequenceReport, Verdict};
    use std::sync::Arc;

    fn of(snapshot: &Snapshot) -> [(Option<u64>, String); 4] {
        tiles(snapshot, &snapshot.facts()).map(|tile| (tile.number, tile.sub.at(NOW).to_string()))
    }

    #[test]
    fn an_incident_is_counted_by_what_it_is() {
        let app = checked(vec![behind("public.a_id_seq"), behind("public.b_id_seq"), exhausted("public.c_id_seq")]);
        let [sequences, failing, ..] = of(&snapshot([("app", app), ("legacy", refused(61))]));
        assert_eq!(sequences, (Some(64), "2 databases; 61 not checked".to_owned()));
        assert_eq!(failing, (Some(3), "2 behind, 1 out of values".to_owned()));
    }

    #[test]
    fn a_calm_day_says_what_happened_in_it() {
        let mut snapshot = snapshot([("app", checked(vec![in_sync("public.orders_id_seq")]))]);
        snapshot.day.count(NOW - 7200.0, |hour| hour.ids = 1_200_000);
        snapshot.day.count(NOW, |hour| hour.repaired = 6);
        let repair = RepairReport { next_value: Some(21), ..RepairReport::new(Outcome::Repaired, None, None) };
        let repaired = SequenceReport {
            repair: Some(Box::new(repair)),
            ..SequenceReport::new("public.orders_id_seq".to_owned(), Vec::new(), Verdict::Behind)
        };
        let report =
            DatabaseReport { name: "app".into(), sequences: vec![Arc::new(repaired)], ..DatabaseReport::default() };
        snapshot.history.record_pass(NOW - 15.0, &report, &[], &[]);
        let [sequences, failing, repaired, ended] = of(&snapshot);
        assert_eq!(sequences, (Some(1), "1.2 million ids handed out in 24 h".to_owned()));
        assert_eq!(failing, (Some(0), "Nothing is behind".to_owned()));
        assert_eq!(repaired, (Some(6), "Last 15 s ago, public.orders_id_seq".to_owned()));
        assert_eq!(ended, (None, "No session store is configured".to_owned()));
    }

    #[test]
    fn nothing_is_zero_before_it_was_counted() {
        let mut snapshot = snapshot([("app", crate::state::DatabaseState::default())]);
        snapshot.started = NOW - 3.0;
        let [sequences, failing, repaired, _] = of(&snapshot);
        assert_eq!(sequences, (None, "Not counted yet".to_owned()));
        assert_eq!(failing, (None, "Not known yet".to_owned()));
        assert_eq!(repaired, (Some(0), "None since 22:13, when the agent started".to_owned()));
        let [tile, ..] = tiles(&snapshot, &snapshot.facts());
        assert_eq!((tile.hours[0], tile.hours[HOURS - 1]), (None, Some(0)), "unknown is not zero");
    }
}

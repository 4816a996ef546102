//! The page in one sentence: do inserts work?

use super::facts::{Counts, DatabaseFacts, Trouble};
use super::row::days_left;
use crate::http::status::line::Line;
use crate::http::status::page_level::PageLevel;
use crate::http::status::time::format_duration;
use crate::http::status::words::{count, days, list, percent, table_of};
use crate::report::{Level, SequenceReport, Verdict, escape_control};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq)]
pub struct Headline {
    pub level: PageLevel,
    pub sentence: String,
    pub second: Line,
    /// Counts of what needs attention, for the bar that stays on top.
    pub counts: Vec<(PageLevel, u64)>,
    /// The title of the browser's tab.
    pub tab: String,
}

/// What is at one level: tables in databases.
struct Place<'a> {
    tables: BTreeSet<(&'a str, &'a str)>,
    sequences: Vec<&'a SequenceReport>,
}

impl<'a> Place<'a> {
    fn of(facts: &[DatabaseFacts<'a>], level: Level) -> Self {
        let mut place = Self { tables: BTreeSet::new(), sequences: Vec::new() };
        for database in facts.iter().filter(|database| database.trouble.is_none()) {
            for sequence in database.checked_sequences().filter(|sequence| Level::of(sequence) == level) {
                let table = sequence.feeds.first().map_or(&*sequence.name, |feed| table_of(&feed.column));
                place.tables.insert((database.name, table));
                place.sequences.push(sequence);
            }
        }
        place
    }

    /// `3 tables in app`, `5 tables in 3 databases`.
    fn words(&self) -> String {
        let databases: BTreeSet<&str> = self.tables.iter().map(|(database, _)| *database).collect();
        let place = match databases.first() {
            Some(only) if databases.len() == 1 => escape_control(only).into_owned(),
            _ => count(databases.len() as u64, "database"),
        };
        format!("{} in {place}", count(self.tables.len() as u64, "table"))
    }
}

impl Headline {
    pub fn of(facts: &[DatabaseFacts<'_>], config_accepted: bool, now: f64) -> Self {
        let sums = sums(facts);
        let unchecked = facts.iter().filter(|database| database.trouble.is_some()).count() as u64;
        let level = facts.iter().map(|database| database.level).min().unwrap_or(PageLevel::Starting);
        let level = if config_accepted { level } else { level.min(PageLevel::Decision) };
        let decisions = sums.decision + u64::from(!config_accepted);
        let unknown = unchecked + sums.unknown + sums.stores_failed;
        let sentence = match level {
            PageLevel::Failing => format!("Inserts are failing on {}", Place::of(facts, Level::Failing).words()),
            PageLevel::Unknown => unknown_sentence(facts, unchecked, &sums),
            PageLevel::Soon => soon_sentence(&Place::of(facts, Level::Soon)),
            PageLevel::Decision => {
                let verb = if decisions == 1 { "is" } else { "are" };
                format!("No insert is failing; {} {verb} waiting", count(decisions, "decision"))
            }
            PageLevel::Starting => starting_sentence(facts),
            PageLevel::Healthy => healthy_sentence(&sums),
            PageLevel::Standby => "Standby: another agent leads".to_owned(),
        };
        let levels = [
            (PageLevel::Failing, sums.failing),
            (PageLevel::Unknown, unknown),
            (PageLevel::Soon, sums.soon),
            (PageLevel::Decision, decisions),
        ];
        let counts: Vec<_> = levels.into_iter().filter(|(_, number)| *number > 0).collect();
        let tab = match counts.first() {
            Some((level, number)) => format!("{} {number} {}", level.tab_symbol(), level.word().to_lowercase()),
            None if level == PageLevel::Healthy => format!("{} All healthy", level.tab_symbol()),
            None => format!("{} {}", level.tab_symbol(), level.word()),
        };
        let second = second_line(facts, level, unchecked, &sums, decisions, now);
        Self { level, sentence, second, counts, tab: format!("{tab} · pgmedic") }
    }
}

/// Over all databases that are checked.
pub fn sums(facts: &[DatabaseFacts<'_>]) -> Counts {
    facts.iter().map(|database| database.counts).fold(Counts::default(), |a, b| Counts {
        failing: a.failing + b.failing,
        exhausted: a.exhausted + b.exhausted,
        unknown: a.unknown + b.unknown,
        soon: a.soon + b.soon,
        decision: a.decision + b.decision,
        healthy: a.healthy + b.healthy,
        not_judged: a.not_judged + b.not_judged,
        stores_failed: a.stores_failed + b.stores_failed,
    })
}

fn unknown_sentence(facts: &[DatabaseFacts<'_>], unchecked: u64, sums: &Counts) -> String {
    let empty = |database: &&DatabaseFacts<'_>| database.trouble == Some(Trouble::NoSequences);
    match (unchecked, facts) {
        (0, _) if sums.unknown == 0 => format!("{} cannot be swept", count(sums.stores_failed, "session store")),
        (0, _) => {
            let place = Place::of(facts, Level::Unknown);
            if place.sequences.iter().all(|sequence| sequence.verdict == Verdict::Behind) {
                return format!("Inserts may be failing on {}", place.words());
            }
            let databases: BTreeSet<&str> = place.tables.iter().map(|(database, _)| *database).collect();
            let inside = match databases.first() {
                Some(only) if databases.len() == 1 => escape_control(only).into_owned(),
                _ => count(databases.len() as u64, "database"),
            };
            format!("{} in {inside} cannot be checked", count(sums.unknown, "sequence"))
        }
        (1, [only]) if empty(&only) => format!("No sequences found in {}", escape_control(only.name)),
        (1, [only]) => format!("{} cannot be checked", escape_control(only.name)),
        _ if facts.iter().filter(empty).count() as u64 == unchecked => {
            format!("No sequences found in {unchecked} of {} databases", facts.len())
        }
        _ => format!("{unchecked} of {} databases cannot be checked", facts.len()),
    }
}

fn soon_sentence(place: &Place<'_>) -> String {
    let soonest = place.sequences.iter().filter_map(|sequence| days_left(sequence)).reduce(f64::min);
    match (place.tables.first(), place.tables.len(), soonest) {
        (Some((_, table)), 1, left) => {
            let used = place.sequences.iter().filter_map(|sequence| sequence.used_ratio).fold(0.0, f64::max);
            runs_out(table, left, used)
        }
        (_, _, Some(left)) => format!("{} will run out of ids, the first in about {}", place.words(), days(left)),
        _ => format!("{} are running out of ids", place.words()),
    }
}

/// That a table runs out of ids: in so many days, where the pace is known.
pub fn runs_out(table: &str, days_left: Option<f64>, used_ratio: f64) -> String {
    let table = escape_control(table);
    match days_left {
        Some(left) => format!("Inserts into {table} will fail in about {}", days(left)),
        None => format!("{table} is running out of ids: {} are used", percent(used_ratio)),
    }
}

fn starting_sentence(facts: &[DatabaseFacts<'_>]) -> String {
    let starting: Vec<&str> =
        facts.iter().filter(|database| database.level == PageLevel::Starting).map(|database| database.name).collect();
    match starting.as_slice() {
        [] => "Starting: no database is configured yet".to_owned(),
        [only] => format!("Starting: the first check of {} is running", escape_control(only)),
        several => format!("Starting: the first checks of {} databases are running", several.len()),
    }
}

fn healthy_sentence(sums: &Counts) -> String {
    match sums.healthy - sums.not_judged {
        // Session stores alone.
        0 if sums.healthy == 0 => "No insert is failing".to_owned(),
        0 => format!("No sequence can be judged: {} found", count(sums.not_judged, "sequence")),
        1 => "The only sequence is ahead of its data".to_owned(),
        number => format!("All {number} sequences are ahead of their data"),
    }
}

/// What else there is, below the sentence.
fn second_line(
    facts: &[DatabaseFacts<'_>],
    level: PageLevel,
    unchecked: u64,
    sums: &Counts,
    decisions: u64,
    now: f64,
) -> Line {
    if level == PageLevel::Standby {
        return Line::new("A standby checks nothing. It takes over when the leader stops.");
    }
    if level == PageLevel::Starting {
        return Line::new("Nothing is known yet. The result appears here by itself.");
    }
    let be = |number: u64, one: &str, more: &str| if number == 1 { one.to_owned() } else { more.to_owned() };
    let mut also = Vec::new();
    if level != PageLevel::Unknown && unchecked > 0 {
        also.push(format!("{} cannot be checked", count(unchecked, "database")));
    }
    if sums.unknown > 0 && (level != PageLevel::Unknown || unchecked > 0) {
        also.push(format!("{} cannot be checked", count(sums.unknown, "sequence")));
    }
    if sums.stores_failed > 0 && (level != PageLevel::Unknown || unchecked + sums.unknown > 0) {
        also.push(format!("{} cannot be swept", count(sums.stores_failed, "session store")));
    }
    if level != PageLevel::Soon && sums.soon > 0 {
        let verb = be(sums.soon, "runs", "run");
        let place = Place::of(facts, Level::Soon);
        let soonest = place.sequences.iter().filter_map(|sequence| days_left(sequence)).reduce(f64::min);
        let when = soonest.map_or_else(String::new, |left| format!(" in about {}", days(left)));
        also.push(format!("{} {verb} out of ids{when}", count(sums.soon, "sequence")));
    }
    if level != PageLevel::Decision && decisions > 0 {
        also.push(format!("{} {} waiting", count(decisions, "decision"), be(decisions, "is", "are")));
    }
    let mut line = if also.is_empty() { Line::default() } else { Line::new(format!("Also: {}. ", list(&also))) };
    if let [only] = facts {
        return one_database(line, only, now);
    }
    let healthy = facts.iter().filter(|database| database.level == PageLevel::Healthy).count();
    if healthy < facts.len() {
        let verb = be(healthy as u64, "is", "are");
        line = line.text(format!("{healthy} of {} databases {verb} healthy.", facts.len()));
    } else {
        line = line.text(format!("{} databases, all of them healthy.", facts.len()));
    }
    not_judged(line, sums)
}

fn one_database(mut line: Line, database: &DatabaseFacts<'_>, now: f64) -> Line {
    line = line.strong(escape_control(database.name));
    if let Some(version) = database.state.report.as_ref().and_then(|report| report.server_version.as_deref()) {
        line = line.text(format!(" · PostgreSQL {}", escape_control(version)));
    }
    line = line.text(match (database.state.replica, database.state.leader) {
        (true, _) => " · a replica, observed only",
        (false, true) => " · this agent leads",
        (false, false) => " · this agent does not lead",
    });
    line = match database.state.last_success {
        Some(at) => line.text(" · checked ").ago(at.min(now)),
        None => line.text(" · never checked since the agent started"),
    };
    line = line.text(format!(", every {}", format_duration(database.state.interval)));
    if database.counts.not_judged > 0 { not_judged(line.text("."), &database.counts) } else { line }
}

fn not_judged(line: Line, sums: &Counts) -> Line {
    match sums.not_judged {
        0 => line,
        1 => line.text(" 1 sequence is not judged."),
        number => line.text(format!(" {number} sequences are not judged.")),
    }
}

#[cfg(test)]
#[path = "headline_tests.rs"]
mod tests;

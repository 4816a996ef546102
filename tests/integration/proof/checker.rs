//! Reads a history and reports the violations in it. It uses no judgment of pgmedic's: it relies on the tables, the
//! server's records and the clock. From the agents it takes only how many passes they made and what they reported.

use super::calm::Calm;
use super::drifts::{Drift, drifts, open_to_duplicates};
use super::history::{Entry, Event, Key, Moment, Moved, Page, SequenceState, Session};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// The interval of passes and of sweeps in the agents' configuration.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// The end of the first pass in a period does not tell when that pass began. The two passes after it began in the
/// period.
const PASSES: u64 = 3;

/// The first sweep of a new leader only observes, and a sweep skips a locked row.
const SWEEPS: u64 = PASSES + 1;

#[derive(Debug, Clone, PartialEq)]
pub enum Violation {
    /// The sequence moved back, and not by the saboteur.
    MovedBack {
        sequence: &'static str,
        before: i64,
        now: i64,
        at: Moment,
    },
    /// The drift was neither repaired nor reported by these passes in calm.
    LeftBehind {
        drift: Drift,
        passes: u64,
    },
    /// A pass that began after the drift reported no drift while it lasted.
    FalselyHealthy {
        drift: Drift,
        at: Moment,
    },
    LiveSessionEnded {
        session: Session,
        early: Duration,
        at: Moment,
    },
    /// The session is missing, and the server has no record of its deletion.
    SessionLost {
        key: Key,
        at: Moment,
    },
    ExpiredSessionKept {
        key: Key,
        since: Moment,
        sweeps: u64,
    },
    DuplicateWithoutDrift {
        sequence: &'static str,
        at: Moment,
    },
    Stuck {
        what: String,
        at: Moment,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MovedBack { sequence, before, now, at } => {
                write!(f, "{sequence} went back from {before} to {now} before {at:.3?}")
            }
            Self::LeftBehind { drift, passes } => {
                write!(f, "{drift} was neither repaired nor reported by {passes} passes in calm")
            }
            Self::FalselyHealthy { drift, at } => write!(f, "{drift} was said not to be there at {at:.3?}"),
            Self::LiveSessionEnded { session, early, at } => {
                write!(f, "session {} was ended {early:?} too early, before {at:.3?}", session.key.id)
            }
            Self::SessionLost { key, at } => write!(f, "session {} was gone without a trace at {at:.3?}", key.id),
            Self::ExpiredSessionKept { key, since, sweeps } => {
                write!(f, "session {}, over since {since:.3?}, outlived {sweeps} sweeps in calm", key.id)
            }
            Self::DuplicateWithoutDrift { sequence, at } => {
                write!(f, "a value of {sequence} was taken at {at:.3?}, when the sequence was ahead of its data")
            }
            Self::Stuck { what, at } => write!(f, "at {at:.3?}: {what}"),
        }
    }
}

/// Checks a history. `increments` are those of the sequences, by name.
pub fn check(entries: &[Entry], increments: &[(&'static str, i64)]) -> Vec<Violation> {
    let calm = Calm::of(entries);
    let drifts = drifts(entries);
    let mut violations = Vec::new();
    for (sequence, increment) in increments {
        violations.extend(moved_back(entries, sequence, increment.signum()));
        violations.extend(duplicates(entries, sequence));
    }
    for drift in drifts {
        violations.extend(left_behind(&calm, &drift));
        violations.extend(falsely_healthy(&calm, &drift));
    }
    violations.extend(sessions_ended(entries));
    violations.extend(sessions_kept(entries, &calm));
    violations.extend(entries.iter().filter_map(|entry| match &entry.event {
        Event::Stuck(what) => Some(Violation::Stuck { what: what.clone(), at: entry.to }),
        _ => None,
    }));
    violations
}

fn moved_back(entries: &[Entry], sequence: &'static str, sign: i64) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut before: Option<i64> = None;
    // The furthest id that a client received since the last sabotage.
    let (mut given, mut sabotaged): (Option<i64>, Moment) = (None, Moment::ZERO);
    // A crash may lose every move that no client has seen, so only ids that clients received count.
    let mut crashing = false;
    // Where what was confirmed may be lost, ids that clients received before count, and where the saboteur moved it.
    let mut losing = false;
    let further = |a: i64, b: i64| if a * sign > b * sign { a } else { b };
    for Entry { from, to, event } in entries {
        match event {
            Event::FaultBegins(fault) if fault.loses_commits() => losing = true,
            Event::FaultEnds(fault) if fault.loses_commits() => (losing, before, sabotaged) = (false, given, *to),
            Event::Sabotage { sequence: name, moved } if losing && *name == sequence => match moved {
                Moved::Not => {}
                Moved::To(next) => given = given.filter(|given| further(*given, *next) == *next).or(Some(*next)),
                Moved::Unknown => given = None,
            },
            Event::Inserted { .. } | Event::Sequences(_) if losing => {}
            Event::Sabotage { sequence: name, moved } if *name == sequence && *moved != Moved::Not => {
                let next = if let Moved::To(next) = moved { Some(*next) } else { None };
                (before, given, sabotaged) = (next, None, *to);
            }
            Event::Inserted { sequence: name, id } if *name == sequence && *from >= sabotaged => {
                given = Some(given.map_or(*id, |given| further(given, *id)));
            }
            Event::FaultBegins(fault) if fault.loses_moves() => crashing = true,
            Event::FaultEnds(fault) if fault.loses_moves() => (crashing, before) = (false, given),
            Event::Sequences(states) => {
                let state = states.iter().find(|(name, _)| *name == sequence);
                let Some((_, SequenceState { next, .. })) = state else { continue };
                let known = if crashing { given } else { before };
                if let Some(before) = known.filter(|before| (next - before) * sign < 0) {
                    violations.push(Violation::MovedBack { sequence, before, now: *next, at: *to });
                }
                before = Some(*next);
            }
            _ => {}
        }
    }
    violations
}

/// Checks each period of calm within the drift separately.
fn left_behind(calm: &Calm<'_>, drift: &Drift) -> Option<Violation> {
    calm.windows(drift.since, drift.seen).into_iter().find_map(|(from, to)| {
        let passes = calm.passes(from, to, |page| page.passes - page.failures);
        let reported = || {
            calm.scrapes(from, to).any(|(_, page)| {
                page.leads && (page.problems > 0 || page.lagging.iter().any(|gap| gap.ends_with(drift.sequence)))
            })
        };
        let over = passes >= PASSES && to - from > 2 * INTERVAL;
        (over && !reported()).then(|| Violation::LeftBehind { drift: drift.clone(), passes })
    })
}

/// In calm or not: a pass that began while the drift lasted must have seen it.
fn falsely_healthy(calm: &Calm<'_>, drift: &Drift) -> Option<Violation> {
    let says_well =
        |page: &Page| page.leads && page.up && page.in_sync.is_some() && page.problems == 0 && page.lagging.is_empty();
    let mut first: HashMap<usize, u64> = HashMap::new();
    calm.timed(drift.since, drift.seen).find_map(|(at, agent, page)| {
        let passes = *first.entry(agent).or_insert(page.passes);
        // The pass after the one that may have been running.
        let looked = page.passes >= passes + 2;
        (looked && says_well(page)).then(|| Violation::FalselyHealthy { drift: drift.clone(), at })
    })
}

fn duplicates(entries: &[Entry], sequence: &'static str) -> Vec<Violation> {
    let open = open_to_duplicates(entries, sequence);
    let unexplained = entries.iter().filter(|entry| {
        let met = matches!(entry.event, Event::Duplicate { sequence: name } if name == sequence);
        met && !open.iter().any(|(from, to)| entry.from <= *to && entry.to >= *from)
    });
    unexplained.map(|entry| Violation::DuplicateWithoutDrift { sequence, at: entry.to }).collect()
}

fn sessions_ended(entries: &[Entry]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut before: Vec<Session> = Vec::new();
    let mut losing = false;
    for Entry { to, event, .. } in entries {
        if let Event::FaultBegins(fault) | Event::FaultEnds(fault) = event
            && fault.loses_commits()
        {
            losing = matches!(event, Event::FaultBegins(_));
        }
        let Event::Sessions { there, deleted, .. } = event else { continue };
        for deletion in deleted.iter().filter(|deletion| deletion.by_agent) {
            let session = deletion.session;
            if let Ok(early @ 1..) = u64::try_from(session.expires.saturating_sub(deletion.at)) {
                let early = Duration::from_micros(early);
                violations.push(Violation::LiveSessionEnded { session, early, at: *to });
            }
        }
        let accounted = |key: Key| {
            there.iter().any(|session| session.key == key) || deleted.iter().any(|deletion| deletion.session.key == key)
        };
        if losing {
            // Logins and ends may be lost, and no session from before.
            before.retain(|session| !deleted.iter().any(|deletion| deletion.session.key == session.key));
            continue;
        }
        let lost = before.iter().filter(|session| !accounted(session.key));
        violations.extend(lost.map(|session| Violation::SessionLost { key: session.key, at: *to }));
        before.clone_from(there);
    }
    violations
}

fn sessions_kept(entries: &[Entry], calm: &Calm<'_>) -> Vec<Violation> {
    // When the session was first seen to be over, and when it was seen last.
    let mut over: HashMap<Key, (Moment, Moment)> = HashMap::new();
    let mut violations = Vec::new();
    let kept = |key: Key, (since, seen): (Moment, Moment)| {
        calm.windows(since, seen).into_iter().find_map(|(from, to)| {
            let sweeps = calm.passes(from, to, |page| page.sweeps);
            let too_long = sweeps >= SWEEPS && to - from > 2 * INTERVAL;
            too_long.then_some(Violation::ExpiredSessionKept { key, since, sweeps })
        })
    };
    for Entry { from, to, event } in entries {
        let Event::Sessions { clock, there, .. } = event else { continue };
        let expired: HashMap<Key, ()> =
            there.iter().filter(|session| session.expires <= *clock).map(|session| (session.key, ())).collect();
        let gone: Vec<Key> = over.keys().filter(|key| !expired.contains_key(key)).copied().collect();
        for key in gone {
            violations.extend(over.remove(&key).and_then(|seen| kept(key, seen)));
        }
        for key in expired.into_keys() {
            over.entry(key).or_insert((*to, *to)).1 = *from;
        }
    }
    violations.extend(over.into_iter().filter_map(|(key, seen)| kept(key, seen)));
    violations
}

#[cfg(test)]
#[path = "checker_tests.rs"]
mod tests;

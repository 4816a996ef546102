//! One database in one sentence.

use super::time::format_duration;
use crate::report::{DatabaseReport, Status, escape_control};
use crate::state::DatabaseState;

/// A database in one word; worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    Healthy,
    /// Another agent leads, or nothing here can be judged.
    Idle,
    Unknown,
    Attention,
    /// No pass was completed lately.
    NotMonitored,
    /// The database could not be reached at the last try.
    Unreachable,
}

impl Health {
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Idle => "standby",
            Self::Unknown => "not known yet",
            Self::Attention => "needs attention",
            Self::NotMonitored => "not monitored",
            Self::Unreachable => "unreachable",
        }
    }

    /// Distinguished by shape; the word stands beside it.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Healthy => "✓",
            Self::Idle => "=",
            Self::Unknown => "?",
            Self::Attention => "!",
            Self::NotMonitored | Self::Unreachable => "✕",
        }
    }

    pub fn class(self) -> &'static str {
        match self {
            Self::Healthy => "good",
            Self::Idle | Self::Unknown => "plain",
            Self::Attention => "warn",
            Self::NotMonitored | Self::Unreachable => "bad",
        }
    }
}

/// The sentence without its end, and when the pass that it describes was completed.
#[derive(Debug, PartialEq)]
pub struct DatabaseSummary {
    pub health: Health,
    pub text: String,
    pub checked: Option<f64>,
}

/// A pass is overdue after three intervals and this many seconds, which a busy machine may need.
const OVERDUE_GRACE: f64 = 10.0;

impl DatabaseSummary {
    pub fn of(database: &DatabaseState, now: f64) -> Self {
        let trouble = database.last_error.as_deref().map(escape_control);
        let (health, text) = match (&database.report, trouble, database.up) {
            (_, Some(why), Some(false) | None) => (Health::Unreachable, format!("It cannot be monitored: {why}")),
            (_, Some(why), Some(true)) => {
                (Health::NotMonitored, format!("The last pass could not be completed: {why}"))
            }
            (Some(report), None, _) => match database.last_success {
                Some(at) if now - at > 3.0 * database.interval + OVERDUE_GRACE => {
                    overdue_summary(report, now - at, database.interval)
                }
                _ => pass_summary(report, database),
            },
            (None, None, None) => (Health::Unknown, "No pass was completed yet: the first is under way".to_owned()),
            (None, None, Some(_)) if !database.leader && !database.replica => {
                let text = "Another agent leads here; this one is standby and takes over when the leader is gone";
                return Self { health: Health::Idle, text: text.to_owned(), checked: None };
            }
            (None, None, Some(_)) => {
                (Health::Unknown, "It can be reached, and the first pass over it is under way".to_owned())
            }
        };
        Self { health, text, checked: database.last_success }
    }
}

/// A database without a recent pass is not called healthy.
fn overdue_summary(report: &DatabaseReport, age: f64, interval: f64) -> (Health, String) {
    let text = format!(
        "Its current state is unknown: no pass was completed for {}, though one is due every {}; of its {} then",
        format_duration(age),
        format_duration(interval),
        count(report.sequences.len() as u64, "sequence")
    );
    let attention =
        attention(report).map_or_else(|| " none needed attention".to_owned(), |(text, _)| format!(": {text}"));
    (Health::NotMonitored, text + &attention)
}

fn pass_summary(report: &DatabaseReport, database: &DatabaseState) -> (Health, String) {
    let stores = database.sweeps.stores.values();
    let stores = stores.filter(|store| store.error.is_some() || store.held.is_some()).count() as u64;
    let (mut health, mut text) = match attention(report) {
        Some((text, _)) => (Health::Attention, text),
        None => healthy_summary(report),
    };
    let out = report.sequences.iter().filter(|sequence| sequence.is_only_running_out()).count() as u64;
    if out > 0 {
        health = health.max(Health::Attention);
        text += &format!("; {} out of values", if out == 1 { "1 runs".to_owned() } else { format!("{out} run") });
    }
    if stores > 0 {
        health = health.max(Health::Attention);
        let verb = if stores == 1 { "needs" } else { "need" };
        text += &format!("; {} {verb} attention", count(stores, "session store"));
    }
    (health, text)
}

/// `2 of 214 sequences need attention: 1 held, 1 unreadable`, and how many; none when none does.
fn attention(report: &DatabaseReport) -> Option<(String, u64)> {
    let counted = |status: Status| {
        report.sequences.iter().filter(|sequence| sequence.needs_attention() && Status::of(sequence) == status).count()
    };
    let kinds: Vec<(Status, usize)> =
        Status::ALL.into_iter().map(|status| (status, counted(status))).filter(|(_, count)| *count > 0).collect();
    let total: usize = kinds.iter().map(|(_, count)| count).sum();
    let list: Vec<String> = kinds.iter().map(|(status, count)| format!("{count} {}", status_phrase(*status))).collect();
    let verb = if total == 1 { "needs" } else { "need" };
    let of = count(report.sequences.len() as u64, "sequence");
    (total > 0).then(|| (format!("{total} of {of} {verb} attention: {}", list.join(", ")), total as u64))
}

fn status_phrase(status: Status) -> &'static str {
    match status {
        // No repair is coming, so the word alone would mislead.
        Status::Behind => "behind and only watched",
        Status::Failed => "behind, and the repair failed",
        other => other.word(),
    }
}

fn healthy_summary(report: &DatabaseReport) -> (Health, String) {
    let all = report.sequences.len() as u64;
    let unjudged = report
        .sequences
        .iter()
        .filter(|sequence| matches!(Status::of(sequence), Status::Unsupported | Status::Unlinked))
        .count() as u64;
    let judged = all - unjudged;
    match (judged, unjudged) {
        (0, 0) => (Health::Healthy, "There is no sequence to monitor".to_owned()),
        (0, 1) => (Health::Idle, "The only sequence cannot be judged".to_owned()),
        (0, _) => (Health::Idle, format!("None of the {unjudged} sequences can be judged")),
        (1, 0) => (Health::Healthy, "The only sequence is ahead of its data".to_owned()),
        (_, 0) => (Health::Healthy, format!("All {} sequences are ahead of their data", thousands(judged))),
        (1, _) => (
            Health::Healthy,
            format!("The only sequence that can be judged is ahead of its data; {unjudged} cannot be judged"),
        ),
        _ => {
            let text = format!(
                "All {} sequences that can be judged are ahead of their data; {} cannot be",
                thousands(judged),
                thousands(unjudged)
            );
            (Health::Healthy, text)
        }
    }
}

/// `1 sequence`, `2 sequences`.
pub fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{} {thing}s", thousands(number)) }
}

/// Digits in groups of three, separated by a no-break space.
pub fn thousands(number: impl ToString) -> String {
    let digits = number.to_string();
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("−", rest));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

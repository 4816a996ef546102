//! How a database is, in one plain sentence.

use super::time::format_duration;
use crate::report::{DatabaseReport, Status, escape_control};
use crate::state::DatabaseState;

/// How it is, in one word; worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    Healthy,
    /// Somebody else's business.
    Idle,
    Unknown,
    Attention,
    Failing,
}

impl Health {
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "well",
            Self::Idle => "standing by",
            Self::Unknown => "not known yet",
            Self::Attention => "needs attention",
            Self::Failing => "failing",
        }
    }

    /// Told apart by shape; the word stands beside it.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Healthy => "✓",
            Self::Idle => "=",
            Self::Unknown => "?",
            Self::Attention => "!",
            Self::Failing => "✕",
        }
    }

    pub fn class(self) -> &'static str {
        match self {
            Self::Healthy => "good",
            Self::Idle | Self::Unknown => "plain",
            Self::Attention => "warn",
            Self::Failing => "bad",
        }
    }
}

/// The sentence without its end, and when what it says was seen.
#[derive(Debug, PartialEq)]
pub struct DatabaseSummary {
    pub mood: Health,
    pub text: String,
    pub checked: Option<f64>,
}

/// A pass is late after three intervals and this many seconds, for a busy machine.
const PATIENCE: f64 = 10.0;

impl DatabaseSummary {
    pub fn of(station: &DatabaseState, now: f64) -> Self {
        let trouble = station.last_error.as_deref().map(escape_control);
        let (mood, text) = match (&station.report, trouble, station.up) {
            (_, Some(why), Some(false) | None) => (Health::Failing, format!("It cannot be looked after: {why}")),
            (_, Some(why), Some(true)) => (Health::Failing, format!("The last pass could not be completed: {why}")),
            (Some(report), None, _) => match station.last_success {
                Some(at) if now - at > 3.0 * station.interval + PATIENCE => {
                    overdue_summary(report, now - at, station.interval)
                }
                _ => pass_summary(report, station),
            },
            (None, None, None) => {
                (Health::Unknown, "It has not been looked at yet: the first pass is under way".to_owned())
            }
            (None, None, Some(_)) if !station.leader => {
                let text = "Another agent looks after it; this one stands by, to take over when that one is gone";
                return Self { mood: Health::Idle, text: text.to_owned(), checked: None };
            }
            (None, None, Some(_)) => {
                (Health::Unknown, "It can be reached, and the first pass over it is under way".to_owned())
            }
        };
        Self { mood, text, checked: station.last_success }
    }
}

/// What nobody has looked at for long is not called well.
fn overdue_summary(report: &DatabaseReport, age: f64, interval: f64) -> (Health, String) {
    let text = format!(
        "How it is now is not known: no pass has been completed for {}, though one is due every {}; of its {} then",
        format_duration(age),
        format_duration(interval),
        count(report.sequences.len() as u64, "sequence")
    );
    let attention =
        attention(report).map_or_else(|| " none needed attention".to_owned(), |(text, _)| format!(": {text}"));
    (Health::Failing, text + &attention)
}

fn pass_summary(report: &DatabaseReport, station: &DatabaseState) -> (Health, String) {
    let stores = station.sweeps.stores.values();
    let stores = stores.filter(|store| store.error.is_some() || store.held.is_some()).count() as u64;
    let (mut mood, mut text) = match attention(report) {
        Some((text, _)) => (Health::Attention, text),
        None => healthy_summary(report),
    };
    let out = report.sequences.iter().filter(|sequence| sequence.is_only_running_out()).count() as u64;
    if out > 0 {
        mood = mood.max(Health::Attention);
        text += &format!("; {} out of values", if out == 1 { "1 runs".to_owned() } else { format!("{out} run") });
    }
    if stores > 0 {
        mood = mood.max(Health::Attention);
        let verb = if stores == 1 { "needs" } else { "need" };
        text += &format!("; {} {verb} attention", count(stores, "session store"));
    }
    (mood, text)
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
        // Nobody would wait for a repair that is not coming.
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
        (0, 0) => (Health::Healthy, "There is no sequence to look after".to_owned()),
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

/// Thousands apart, with a space that does not break a line.
pub fn thousands(number: impl ToString) -> String {
    let digits = number.to_string();
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("−", rest));
    let mut text = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

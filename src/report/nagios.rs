//! A report as one line for Nagios, Icinga and their like: the state, what needs attention, performance data.
//!
//! The form and the exit codes are those of the Monitoring Plugins Development Guidelines.

use super::escape::escape_control;
use super::{ExitCode, Level, Report, SequenceReport, Status};
use std::fmt::Write;

/// Sequences and stores that the line names.
const NAMED: usize = 5;

/// The state of the service, the worst last. As a number it is the plugin's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NagiosState {
    Ok,
    Warning,
    /// Something could not be looked at.
    Unknown,
    Critical,
}

impl NagiosState {
    /// As Nagios counts.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Critical => "CRITICAL",
        }
    }
}

/// The line and the state.
pub fn render(report: &Report) -> (String, NagiosState) {
    let mut found = findings(report);
    found.sort_by(|(a, _), (b, _)| b.cmp(a));
    let floor = match ExitCode::of(report) {
        ExitCode::Success => NagiosState::Ok,
        ExitCode::ProblemsRemain => NagiosState::Warning,
        ExitCode::Incomplete => NagiosState::Unknown,
    };
    let state = found.iter().map(|(state, _)| *state).fold(floor, NagiosState::max);
    let mut text = format!("{} sequences", report.summary.sequences);
    // Writing into a String cannot fail.
    let _ = match found.len() {
        0 if state == NagiosState::Ok => write!(text, ", none needs attention, {} repaired", report.summary.repaired),
        0 => write!(text, ", and the run did not succeed (pgmedic --once --dry-run says why)"),
        number => write!(text, ", {number} to look at: {}", join(&found)),
    };
    (line(state, &text) + " | " + &performance(report) + "\n", state)
}

/// The line of a run that made no report.
pub fn render_error(error: &str) -> (String, NagiosState) {
    (line(NagiosState::Unknown, error) + "\n", NagiosState::Unknown)
}

/// A bar would begin the performance data, and a line break the long output.
fn line(state: NagiosState, text: &str) -> String {
    format!("PGMEDIC {} - {}", state.word(), escape_control(text).replace('|', "¦"))
}

fn join(found: &[(NagiosState, String)]) -> String {
    let mut text = found.iter().take(NAMED).map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(", ");
    if found.len() > NAMED {
        let _ = write!(text, " and {} more", found.len() - NAMED);
    }
    text
}

/// What a person has to look at, with its state.
fn findings(report: &Report) -> Vec<(NagiosState, String)> {
    let mut found = Vec::new();
    for database in &report.databases {
        let name = &database.name;
        if let Some(nothing) = database.no_sequence.as_ref().filter(|_| database.looked_at_nothing()) {
            found.push((NagiosState::Unknown, format!("{name}: {}", nothing.text)));
        }
        if let Some(error) = &database.error {
            found.push((NagiosState::Unknown, format!("{name} could not be checked: {}", error.text)));
        }
        for sequence in database.sequences.iter().filter(|sequence| sequence.needs_a_look()) {
            if let Some(state) = state(sequence) {
                found.push((state, format!("{name} {} {}", sequence.name, Status::of(sequence).word())));
            }
        }
        for store in &database.sessions {
            match (&store.error, &store.held) {
                (Some(_), _) => found.push((NagiosState::Critical, format!("{name} {} sweep failed", store.name))),
                (None, Some(_)) => found.push((NagiosState::Warning, format!("{name} {} sweep held", store.name))),
                (None, None) => {}
            }
        }
    }
    found
}

/// The state of a sequence that needs a look; none where a rule says never to alert.
fn state(sequence: &SequenceReport) -> Option<NagiosState> {
    Some(match Level::of(sequence) {
        Level::Healthy => return None,
        _ if sequence.nearly_used_up => NagiosState::Critical,
        Level::Failing => NagiosState::Critical,
        Level::Unknown => NagiosState::Unknown,
        Level::Soon | Level::Decision => NagiosState::Warning,
    })
}

/// `label=value[UOM];warn;crit;min;max`, separated by spaces.
fn performance(report: &Report) -> String {
    let sequences = || report.databases.iter().flat_map(|database| &database.sequences);
    let unreached = report.databases.iter().filter(|database| database.error.is_some()).count();
    let lag = sequences().filter(|sequence| sequence.needs_attention()).filter_map(|sequence| sequence.lag).max();
    let used = sequences().filter_map(|sequence| sequence.used_after_pass()).reduce(f64::max).unwrap_or(0.0);
    let summary = &report.summary;
    let seconds: f64 = report.databases.iter().map(|database| database.duration_seconds).fold(0.0, f64::max);
    format!(
        "sequences={};;;0 behind={};;;0 repaired={};;;0 held={};;;0 exhausted={};;;0 unreadable={};;;0 \
         unreached={unreached};;;0 lag_max={};;;0 used_max={:.1}%;;;0;100 sessions_ended={};;;0 time={seconds:.3}s;;;0",
        summary.sequences,
        summary.behind,
        summary.repaired,
        summary.held,
        summary.exhausted,
        summary.unreadable,
        lag.unwrap_or(0),
        used * 100.0,
        summary.sessions_expired,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::DatabaseReport;
    use pgmedic_core::{Reason, ReasonKind};

    #[test]
    fn what_could_not_be_checked_is_unknown_and_its_text_stays_on_one_line() {
        let error = Some(Reason::new(ReasonKind::Unreachable, "refused | by\npeer"));
        let database = DatabaseReport { name: "app".into(), error, ..DatabaseReport::default() };
        let (text, state) = render(&Report::new(false, vec![database]));
        assert_eq!((state, state.exit_code()), (NagiosState::Unknown, 3));
        assert!(
            text.starts_with("PGMEDIC UNKNOWN - 0 sequences, 1 to look at: app could not be checked: refused ¦ by")
        );
        assert_eq!((text.matches('|').count(), text.lines().count()), (1, 1), "{text}");
    }

    #[test]
    fn critical_outweighs_unknown_and_unknown_a_warning() {
        assert!(NagiosState::Critical > NagiosState::Unknown && NagiosState::Unknown > NagiosState::Warning);
        assert_eq!(render_error("pgmedic.toml:1: found x").0, "PGMEDIC UNKNOWN - pgmedic.toml:1: found x\n");
    }
}

//! The report as text for people: the verdict first, then what stands against it.

use super::report::{CarryOutcome, CarryReport, CutoverReport, SideReport, SubscriptionReport, Verdict};
use crate::report::{TableOptions, escape_control};
use crate::terminal::{ERROR, paint};
use comfy_table::{CellAlignment, Table, presets};
use pgmedic_core::Reason;
use std::fmt::Write;

/// The whole report.
pub fn render(report: &CutoverReport, options: TableOptions) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{}", headline(report, options));
    let _ = writeln!(text, "  OLD  {}, only read", side(&report.from));
    let _ = writeln!(text, "  NEW  {}", side(&report.to));
    for subscription in &report.subscriptions {
        let _ = writeln!(text, "  subscription {}", of_subscription(subscription));
    }
    if let Some(watch) = &report.watch {
        let _ = writeln!(
            text,
            "  watched: {} looks, {} moves, {} looks below half of the headroom",
            watch.looks, watch.moves, watch.below_half
        );
    }
    let mut rows: Vec<&CarryReport> = report
        .sequences
        .iter()
        .filter(|row| options.verbose || row.outcome != CarryOutcome::Ahead || !row.reasons.is_empty())
        .collect();
    rows.sort_by(|a, b| a.outcome.cmp(&b.outcome).then_with(|| a.name.cmp(&b.name)));
    if !rows.is_empty() {
        let _ = writeln!(text, "\n{}", table(&rows).trim_fmt());
    }
    let of_sequences = rows.iter().flat_map(|row| {
        let name = escape_control(&row.name);
        row.reasons.iter().map(move |reason| format!("  {name}: {}", sentence(reason)))
    });
    let lines: Vec<String> =
        report.reasons.iter().map(|reason| format!("  {}", sentence(reason))).chain(of_sequences).collect();
    if !lines.is_empty() {
        let _ = writeln!(text, "\n{}", lines.join("\n"));
    }
    let notes = report.sequences.iter().flat_map(|row| {
        let name = escape_control(&row.name);
        row.notes.iter().map(move |note| format!("  note: {name}: {}", sentence(note)))
    });
    let notes: Vec<String> =
        report.notes.iter().map(|note| format!("  note: {}", sentence(note))).chain(notes).collect();
    if !notes.is_empty() {
        let _ = writeln!(text, "\n{}", notes.join("\n"));
    }
    text
}

/// `ready: 4 sequences, 4 carried, headroom 1000, in 112 ms`
fn headline(report: &CutoverReport, options: TableOptions) -> String {
    let summary = report.summary;
    let mut line = match report.verdict {
        Verdict::Ready => report.verdict.word().to_owned(),
        verdict => paint(verdict.word(), ERROR, options.color),
    };
    let plural = if summary.sequences == 1 { "" } else { "s" };
    let _ = write!(line, ": {} sequence{plural}", summary.sequences);
    let counts = [
        (summary.failed, "failed"),
        (summary.held, "held"),
        (summary.unreadable, "unreadable"),
        (summary.missing, "missing"),
        (summary.carried, "carried"),
        (summary.ahead, "ahead"),
    ];
    for (count, word) in counts.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(line, ", {count} {word}");
    }
    let _ = write!(line, ", headroom {}, in {:.0} ms", report.headroom, report.duration_seconds * 1000.0);
    line
}

fn side(side: &SideReport) -> String {
    let name = escape_control(&side.database);
    match &side.server_version {
        Some(version) => format!("{name} on PostgreSQL {}", escape_control(version)),
        None => format!("{name}: not reached"),
    }
}

fn of_subscription(subscription: &SubscriptionReport) -> String {
    let name = escape_control(&subscription.name);
    let state = match (subscription.enabled, subscription.working) {
        (false, _) => "disabled",
        (true, Some(false)) => "does not receive",
        (true, Some(true)) => "receives",
        (true, None) => "enabled",
    };
    let lag = subscription.lag_bytes.map_or(String::new(), |bytes| format!(", {bytes} bytes not confirmed"));
    let unready = match subscription.unready_tables {
        0 => ", every table copied".to_owned(),
        number => format!(", {number} tables not copied yet"),
    };
    format!("{name}: {state}{unready}{lag}")
}

fn table(rows: &[&CarryReport]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.force_no_tty();
    table.set_header(["status", "sequence", "next in OLD", "next before", "next in NEW", "max id", "headroom"]);
    for column in 2..7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for row in rows {
        let numbers = [row.old_next_value, row.next_value_before, row.next_value, row.max_id, row.headroom];
        let numbers = numbers.map(|number| number.map_or_else(String::new, |number| number.to_string()));
        let words = [row.outcome.word().to_owned(), escape_control(&row.name).into_owned()];
        table.add_row(words.into_iter().chain(numbers));
    }
    table
}

fn sentence(reason: &Reason) -> String {
    escape_control(&reason.to_string()).into_owned()
}

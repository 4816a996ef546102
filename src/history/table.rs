//! The log as text for people.

use super::report::{DatabaseHistory, HistoryEntry, HistoryReport};
use crate::report::{Evidence, escape_control};
use crate::terminal::{ERROR, paint};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The whole report. `limit` is how many entries of a database are shown at most.
pub fn render(report: &HistoryReport, limit: u32, color: bool) -> String {
    let mut text = String::new();
    for database in &report.databases {
        render_database(&mut text, database, limit, color);
    }
    text
}

fn render_database(text: &mut String, database: &DatabaseHistory, limit: u32, color: bool) {
    let name = escape_control(&database.name);
    // Writing into a String cannot fail.
    if let Some(error) = &database.error {
        let error = format!("could not be read: {}", escape_control(&error.to_string()));
        let _ = writeln!(text, "{name}\n  {}\n", paint(&error, ERROR, color));
        return;
    }
    let number = match database.entries.len() {
        0 => "nothing is recorded".to_owned(),
        1 => "1 entry".to_owned(),
        number => format!("{number} entries, the newest first"),
    };
    let _ = writeln!(text, "{name}: {number}");
    let rows: Vec<[String; 6]> = database.entries.iter().map(cells).collect();
    let widths: [usize; 6] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0));
    for (entry, row) in database.entries.iter().zip(&rows) {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())));
        let _ = writeln!(text, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
        let who = entry.evidence.as_ref().and_then(Evidence::of_json).and_then(|evidence| evidence.text());
        if let Some(who) = who {
            let _ = writeln!(text, "    {}", escape_control(&who));
        }
    }
    if database.more {
        let _ = writeln!(text, "  There are older ones: --limit {} shows more.", limit.saturating_mul(4).min(10_000));
    }
    text.push('\n');
}

/// `2026-11-29 15:20:31 UTC  public.a_id_seq  repaired  658 to 696  agent, role pgmedic  rewound`
fn cells(entry: &HistoryEntry) -> [String; 6] {
    let at =
        entry.at.get(..19).map_or_else(|| entry.at.clone(), |seconds| format!("{} UTC", seconds.replace('T', " ")));
    let moved = match (entry.from_value, entry.to_value) {
        (Some(from), Some(to)) if from == to => format!("at {from}"),
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (Some(from), None) => format!("at {from}"),
        (None, Some(to)) => format!("to {to}"),
        (None, None) => String::new(),
    };
    let cause = entry.cause.as_ref().map_or_else(String::new, |cause| format!("cause: {cause}"));
    let cells = [
        at,
        entry.sequence.clone(),
        entry.outcome.clone(),
        moved,
        format!("{}, role {}", entry.source, entry.role),
        cause,
    ];
    cells.map(|cell| escape_control(&cell).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_a_hostile_role_wrote_cannot_control_the_terminal() {
        let entry = HistoryEntry {
            at: "2026-11-29T15:20:31.123Z".to_owned(),
            sequence: "public.\u{1b}[2J".to_owned(),
            source: "agent".to_owned(),
            role: "pgmedic".to_owned(),
            outcome: "repaired\nforged".to_owned(),
            from_value: Some(658),
            to_value: Some(696),
            charged: None,
            early: None,
            cause: Some("rewound".to_owned()),
            evidence: Some(serde_json::json!({ "statements": "forged" })),
        };
        let database = DatabaseHistory { name: "app".into(), error: None, entries: vec![entry], more: true };
        let text = render(&HistoryReport::new(vec![database]), 50, false);
        assert_eq!(
            text,
            "app: 1 entry\n  2026-11-29 15:20:31 UTC  public.\\u{1b}[2J  repaired\\nforged  658 to 696  agent, role pgmedic  \
             cause: rewound\n  There are older ones: --limit 200 shows more.\n\n"
        );
    }
}

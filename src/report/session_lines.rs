//! Session stores in the table form: a line each, and below it why it was held or failed.

use super::SessionReport;
use super::escape::escape_control;
use std::fmt::Write;

/// `  logins (public.user_sessions): 12 expired, 3 superseded, 40 live left`
pub fn summary_line(store: &SessionReport) -> String {
    let mut line = format!("{} ({}): ", escape_control(&store.name), escape_control(&store.table));
    let word = match (&store.error, &store.held) {
        (Some(_), _) => "failed, ",
        (None, Some(_)) => "held, ",
        (None, None) => "",
    };
    // Writing into a String cannot fail.
    if let Some(would_end) = store.would_end {
        let _ = write!(line, "{word}would end {would_end}");
        if let Some(all) = store.remaining {
            let _ = write!(line, " of {all}");
        }
        add_taken_along(&mut line, store);
        return line;
    }
    let _ = write!(line, "{word}{} expired", store.expired);
    if store.superseded > 0 {
        let _ = write!(line, ", {} superseded", store.superseded);
    }
    match (store.live, store.stale) {
        (Some(live), Some(0)) => {
            let _ = write!(line, ", {live} live left");
        }
        (Some(live), Some(stale)) => {
            let _ = write!(line, ", {live} live and {stale} stale left");
        }
        _ => line.push_str(", the rest not counted"),
    }
    add_taken_along(&mut line, store);
    line
}

/// `; what belongs to them in public.devices is deleted too`
fn add_taken_along(line: &mut String, store: &SessionReport) {
    if !store.takes_along.is_empty() {
        let tables: Vec<_> = store.takes_along.iter().map(|table| escape_control(table)).collect();
        let _ = write!(line, "; what belongs to them in {} is deleted too", tables.join(", "));
    }
}

/// The reasons with their fixes: of the failure, of the hold, of the warnings.
pub fn reasons(store: &SessionReport) -> Vec<String> {
    let reasons = store.attention().chain(&store.warnings);
    reasons.map(|reason| format!("{}: {}", escape_control(&store.name), escape_control(&reason.to_string()))).collect()
}

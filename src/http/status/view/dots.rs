//! The map of databases: one shape for each, in the order of their names.

use crate::http::status::model::facts::DatabaseFacts;
use crate::http::status::page_level::PageLevel;
use crate::http::status::words::count;
use maud::{Markup, html};

/// Pixels from one dot to the next.
const PITCH: usize = 9;

const LEVELS: [PageLevel; 7] = [
    PageLevel::Failing,
    PageLevel::Unknown,
    PageLevel::Soon,
    PageLevel::Decision,
    PageLevel::Starting,
    PageLevel::Healthy,
    PageLevel::Standby,
];

/// So many dots in a line. All healthy ones are one path.
pub fn map(databases: &[&DatabaseFacts<'_>], line: usize) -> Markup {
    let columns = databases.len().min(line);
    let (width, height) = (columns * PITCH, databases.len().div_ceil(line) * PITCH);
    let paths = LEVELS.map(|level| {
        let dots = databases.iter().enumerate().filter(|(_, database)| database.level == level);
        (level, dots.map(|(index, _)| shape(level, index % line * PITCH, index / line * PITCH)).collect::<String>())
    });
    let numbers = LEVELS.map(|level| (level, databases.iter().filter(|database| database.level == level).count()));
    let said: Vec<String> = numbers
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(level, number)| format!("{number} {}", level.word().to_lowercase()))
        .collect();
    let said = format!("{}: {}", count(databases.len() as u64, "database"), said.join(", "));
    html! {
        svg .map width=(width) height=(height) viewBox={ "-1 -1 " (width + 1) " " (height + 1) } role="img" aria-label=(said) {
            @for (level, outline) in &paths { @if !outline.is_empty() { path class=(level.icon()) d=(outline) {} } }
        }
    }
}

/// On seven pixels: squares for what is quiet, and the levels' shapes.
fn shape(level: PageLevel, x: usize, y: usize) -> String {
    match level {
        PageLevel::Failing => format!("M{} {y}h4l2 2v4l-2 2h-4l-2-2v-4z", x + 2),
        PageLevel::Unknown => format!("M{} {y}l4 4-4 4-4-4z", x + 4),
        PageLevel::Soon => format!("M{} {y}l4 8h-8z", x + 4),
        PageLevel::Decision => format!("M{x} {y}h8v8h-8zM{} {}v4h1v-4zM{} {}v4h1v-4z", x + 2, y + 2, x + 5, y + 2),
        PageLevel::Starting | PageLevel::Standby => format!("M{} {}h3v3h-3z", x + 2, y + 2),
        PageLevel::Healthy => format!("M{} {}h6v6h-6z", x + 1, y + 1),
    }
}

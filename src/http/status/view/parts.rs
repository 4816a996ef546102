//! Small parts: numbers, names, badges, points in time.

use super::icons::icon;
use crate::http::status::line::{Line, Piece};
use crate::http::status::page_level::PageLevel;
use crate::http::status::time::{clock, exact, roughly};
use crate::http::status::words::split_schema;
use crate::report::escape_control;
use maud::{Markup, html};
use sha2::{Digest, Sha256};

/// Digits in groups of three. The space between two groups is no text, so that a copied number can be pasted.
pub fn number(number: impl ToString) -> Markup {
    digits(&number.to_string())
}

fn digits(text: &str) -> Markup {
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let first = start + (text.len() - start - 1) % 3 + 1;
    let (head, rest) = text.split_at(first.min(text.len()));
    let groups: Vec<&str> = (0..rest.len()).step_by(3).filter_map(|place| rest.get(place..place + 3)).collect();
    html! {
        @if groups.is_empty() { (text) } @else { span .n { (head) @for group in groups { span { (group) } } } }
    }
}

/// A number, with a quiet zero, or `?` where it is not known.
pub fn counted(value: Option<u64>) -> Markup {
    html! {
        @match value {
            Some(0) => { span .zero { "0" } }
            Some(value) => { (number(value)) }
            None => { span .quiet { "?" } }
        }
    }
}

/// A sentence, whose large numbers are in groups. Digits that are a part of a name stay as they are.
pub fn prose(text: &str) -> Markup {
    let mut rest = text;
    let mut parts: Vec<(bool, &str)> = Vec::new();
    while let Some((before, found)) = next_number(rest) {
        parts.push((false, &rest[..before]));
        parts.push((true, &rest[before..before + found]));
        rest = &rest[before + found..];
    }
    parts.push((false, rest));
    html! { @for (is_number, part) in parts { @if is_number { (digits(part)) } @else { (part) } } }
}

/// Where the next number of at least four digits begins, and how long it is.
fn next_number(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
    let mut place = 0;
    while place < bytes.len() {
        if !is_digit(place) {
            place += 1;
            continue;
        }
        let length = (place..bytes.len()).take_while(|at| is_digit(*at)).count();
        let before = place.checked_sub(1).and_then(|before| bytes.get(before));
        let after = (bytes.get(place + length), bytes.get(place + length + 1));
        let begins = before.is_none_or(|c| matches!(c, b' ' | b'-' | b'\n'));
        let ends = match after {
            (None, _) | (Some(b'.' | b','), None) => true,
            (Some(b'.' | b','), Some(next)) => *next == b' ',
            (Some(next), _) => matches!(next, b' ' | b';' | b':' | b')'),
        };
        if length >= 4 && begins && ends {
            return Some((place, length));
        }
        place += length;
    }
    None
}

/// The name of a relation: a quiet schema, and breaks only after its parts.
pub fn name(name: &str) -> Markup {
    let shown = escape_control(name);
    let (schema, rest) = split_schema(&shown);
    html! { bdi .name { @if !schema.is_empty() { span .schema { (schema) } wbr; } (breakable(rest)) } }
}

/// Breaks after periods, underscores and slashes.
pub fn breakable(text: &str) -> Markup {
    const AFTER: [char; 3] = ['.', '_', '/'];
    html! { @for part in text.split_inclusive(AFTER) { (part) @if part.ends_with(AFTER) { wbr; } } }
}

/// Any other name, such as a database's.
pub fn label(text: &str) -> Markup {
    html! { bdi { (breakable(&escape_control(text))) } }
}

/// Icon and word.
pub fn badge(level: PageLevel) -> Markup {
    let is_quiet = matches!(level, PageLevel::Healthy | PageLevel::Standby | PageLevel::Starting);
    styled_badge(level.class(), level.icon(), level.word(), is_quiet)
}

pub fn styled_badge(class: &str, icon_name: &str, word: &str, is_quiet: bool) -> Markup {
    html! {
        span class={ "badge " (class) @if is_quiet { " plain" } } { (icon(icon_name)) span .word { (word) } }
    }
}

/// `12 s ago`, which the script keeps current.
pub fn ago(at: f64, now: f64) -> Markup {
    html! { time datetime=(exact(at)) data-ago { (roughly(now - at)) " ago" } }
}

/// `14:03:59`.
pub fn clock_time(at: f64) -> Markup {
    html! { time datetime=(exact(at)) { (clock(at)) } }
}

/// An id that is the same for the same key, so that an element stays where it is, and stays open. A key may hold any
/// character.
pub fn stable_id(kind: &str, key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let start: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}-{start}")
}

pub fn line(line: &Line, now: f64) -> Markup {
    html! {
        @for piece in line.pieces() {
            @match piece {
                Piece::Text(text) => { (prose(text)) }
                Piece::Strong(text) => { b { bdi { (text) } } }
                Piece::Name(text) => { (name(text)) }
                Piece::Ago(at) => { (ago(*at, now)) }
            }
        }
    }
}

#[cfg(test)]
#[path = "parts_tests.rs"]
mod tests;

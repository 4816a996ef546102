//! Numbers, names and durations as words.

use crate::report::escape_control;
use std::borrow::Cow;

/// `1 sequence`, `2 sequences`.
pub fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// `a`, `a and b`, `a, b, and c`.
pub fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    }
}

/// A large number in two digits and a word, as in `1.2 million`.
pub fn approximate(number: u64) -> String {
    const STEPS: [(u64, &str); 3] =
        [(1_000_000_000_000, "trillion"), (1_000_000_000, "billion"), (1_000_000, "million")];
    let Some((unit, word)) = STEPS.into_iter().find(|(unit, _)| number >= *unit) else { return number.to_string() };
    let value = number as f64 / unit as f64;
    if value < 9.95 { format!("{value:.1} {word}") } else { format!("{value:.0} {word}") }
}

/// A used ratio: `<1%`, `64.8%`, `100%`.
pub fn percent(ratio: f64) -> String {
    match ratio * 100.0 {
        percent if percent <= 0.0 => "0%".to_owned(),
        percent if percent < 1.0 => "<1%".to_owned(),
        percent if percent >= 100.0 => "100%".to_owned(),
        // Rounded down, so that 100% means that nothing is left.
        percent => format!("{}%", (percent * 10.0).floor() / 10.0),
    }
}

/// How long something lasts, in days: `none`, `6 days`, `4.1 years`, `100+ years`.
pub fn days(days: f64) -> String {
    match days {
        days if days < 1.0 => "under 1 day".to_owned(),
        days if days < 2.0 => "1 day".to_owned(),
        days if days < 730.0 => format!("{} days", days.floor()),
        days if days < 3650.0 => format!("{} years", (days / 36.525).floor() / 10.0),
        days if days < 36_525.0 => format!("{:.0} years", (days / 365.25).floor()),
        _ => "100+ years".to_owned(),
    }
}

/// A reason as a sentence: with a capital, unless it begins with a name, and a period.
pub fn sentence(text: &str) -> String {
    let text = escape_control(text.trim().trim_end_matches('.'));
    let first = text.split(' ').next().unwrap_or_default();
    let is_word = first.trim_end_matches([':', ',']).chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let mut sentence = match text.chars().next() {
        Some(letter) if is_word && first != "pgmedic" => {
            letter.to_uppercase().collect::<String>() + &text[letter.len_utf8()..]
        }
        _ => text.into_owned(),
    };
    if !sentence.ends_with(['?', '!']) {
        sentence.push('.');
    }
    sentence
}

/// The parts of a name between periods; a quoted part may contain a period.
fn parts(name: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (place, c) in name.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => {
                parts.push(&name[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&name[start..]);
    parts
}

/// `public.orders` of `public.orders.id`.
pub fn table_of(column: &str) -> &str {
    match parts(column).as_slice() {
        [_, .., last] => &column[..column.len() - last.len() - 1],
        _ => column,
    }
}

/// The schema with its period, and the rest: `public.` and `orders.id`.
pub fn split_schema(name: &str) -> (&str, &str) {
    match parts(name).as_slice() {
        [schema, _, ..] => name.split_at(schema.len() + 1),
        _ => ("", name),
    }
}

/// Whether `text`, as the page shows it, contains `word`, which is in lower case.
pub fn contains_word(text: &str, word: &str) -> bool {
    // Most names take this path, which allocates nothing.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        let (text, word) = (text.as_bytes(), word.as_bytes());
        return text.windows(word.len().max(1)).any(|window| window.eq_ignore_ascii_case(word)) || word.is_empty();
    }
    let shown: Cow<'_, str> = escape_control(text);
    shown.to_lowercase().contains(word)
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;

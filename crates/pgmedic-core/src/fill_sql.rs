//! Fills the places of SQL that stands in a `.sql` file.

/// Replaces each `@NAME@` of `template` by the value of that name, and leaves out the lines that are comments.
///
/// The values themselves are not searched for places: a table may be called `@NAME@`. Each must be SQL that is safe to
/// insert: an expression, a quoted constant, or a name that the server quoted. A place without a value is a defect, and
/// fails where debug assertions are on.
pub fn fill_sql<V: AsRef<str>>(template: &str, values: &[(&str, V)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    for line in template.lines().filter(|line| !line.trim_start().starts_with("--")) {
        let mut rest = line;
        while let Some((before, place, after)) = next_place(rest) {
            filled.push_str(before);
            match values.iter().find(|(name, _)| *name == place) {
                Some((_, value)) => filled.push_str(value.as_ref()),
                None => debug_assert!(false, "no value for @{place}@"),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled.push('\n');
    }
    filled.truncate(filled.trim_end().len());
    filled
}

/// The text before the first place, its name, and the text after it.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find('@')?;
        let name = text[start + 1..].split(|c: char| !c.is_ascii_uppercase() && c != '_').next().unwrap_or_default();
        let end = start + 1 + name.len();
        if !name.is_empty() && text[end..].starts_with('@') {
            return Some((&text[..start], name, &text[end + 1..]));
        }
        from = start + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::fill_sql;

    #[test]
    fn each_place_is_filled_and_no_value_is_searched_for_places() {
        let template =
            "-- comment\nSELECT @COLUMN@, '{1}' <@ '{1,2}' -- end\n  -- @COLUMN@\nFROM @TABLE@ AS @TABLE@\n\n";
        let filled = fill_sql(template, &[("COLUMN", "\"@TABLE@\n--\""), ("TABLE", "t")]);
        assert_eq!(filled, "SELECT \"@TABLE@\n--\", '{1}' <@ '{1,2}' -- end\nFROM t AS t");
    }

    #[test]
    #[should_panic(expected = "no value for @TABLE@")]
    fn a_place_without_a_value_is_a_defect() {
        fill_sql("SELECT FROM @TABLE@", &[("COLUMN", "c")]);
    }
}

//! Which columns a trigger's function fills from which sequences, by its text. Pure.

/// A call of `nextval` with a constant name, and the column of `NEW` that gets its value, where the statement says so.
#[derive(Debug, PartialEq, Eq)]
pub struct Draw {
    /// As written in the constant.
    pub sequence: String,
    pub column: Option<String>,
}

/// Every call of `nextval` with a constant name in the body of a function.
pub fn draws(body: &str) -> Vec<Draw> {
    let lower = body.to_ascii_lowercase();
    lower
        .match_indices("nextval")
        .filter_map(|(at, word)| {
            let argument = body[at + word.len()..].trim_start().strip_prefix('(')?.trim_start().strip_prefix('\'')?;
            let (sequence, after) = argument.split_once('\'')?;
            // The statement around the call.
            let before = lower[..at].rsplit(';').next().unwrap_or_default();
            let after = after.split(';').next().unwrap_or_default().to_ascii_lowercase();
            let column = assigned(before).or_else(|| selected_into(&after)).or_else(|| selected_into(before));
            Some(Draw { sequence: sequence.to_owned(), column })
        })
        .collect()
}

/// The column of `NEW.column :=` or `NEW.column =`, the last one before the call.
fn assigned(before: &str) -> Option<String> {
    let (_, target) = before.rsplit_once("new.")?;
    let (column, rest) = identifier(target)?;
    let rest = rest.trim_start();
    (rest.starts_with(":=") || rest.starts_with('=')).then_some(column)
}

/// The column of `INTO NEW.column`.
fn selected_into(text: &str) -> Option<String> {
    let (_, target) = text.split_once("into ")?;
    let target = target.trim_start();
    let target = target.strip_prefix("strict ").unwrap_or(target).trim_start();
    Some(identifier(target.strip_prefix("new.")?)?.0)
}

fn identifier(text: &str) -> Option<(String, &str)> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(sequence: &str, column: Option<&str>) -> Vec<Draw> {
        vec![Draw { sequence: sequence.to_owned(), column: column.map(str::to_owned) }]
    }

    #[test]
    fn the_ways_of_migrated_triggers_are_read() {
        let assigned = "BEGIN IF NEW.id IS NULL THEN NEW.id := nextval('foo_seq'); END IF; RETURN NEW; END";
        assert_eq!(draws(assigned), draw("foo_seq", Some("id")));
        assert_eq!(draws("BEGIN SELECT nextval('a.foo_seq') INTO STRICT NEW.no; END"), draw("a.foo_seq", Some("no")));
        assert_eq!(
            draws("BEGIN SELECT NEXTVAL( 'FOO' ::regclass) into new.ID FROM dual; END"),
            draw("FOO", Some("id"))
        );
        assert_eq!(draws("BEGIN NEW.id = NEXTVAL('s'); END"), draw("s", Some("id")));
        assert_eq!(draws("BEGIN NEW.id = coalesce(NEW.id, nextval('s')); END"), draw("s", None));
        assert_eq!(draws("BEGIN v := nextval('s'); NEW.id := v; END"), draw("s", None));
        assert_eq!(draws("BEGIN NEW.id := nextval(TG_ARGV[0]); END"), []);
    }
}

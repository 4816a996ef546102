//! The password file (PostgreSQL manual, The Password File).

use std::fs;
use std::path::Path;

/// The password of the first line of the file that fits; none where there is no such file or line.
pub fn password(path: &Path, host: &str, port: u16, database: &str, user: &str) -> Option<String> {
    let text = fs::read(path).ok()?;
    let port = port.to_string();
    let wanted = [host, port.as_str(), database, user];
    // A line that is not UTF-8 is none that fits, and hides no other one.
    let lines = text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    lines.map(|line| line.trim_end_matches('\r')).find_map(|line| matching(line, &wanted))
}

fn matching(line: &str, wanted: &[&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let fields = fields(line);
    let [given @ .., password] = fields.as_slice() else { return None };
    let fits =
        given.len() == wanted.len() && given.iter().zip(wanted).all(|(given, wanted)| given == "*" || given == wanted);
    fits.then(|| password.clone())
}

/// Separated by colons; a backslash takes its meaning from the next character.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match (c, fields.len()) {
            (':', 1..=4) => fields.push(String::new()),
            ('\\', _) => push(&mut fields, rest.next()),
            (c, _) => push(&mut fields, Some(c)),
        }
    }
    fields
}

fn push(fields: &mut [String], c: Option<char>) {
    if let (Some(field), Some(c)) = (fields.last_mut(), c) {
        field.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::{matching, password};

    #[test]
    fn the_line_that_fits_gives_the_password_with_its_colons_and_backslashes() {
        let wanted = ["h", "5432", "d", "u"];
        assert_eq!(matching("h:5432:d:u:p:w", &wanted).as_deref(), Some("p:w"));
        assert_eq!(matching(r"*:*:*:u:a\\b\:c", &wanted).as_deref(), Some(r"a\b:c"));
        assert_eq!(matching("h:5433:d:u:p", &wanted), None);
        assert_eq!(matching("#h:5432:d:u:p", &wanted), None);
    }

    #[test]
    fn a_line_that_is_not_utf8_hides_no_other_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        std::fs::write(&path, b"# gr\xfc\xdfe\r\nh:5432:d:u:secret\r\n").unwrap();
        assert_eq!(password(&path, "h", 5432, "d", "u").as_deref(), Some("secret"));
    }
}

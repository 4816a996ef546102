//! Random names that PostgreSQL allows and that are easily misread: as SQL, as patterns, as terminal controls.

use super::dice::Dice;

/// The parts of the names: SQL, quotes, patterns, placeholders, other alphabets, terminal controls, and the stored form
/// of a default.
const PARTS: [&str; 50] = [
    "a\"b",
    "\"",
    "\"\"\".\"\"\"",
    "a.b",
    ".",
    "'",
    "''",
    "'; DROP TABLE told; --",
    "\"; DROP TABLE told; --",
    "); SELECT tell(); --",
    "\\",
    "\\'",
    "E'\\''",
    "$$",
    "$x$",
    "$1",
    ":name",
    ":'name'",
    "%s",
    "%I",
    "@NAMES@",
    "@RELATIONS@",
    "{}",
    "{0}",
    "*",
    "?*",
    "[a-z]",
    "/*",
    "*/",
    "--",
    "select",
    "USER",
    "NULL",
    "pg_catalog",
    "pg_temp",
    "nextval('x'::regclass)",
    "{FUNCEXPR :funcid 1574 :args ({CONST ",
    " ",
    "\t",
    "\n",
    "\r\nDROP TABLE told;",
    "\u{1}",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "ÄÖ",
    "日本語",
    "😀",
];

/// PostgreSQL truncates names to this many bytes.
const LONGEST: usize = 63;

/// A random name that is unique for its `number`.
pub fn any(dice: &mut Dice, number: usize) -> String {
    let unique = format!("{number:x}");
    let mut name = String::new();
    for _ in 0..=dice.below(4) {
        name += dice.pick::<&str>(&PARTS);
    }
    if dice.one_in(6) {
        name += &"x".repeat(LONGEST);
    }
    while name.len() + unique.len() + 1 > LONGEST {
        name.pop();
    }
    // PostgreSQL reserves names with this prefix.
    if dice.one_in(2) || name.starts_with("pg_") { format!("{unique}_{name}") } else { format!("{name}_{unique}") }
}

pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text constant in SQL.
pub fn constant(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

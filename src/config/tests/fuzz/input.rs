//! Random input: nearly valid configurations, and arbitrary text and bytes.

use std::ops::Range;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::super::super::key::{Key, KeyType};
use super::super::super::schema::{ROOT, join};

/// The password of every URL here.
pub const CANARY: &str = "hunter2";

pub const SECRET: &str = "postgres://u:hunter2@h/d";

/// Any text, of characters that mean something somewhere more often than of others.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_.*?\"', $-]{0,20}",
        "\\PC{0,20}",
        vec(any::<char>(), 0..20).prop_map(String::from_iter),
        "[0-9*/,#LW?+A-Z-]{1,4}( [0-9*/,#LW?+A-Z-]{1,4}){3,6}",
        "([^ ]{1,30} ){4}[^ ]{1,30}",
        "[a-z]{60,200}",
        Just(SECRET.to_owned()),
    ]
}

/// Half of them UTF-8.
pub fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..100),
        vec(any::<char>(), 0..50).prop_map(|text| String::from_iter(text).into_bytes())
    ]
}

/// Pieces that mean something in TOML or here, in any order.
pub fn soup() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "\\",
        "\\u",
        "#",
        "\n",
        "\r",
        " ",
        "\0",
        "\u{1b}",
        "\u{feff}",
        "\u{202e}",
        "1",
        "-",
        "1e999",
        "0x",
        "nan",
        "true",
        "1979-05-27",
        "databases",
        "url",
        "url_file",
        "name",
        "sequences",
        "feeds",
        "include",
        "headroom",
        "sessions",
        "revoke",
        "schedule",
        "http",
        "log",
        "level",
        "password",
        "postgres://u:hunter2@h/d",
        "\"postgres://u:hunter2@h/d\"",
    ]);
    vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// A table of the file.
#[derive(Debug, Clone)]
struct Section {
    path: String,
    many: bool,
    keys: &'static [Key],
}

fn sections(keys: &'static [Key], above: &str) -> Vec<Section> {
    let tables = keys.iter().filter_map(|key| match key.value {
        KeyType::Table(keys) => Some((key.name, false, keys)),
        KeyType::Tables(keys) => Some((key.name, true, keys)),
        _ => None,
    });
    tables
        .flat_map(|(name, many, keys)| {
            let path = join(above, name);
            // Within a list, tables are written in line.
            let below = if many { Vec::new() } else { sections(keys, &path) };
            [vec![Section { path, many, keys }], below].concat()
        })
        .collect()
}

impl Section {
    /// Its header and what it cannot do without, unless `written` has it; then what is `written`.
    fn toml(&self, number: usize, written: &[(&str, String)]) -> String {
        let needed = match self.path.as_str() {
            "databases" => vec![("name", format!("'app{number}'")), ("url", format!("'{SECRET}'"))],
            "sequences.feeds" => {
                vec![("sequence", "'public.s'".to_owned()), ("column", format!("'public.t{number}.id'"))]
            }
            "sessions" => vec![
                ("name", format!("'store{number}'")),
                ("table", "'public.sessions'".to_owned()),
                ("expires_at", "'ends'".to_owned()),
                ("encoding", "'timestamptz'".to_owned()),
            ],
            _ => Vec::new(),
        };
        let has = |name: &str| written.iter().any(|(other, _)| *other == name || name == "url" && *other == "url_file");
        let wanted = written.iter().filter(|(name, _)| *name != "url" || !has("url_file"));
        let lines = needed.iter().filter(|(name, _)| !has(name)).chain(wanted);
        let header = if self.many { format!("[[{}]]", self.path) } else { format!("[{}]", self.path) };
        let lines = lines.map(|(name, value)| format!("{name} = {value}\n"));
        format!("{header}\n{}", lines.collect::<String>())
    }

    /// Some of its keys, with values.
    fn written(&self, number: usize) -> impl Strategy<Value = String> + use<> {
        let section = self.clone();
        let keys: Vec<&Key> = self.keys.iter().filter(|key| key.name != "feeds").collect();
        let most = keys.len().min(4);
        subsequence(keys, 0..=most)
            .prop_flat_map(|keys| {
                keys.into_iter().map(|key| value(key).prop_map(|value| (key.name, value))).collect::<Vec<_>>()
            })
            .prop_map(move |written| section.toml(number, &written))
    }
}

/// So many of each list of tables, and perhaps one of each table.
pub fn file_of(many: Range<usize>) -> impl Strategy<Value = String> {
    let tables = sections(ROOT, "").into_iter().map(move |section| {
        let many = if section.many { many.clone() } else { 0..2 };
        many.prop_flat_map(move |number| (0..number).map(|number| section.written(number)).collect::<Vec<_>>())
            .prop_map(|tables| tables.concat())
    });
    tables.collect::<Vec<_>>().prop_map(|tables| tables.concat())
}

/// A file whose only peculiar value is one key's, and the path of its section in an error.
pub fn one_key() -> impl Strategy<Value = (String, String)> {
    let keys: Vec<(Section, &Key)> = sections(ROOT, "")
        .into_iter()
        .flat_map(|section| section.keys.iter().map(move |key| (section.clone(), key)))
        .filter(|(_, key)| key.name != "feeds")
        .collect();
    select(keys).prop_flat_map(|(section, key)| {
        odd().prop_map(move |value| {
            let path =
                if section.many { format!("{}[0].", section.path) } else { format!("{}.{}", section.path, key.name) };
            (path.trim_end_matches('.').to_owned(), section.toml(0, &[(key.name, value)]))
        })
    })
}

fn quoted(text: String) -> String {
    toml::Value::String(text).to_string()
}

/// A value of any type.
fn odd() -> impl Strategy<Value = String> {
    let fixed = ["1.5", "nan", "-inf", "1979-05-27", "[]", "{}", "[[[1]]]", "[{ a = 1 }]", "true", "\"\"", "-1", "0"];
    prop_oneof![
        4 => text().prop_map(quoted),
        1 => "[1-9][0-9]{0,30}(\\.[0-9]{1,30})?",
        1 => (1..5000_usize).prop_map(|digits| "7".repeat(digits)),
        2 => select(fixed.to_vec()).prop_map(str::to_owned),
    ]
}

/// Mostly as it should be.
fn value(key: &'static Key) -> impl Strategy<Value = String> {
    let from = |list: &'static [&'static str]| select(list).prop_map(|text| quoted(text.to_owned())).boxed();
    let fitting = match key.name {
        "url" => from(&[SECRET, "postgresql:///d?user=u&host=/run&password=hunter2"]),
        "url_file" => from(&["u"]),
        "schedule" => from(&["*/30 * * * * *", "@daily", " 0 0 3 * * MON ", "0 0 0 29 2 *"]),
        "listen" if matches!(key.value, KeyType::Text) => from(&["[::1]:0", "127.0.0.1:80"]),
        "level" => from(&["debug", "error"]),
        "format" => from(&["text", "json"]),
        "name" => "[a-zA-Z @:é\"'\\\\-]{1,20}".prop_map(quoted).boxed(),
        "sequence" | "table" => "\"[^\0\"]{1,15}\"\\.[a-z]{1,5}".prop_map(quoted).boxed(),
        "column" => "[a-z]{1,5}\\.T\\.\"[^\0\"]{1,15}\"".prop_map(quoted).boxed(),
        "encoding" => from(&["timestamptz", "epoch-seconds", "epoch-millis"]),
        "action" => from(&["delete"]),
        "preset" => from(&["django"]),
        "revoke" => {
            let value = prop_oneof![any::<i64>().prop_map(|number| number.to_string()), "\\PC{0,20}".prop_map(quoted)];
            let value = weighted(0.7, value).prop_map(|value| value.map(|value| format!(", value = {value}")));
            value.prop_map(|value| format!("{{ column = 'ended'{} }}", value.unwrap_or_default())).boxed()
        }
        _ => match key.value {
            KeyType::Bool => any::<bool>().prop_map(|switch| switch.to_string()).boxed(),
            KeyType::Integer => {
                prop_oneof![20 => 1..10_000_i64, 1 => any::<i64>()].prop_map(|number| number.to_string()).boxed()
            }
            KeyType::Float => (1e-300..1.0).prop_map(|number| toml::Value::Float(number).to_string()).boxed(),
            KeyType::Duration => {
                let unit = select(vec!["ms", "s", "s 7ms", "min", "h", "days"]);
                (1..1000_u64, unit).prop_map(|(number, unit)| quoted(format!("{number}{unit}"))).boxed()
            }
            KeyType::List => vec("([a-z*?]{1,4}|\"[^\"]{1,6}\")\\.[a-z*?]{1,6}", 1..3)
                .prop_map(|list| format!("[{}]", list.into_iter().map(quoted).collect::<Vec<_>>().join(", ")))
                .boxed(),
            _ => "[a-z_\"]{1,8}".prop_map(quoted).boxed(),
        },
    };
    prop_oneof![30 => fitting, 1 => odd()]
}

//! What a source file uses: the paths of its `use` lines, and the paths written in full.

/// A file's place in the workspace, or what a path names: the crate's folder name, then modules.
pub type Path = Vec<String>;

/// The paths that `source` uses of this workspace's crates, as absolute paths. `module` is the file's own path.
pub fn uses(source: &str, module: &[String]) -> Vec<Path> {
    let product = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or(source);
    let code: Vec<&str> = product.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
    let code = code.join("\n");
    let (mut found, mut rest) = (Vec::new(), String::new());
    for statement in code.split_inclusive(';') {
        match statement.rfind("use ").filter(|at| begins_a_line(statement, *at)) {
            Some(at) => {
                rest.push_str(&statement[..at]);
                expand(&[], statement[at + 4..].trim_end_matches(';'), &mut found);
            }
            None => rest.push_str(statement),
        }
    }
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let inline = rest.split(|c: char| !is_path(c)).filter(|word| word.contains("::"));
    found.extend(inline.map(|word| word.split("::").map(str::to_owned).collect()));
    found.iter().filter_map(|path| absolute(path, module)).collect()
}

/// Only visibility stands before `use` on its line.
fn begins_a_line(statement: &str, at: usize) -> bool {
    let line = statement[..at].rsplit('\n').next().unwrap_or("");
    ["", "pub", "pub(crate)", "pub(super)"].contains(&line.trim())
}

/// The paths of a tree such as `a::{b, c::d as e}`.
fn expand(prefix: &[String], tree: &str, into: &mut Vec<Path>) {
    let tree = tree.trim();
    let (head, group) = match tree.find('{') {
        Some(open) => (&tree[..open], tree[open + 1..].strip_suffix('}')),
        None => (tree.split(" as ").next().unwrap_or(tree), None),
    };
    let mut path = prefix.to_vec();
    path.extend(head.split("::").map(str::trim).filter(|part| !part.is_empty() && *part != "self").map(str::to_owned));
    match group {
        Some(group) => split_at_commas(group).into_iter().for_each(|part| expand(&path, part, into)),
        None => into.push(path),
    }
}

/// At the commas that no brace encloses.
fn split_at_commas(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect()
}

/// The path from the crate's folder on, when it names something of this workspace.
fn absolute(path: &[String], module: &[String]) -> Option<Path> {
    let (home, modules) = module.split_first()?;
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some([std::slice::from_ref(home), rest].concat()),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let above = &modules[..modules.len().saturating_sub(ups)];
            Some([std::slice::from_ref(home), above, &path[ups..]].concat())
        }
        "pgmedic" => Some([&["pgmedic".to_owned()], rest].concat()),
        other => other.strip_prefix("pgmedic_").map(|name| [&[format!("pgmedic-{name}")], rest].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::uses;

    fn of(source: &str) -> Vec<String> {
        let module = ["pgmedic", "http", "status"].map(str::to_owned);
        uses(source, &module).into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn each_path_of_a_use_line_is_found_wherever_it_begins() {
        let source = "use crate::report::{Report, status::{self, Status as S}};\npub(crate) use super::server;\n\
                      use std::fmt;\nuse pgmedic_core::{\n    Reason,\n};\n";
        let expected = [
            "pgmedic::report::Report",
            "pgmedic::report::status",
            "pgmedic::report::status::Status",
            "pgmedic::http::server",
            "pgmedic-core::Reason",
        ];
        assert_eq!(of(source), expected);
    }

    #[test]
    fn a_path_written_in_full_counts_and_a_comment_and_the_tests_do_not() {
        let source =
            "// use crate::agent;\nfn f() { crate::config::g(); }\n#[cfg(test)]\nmod tests { use crate::demo; }\n";
        assert_eq!(of(source), ["pgmedic::config::g"]);
    }
}

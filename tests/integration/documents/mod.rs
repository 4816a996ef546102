//! Runs every command in the documents, parses every configuration, and compares the report's fields with a real one.

mod claims;
mod comparison;
mod figures;
mod gate;
pub mod guides;
mod rooms;
mod runbooks;

use crate::support::{Database, pgmedic};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Commands that CI runs, or that start CI. Here they would start themselves.
const RUN_BY_CI: [&str; 2] = ["make demo", "make test"];

/// The fenced blocks of one language, each with the path of its document.
fn blocks(language: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let documents = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut found = Vec::new();
    for document in documents.chain([root.join("README.md")]) {
        let text = fs::read_to_string(&document).unwrap();
        for block in text.split(&format!("```{language}\n")).skip(1) {
            found.push((document.clone(), block.split("```").next().unwrap().to_owned()));
        }
    }
    assert!(!found.is_empty(), "no {language} block in any document");
    found
}

/// The words of a shell line, without its comment and without what follows a pipe.
fn words(line: &str) -> Vec<String> {
    let command = line.split(" #").next().and_then(|line| line.split(" | ").next()).unwrap_or_default();
    command.split_whitespace().map(|word| word.replace('"', "")).collect()
}

#[tokio::test]
async fn every_command_shown_works() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders DEFAULT VALUES").await;
    database.install_sql().await;
    let file = database.config("");
    let renamed = fs::read_to_string(file.path()).unwrap().replace(&format!("\"{}\"", database.name), "\"app\"");
    fs::write(file.path(), renamed).unwrap();

    let mut run = BTreeSet::new();
    for (document, block) in blocks("sh") {
        for line in block.lines().filter(|line| !RUN_BY_CI.iter().any(|command| line.starts_with(command))) {
            let words = words(line);
            let program = words.iter().position(|word| word == "pgmedic");
            let program = program.unwrap_or_else(|| panic!("{}: who runs `{line}`?", document.display()));
            let mut variables: Vec<(&str, &str)> =
                words[..program].iter().filter_map(|word| word.split_once('=')).collect();
            match variables.iter_mut().find(|(name, _)| *name == "DATABASE_URL") {
                Some((_, url)) => *url = database.url(),
                None => variables.push(("PGMEDIC_CONFIG", file.path().to_str().unwrap())),
            }
            let arguments: Vec<&str> = words[program + 1..].iter().map(String::as_str).collect();
            if arguments == ["demo"] || arguments == ["completions", "bash"] {
                variables.retain(|(name, _)| *name != "PGMEDIC_CONFIG");
            }
            pgmedic(&variables, &arguments).exits(0);
            run.insert(arguments.join(" "));
        }
    }
    assert!(run.contains("--once --dry-run"), "the first command of the README was run: {run:?}");
}

/// These commands need a container engine, a cluster or root. scripts/check-deploy checks the files that they use.
#[test]
fn the_files_that_other_commands_name_are_there() {
    let mut seen = 0;
    for (document, block) in blocks("console") {
        for line in block.lines() {
            assert!(line.starts_with("$ "), "{}: {line}", document.display());
            for path in line.split_whitespace().filter(|word| word.starts_with("deploy/")) {
                assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(), "{}: {line}", document.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 0);
}

/// Every `make TARGET` and every `scripts/NAME`, with its options, in a code block or in code within a sentence.
fn project_commands(text: &str) -> Vec<Vec<String>> {
    let blocks = text.lines().filter_map(|line| line.strip_prefix("    ").or(line.strip_prefix("$ ")));
    let in_sentences = text.split('`').skip(1).step_by(2);
    let split = |code: &str| {
        let words = code.split_whitespace().skip_while(|word| word.contains('='));
        words.map(str::to_owned).collect::<Vec<String>>()
    };
    let is_command = |words: &Vec<String>| {
        words.first().is_some_and(|first| {
            (first == "make" && words.len() > 1) || (first.starts_with("scripts/") && !first.ends_with('/'))
        })
    };
    blocks.chain(in_sentences).map(split).filter(is_command).collect()
}

#[test]
fn the_make_targets_and_scripts_in_the_documents_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let makefile = fs::read_to_string(root.join("Makefile")).unwrap();
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut scripts_seen = 0;
    for page in pages.chain([root.join("README.md"), root.join("CONTRIBUTING.md")]) {
        for words in project_commands(&fs::read_to_string(&page).unwrap()) {
            let (program, arguments) = (&words[0], &words[1..]);
            if program == "make" {
                let target = format!("\n{}:", arguments[0]);
                assert!(makefile.contains(&target), "{}: no target {target:?}", page.display());
                continue;
            }
            let script = fs::read_to_string(root.join(program));
            let script = script.unwrap_or_else(|error| panic!("{}: {program}: {error}", page.display()));
            for option in arguments.iter().take_while(|word| word.starts_with("--")) {
                assert!(script.contains(option.as_str()), "{}: {program} has no {option}", page.display());
            }
            scripts_seen += 1;
        }
    }
    assert!(scripts_seen > 10, "{scripts_seen}");
}

#[test]
fn a_command_is_found_in_a_block_and_in_a_sentence() {
    let text = "    scripts/bench --load       only\n`make proof`, `PROOF_SEED=4 make proof` and `make`\n";
    let found: Vec<String> = project_commands(text).into_iter().map(|words| words[..2].join(" ")).collect();
    assert_eq!(found, ["scripts/bench --load", "make proof", "make proof"]);
}

#[tokio::test]
async fn every_configuration_shown_is_valid() {
    for (document, block) in blocks("toml") {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        fs::write(file.path(), &block).unwrap();
        let outcome = pgmedic(&[], &["check-config", "--config", file.path().to_str().unwrap()]);
        assert_eq!(outcome.code, 0, "{}: {}\n{block}", document.display(), outcome.stderr);
    }
}

/// The paths of all keys. Arrays are represented by their first element.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                found.insert(format!("{path}.{name}"));
                keys(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(items) => items.iter().take(1).for_each(|item| keys(item, &format!("{path}[]"), found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_report_shown_has_the_fields_of_a_real_one() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE logins (ends timestamptz); CREATE TABLE orders (id serial PRIMARY KEY)").await;
    // Its session's last statement: the evidence.
    database.sql("INSERT INTO orders VALUES (7)").await;
    let store =
        "[[sessions]]\nname = \"logins\"\ntable = \"public.logins\"\nexpires_at = \"ends\"\nencoding = \"timestamptz\"";
    let real = database.once_with(store, &[]).exits(0).json();
    for (document, block) in blocks("json") {
        let shown: Value = serde_json::from_str(&block).unwrap();
        let (mut of_shown, mut of_real) = (BTreeSet::new(), BTreeSet::new());
        keys(&shown, "", &mut of_shown);
        keys(&real, "", &mut of_real);
        assert_eq!(of_shown, of_real, "{}", document.display());
        assert_eq!(shown["schema"], real["schema"]);
    }
}

//! The command line, apart from `--once`.

use crate::support::{Database, pgmedic};

#[tokio::test]
async fn completions_are_printed_for_each_shell_without_any_configuration() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = pgmedic(&[], &["completions", shell]).exits(0);
        assert!(outcome.stdout.contains("pgmedic") && outcome.stdout.contains("dry-run"), "{shell}");
        assert_eq!(outcome.stderr, "");
    }
}

#[tokio::test]
async fn help_and_version_go_to_stdout() {
    let help = pgmedic(&[], &["--help"]).exits(0);
    for word in ["--once", "--dry-run", "--approve", "Exit codes of --once", "check-config"] {
        assert!(help.stdout.contains(word), "{word}");
    }
    let version = pgmedic(&[], &["--version"]).exits(0);
    assert!(version.stdout.starts_with(concat!("pgmedic ", env!("CARGO_PKG_VERSION"), " (")), "{}", version.stdout);
}

#[tokio::test]
async fn the_report_goes_to_stdout_and_the_log_to_stderr() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (7)").await;
    let variables = [("DATABASE_URL", database.url()), ("PGMEDIC_LOG__LEVEL", "debug")];
    let outcome = pgmedic(&variables, &["--once", "--format", "json"]).exits(0);
    assert_eq!(outcome.json()["summary"]["repaired"], 1);
    assert!(outcome.stderr.contains("discovered"), "{}", outcome.stderr);
    assert_eq!(database.once(&[]).exits(0).stderr, "", "silent when nothing is amiss");
}

#[test]
fn what_is_generated_ends_quietly_when_its_reader_hangs_up() {
    for arguments in [&["completions", "bash"][..], &["man"], &["presets"], &["--help"], &["--version"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = crate::support::command(&[], arguments).stdout(writer).output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_reader_that_hangs_up_is_no_crash() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY)").await;
    let mut command = crate::support::command(&[("DATABASE_URL", database.url())], &["--once", "--verbose"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "the report's own exit code");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[tokio::test]
async fn a_log_in_json_has_its_message_and_its_fields_at_the_top() {
    let database = Database::new().await;
    let variables =
        [("DATABASE_URL", database.url()), ("PGMEDIC_LOG__LEVEL", "debug"), ("PGMEDIC_LOG__FORMAT", "json")];
    let outcome = pgmedic(&variables, &["--once"]);
    let lines: Vec<serde_json::Value> =
        outcome.stderr.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    let found = lines.iter().find(|line| line["message"].as_str().is_some_and(|text| text.contains("discovered")));
    let line = found.unwrap_or_else(|| panic!("{}", outcome.stderr));
    assert!(line["timestamp"].is_string() && line["level"] == "DEBUG" && line.get("fields").is_none(), "{line}");
    assert_eq!(line["database"], database.name.as_str(), "{line}");
}

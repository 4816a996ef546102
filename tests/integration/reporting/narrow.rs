//! The report in a terminal, at several widths, and with many sequences of the same reason.

use crate::support::{Database, pgmedic};
use std::process::{Command, Stdio};

/// What a terminal of this many columns shows of the report.
fn in_a_terminal(database: &Database, columns: u32) -> String {
    let program = format!("stty cols {columns} rows 50; exec {} --once --dry-run", env!("CARGO_BIN_EXE_pgmedic"));
    let output = Command::new("script")
        .args(["-q", "-e", "-c", &program, "/dev/null"])
        .env_clear()
        .envs([("DATABASE_URL", database.url()), ("NO_COLOR", "1"), ("TERM", "xterm"), ("PATH", "/usr/bin:/bin")])
        .stdin(Stdio::null())
        .output()
        .expect("script of util-linux, which is a terminal for a program");
    String::from_utf8(output.stdout).unwrap().replace('\r', "")
}

#[tokio::test]
async fn every_terminal_gets_a_table_that_fits_with_whole_names() {
    let mut database = Database::new().await;
    database
        .sql("CREATE TABLE user_sessions (session_id serial PRIMARY KEY); INSERT INTO user_sessions VALUES (695)")
        .await;
    for columns in [120, 80, 60] {
        let text = in_a_terminal(&database, columns);
        let table: Vec<&str> = text.lines().skip_while(|line| !line.starts_with(" status")).collect();
        assert!(!table.is_empty(), "{columns} columns, and no table:\n{text}");
        for line in &table {
            assert!(line.chars().count() <= columns as usize, "{columns}: {line:?} in\n{text}");
        }
        let letters: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        assert!(
            ["695", "would", "advance", "user_sessions"].iter().all(|part| letters.contains(part)),
            "{columns}:\n{text}"
        );
    }
    assert!(in_a_terminal(&database, 60).contains("not shown in so narrow a terminal: used"));
}

#[tokio::test]
async fn many_sequences_of_the_same_reason_are_one_row_and_one_line() {
    let mut database = Database::new().await;
    let role = database.role("reader");
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN;
             DO $$ BEGIN
                 FOR number IN 1..44 LOOP EXECUTE format('CREATE TABLE t_%s (id serial PRIMARY KEY)', number); END LOOP;
             END $$;
             REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {role}"
        ))
        .await;
    let url = database.url_as(&role);
    let text = pgmedic(&[("DATABASE_URL", &url)], &["--once", "--dry-run"]).exits(3).stdout;
    let rows = text.lines().filter(|line| line.starts_with(" unreadable")).collect::<Vec<_>>();
    assert!(matches!(rows[..], [row] if row.contains("44 sequences")), "{text}");
    assert!(text.contains("and 41 more): a privilege is missing: run pgmedic grants"), "{text}");
    let verbose = pgmedic(&[("DATABASE_URL", &url)], &["--once", "--dry-run", "--verbose"]).exits(3).stdout;
    assert_eq!(verbose.lines().filter(|line| line.starts_with(" unreadable")).count(), 44, "{verbose}");
}

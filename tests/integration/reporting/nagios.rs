//! `--format nagios` and `--textfile`: reach without an agent that Prometheus scrapes.

use crate::support::{Database, Outcome, pgmedic};

fn check(database: &Database, arguments: &[&str]) -> Outcome {
    database.pgmedic(&[&["--once", "--dry-run", "--format", "nagios"], arguments].concat())
}

/// One line, and its performance data as names and values.
#[track_caller]
fn line(outcome: &Outcome) -> (String, Vec<(String, String)>) {
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
    let (text, data) = outcome.stdout.trim_end().split_once(" | ").expect("performance data");
    let data = data.split(' ').map(|piece| piece.split_once('=').expect("label=value"));
    (text.to_owned(), data.map(|(label, value)| (label.to_owned(), value.to_owned())).collect())
}

#[tokio::test]
async fn a_plugin_answers_in_one_line_with_the_codes_of_nagios() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY)").await;
    let (text, data) = line(&check(&database, &[]).exits(0));
    assert!(text.starts_with("PGMEDIC OK - 1 sequences, none needs attention"), "{text}");
    assert!(data.contains(&("sequences".to_owned(), "1;;;0".to_owned())), "{data:?}");

    database.sql("CREATE TABLE small (id smallserial PRIMARY KEY); SELECT setval('small_id_seq', 26000)").await;
    let (text, data) = line(&check(&database, &[]).exits(1));
    assert!(text.starts_with("PGMEDIC WARNING - ") && text.contains("public.small_id_seq running out"), "{text}");
    assert!(data.iter().any(|(label, value)| label == "used_max" && value.starts_with("79.3%;;;0;100")), "{data:?}");

    let far = "CREATE TABLE far (id serial PRIMARY KEY); INSERT INTO far VALUES (2000000000)";
    database.sql(far).await;
    let (text, _) = line(&check(&database, &[]).exits(1));
    assert!(text.contains("public.far_id_seq held"), "no insert fails yet: {text}");

    database.sql("DROP TABLE far; INSERT INTO t VALUES (7)").await;
    let (text, data) = line(&check(&database, &[]).exits(2));
    assert!(
        text.starts_with("PGMEDIC CRITICAL - 2 sequences, 2 to look at: ") && text.contains("t_id_seq behind"),
        "{text}"
    );
    assert!(data.contains(&("lag_max".to_owned(), "7;;;0".to_owned())), "{data:?}");
}

/// As on the status page.
#[tokio::test]
async fn what_waits_for_a_decision_is_a_warning_and_what_a_rule_observes_is_no_problem() {
    let mut database = Database::new().await;
    let tables =
        "CREATE TABLE t (id serial, year integer, UNIQUE (year, id)); INSERT INTO t SELECT generate_series(1, 7), 1";
    database.sql(tables).await;
    let (text, _) = line(&check(&database, &[]).exits(1));
    assert!(text.contains("public.t_id_seq held"), "no unique index makes an insert fail: {text}");

    database
        .sql("CREATE SEQUENCE s; CREATE TABLE v (id text PRIMARY KEY DEFAULT nextval('s')); INSERT INTO v VALUES (1)")
        .await;
    let (text, _) = line(&check(&database, &[]).exits(2));
    assert!(text.contains("public.s unsupported"), "its inserts fail: {text}");

    database
        .sql("DROP TABLE t, v; CREATE TABLE small (id smallserial PRIMARY KEY); SELECT setval('small_id_seq', 32767)")
        .await;
    check(&database, &[]).exits(2);
    let rule = "[[sequences.rules]]\nmatch = \"public.small_id_seq\"\nrepair = false\n";
    let config = database.config(rule);
    let arguments = ["--once", "--dry-run", "--format", "nagios", "--config", config.path().to_str().unwrap()];
    let (text, _) = line(&pgmedic(&[], &arguments).exits(0));
    assert!(text.starts_with("PGMEDIC OK - "), "{text}");
}

#[tokio::test]
async fn what_could_not_be_looked_at_is_unknown() {
    let nowhere = [("DATABASE_URL", "postgres://u@127.0.0.1:1/d")];
    let arguments = ["--once", "--format", "nagios"];
    let outcome = pgmedic(&nowhere, &arguments).exits(3);
    assert!(outcome.stdout.starts_with("PGMEDIC UNKNOWN - ") && outcome.stdout.contains("could not be checked"));
    for arguments in [&["--once", "--format", "nagios"][..], &["--once", "--format", "nagios", "--onec"]] {
        let outcome = pgmedic(&[], arguments).exits(3);
        assert!(outcome.stdout.starts_with("PGMEDIC UNKNOWN - "), "{arguments:?}: {}", outcome.stdout);
        assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
    }
}

#[tokio::test]
async fn node_exporter_gets_the_gauges_of_a_run_in_a_whole_file() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (7)").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pgmedic.prom");
    std::fs::write(&file, "pgmedic_old 1\n").unwrap();
    database.pgmedic(&["--once", "--dry-run", "--textfile", file.to_str().unwrap()]).exits(3);
    let text = std::fs::read_to_string(&file).unwrap();
    let name = &database.name;
    for line in [
        format!("pgmedic_sequences{{database=\"{name}\",verdict=\"behind\"}} 1"),
        format!("pgmedic_database_up{{database=\"{name}\"}} 1"),
        format!("pgmedic_sequence_lag_values_max{{database=\"{name}\"}} 7"),
        "pgmedic_once_exit_code 3".to_owned(),
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
    }
    assert!(!text.contains("pgmedic_old") && !text.contains("_total") && !text.contains("process_"), "{text}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    let missing = database.pgmedic(&["--once", "--dry-run", "--textfile", "/no/such/folder/a.prom"]).exits(1);
    assert!(missing.stderr.contains("/no/such/folder/a.prom: "), "{}", missing.stderr);
}

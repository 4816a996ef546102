//! `/metrics` as Prometheus reads it.

use crate::support::{Agent, Database, tool};
use std::io::Write;
use std::process::{Command, Stdio};

/// Detail series of a database, in `src/metrics/gauges.rs`.
const DETAILS: usize = 50;
const LARGEST_SCRAPE: usize = 200_000;
const WIDE: usize = 1000;

/// promtool reports neither an error nor advice.
#[track_caller]
fn promtool_has_nothing_to_say_of(metrics: &str) {
    let mut command = Command::new(tool("promtool"));
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = command.spawn().expect("promtool starts");
    let mut input = promtool.stdin.take().expect("its input");
    input.write_all(metrics.as_bytes()).expect("it reads");
    drop(input);
    let output = promtool.wait_with_output().expect("its end");
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(output.status.success() && said.is_empty(), "{}: {said}\n{metrics}", output.status);
}

/// An agent that looks once, and changes nothing.
fn onlooker(database: &Database) -> Agent {
    let config = database.config("[sequences]\nschedule = \"0 0 * * * *\"\n[http]\nlisten = \"127.0.0.1:0\"\n");
    Agent::run(config, &["--dry-run"])
}

fn series(name: &str, database: &Database) -> String {
    format!("pgmedic_{name}{{database=\"{}\"}}", database.name)
}

#[tokio::test]
async fn promtool_finds_nothing_to_complain_about() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE behind (id serial PRIMARY KEY); INSERT INTO behind VALUES (20);
              CREATE TABLE used_up (id smallserial PRIMARY KEY); SELECT setval('used_up_id_seq', 32767)",
        )
        .await;
    let agent = onlooker(&database);
    agent.wait_until(&series("sequence_lag_values_max", &database), |lag| lag == 20.0);
    let (_, metrics) = agent.get("/metrics");
    for family in ["sequence_lag_values", "sequence_used_ratio", "repairs_total", "repair_duration_seconds"] {
        assert!(metrics.contains(&format!("# TYPE pgmedic_{family} ")), "{family} is not there:\n{metrics}");
    }
    assert!(metrics.contains("# TYPE process_resident_memory_bytes gauge"), "{metrics}");
    promtool_has_nothing_to_say_of(&metrics);
    agent.stop();
}

#[tokio::test]
async fn three_thousand_that_are_behind_make_a_small_scrape() {
    let mut database = Database::new().await;
    for table in ["a", "b", "c"] {
        let columns = |what: &str| (1..=WIDE).map(|n| what.replace('#', &n.to_string())).collect::<Vec<_>>().join(",");
        let (all, ids) = (columns("c# serial"), columns("7"));
        database.sql(&format!("CREATE TABLE {table} ({all}); INSERT INTO {table} VALUES ({ids})")).await;
    }
    // The largest lags, so that these have detail series.
    let euros = "€".repeat(21);
    let names = ["say \"\"hi\"\"", "new\nline", "back\\slash\\n", &euros];
    for (number, name) in names.iter().enumerate() {
        database
            .sql(&format!(
                "CREATE SEQUENCE \"{name}\";
                 CREATE TABLE named_{number} (id integer PRIMARY KEY DEFAULT nextval($name$\"{name}\"$name$));
                 INSERT INTO named_{number} VALUES (1000)"
            ))
            .await;
    }
    let agent = onlooker(&database);
    let all = 3 * WIDE + names.len();
    agent.wait_until(&series("detail_series_dropped", &database), |dropped| dropped == (all - DETAILS) as f64);
    let (_, metrics) = agent.get("/metrics");
    assert!(metrics.len() < LARGEST_SCRAPE, "{} bytes", metrics.len());
    assert_eq!(metrics.matches("\npgmedic_sequence_lag_values{").count(), DETAILS);
    assert_eq!(metrics.matches("\npgmedic_sequence_used_ratio{").count(), DETAILS);
    let behind = format!("pgmedic_sequences{{database=\"{}\",verdict=\"behind\"}}", database.name);
    assert_eq!(agent.metric(&behind), Some(all as f64));
    // As the exposition format escapes a label's value.
    for name in [r#"\"say \"\"hi\"\"\""#, r#"\"new\nline\""#, r#"\"back\\slash\\n\""#, &format!(r#"\"{euros}\""#)] {
        let lag = format!("pgmedic_sequence_lag_values{{database=\"{}\",sequence=\"public.{name}\"}}", database.name);
        assert_eq!(agent.metric(&lag), Some(1000.0), "{lag} in\n{metrics}");
    }
    promtool_has_nothing_to_say_of(&metrics);
    agent.stop();
}

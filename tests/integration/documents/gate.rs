//! The scripts of deploy/gate, as a workflow runs them.

use crate::support::{Database, Outcome};
use std::path::Path;
use std::process::Command;

/// Runs a script with pgmedic on the PATH, or without.
fn script(name: &str, with_pgmedic: bool, variables: &[(&str, &str)]) -> Outcome {
    let binaries = Path::new(env!("CARGO_BIN_EXE_pgmedic")).parent().unwrap();
    let path = if with_pgmedic { format!("{}:/usr/bin:/bin", binaries.display()) } else { "/usr/bin:/bin".to_owned() };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/gate").join(name);
    let mut command = Command::new("bash");
    command.arg(script).env_clear().env("PATH", path).envs(variables.iter().copied());
    Outcome::of(command.output().unwrap())
}

#[tokio::test]
async fn the_gate_ends_with_the_exit_code_and_fills_the_summary_and_the_output() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (7)").await;
    let folder = tempfile::tempdir().unwrap();
    let (summary, output) = (folder.path().join("summary"), folder.path().join("output"));
    let variables = [
        ("DATABASE_URL", database.url()),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
        ("GITHUB_OUTPUT", output.to_str().unwrap()),
    ];
    let outcome = script("gate.sh", true, &variables).exits(3);
    assert!(outcome.stdout.contains("public.orders_id_seq") && outcome.stderr.contains("::error::"), "{outcome:?}");
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "exit-code=3\n");
    assert!(std::fs::read_to_string(&summary).unwrap().contains("     behind  public.orders_id_seq"));
    assert_eq!(database.nextval("orders_id_seq").await, 1, "a dry run is the default");

    let repairs = [("DATABASE_URL", database.url()), ("GATE_ARGUMENTS", "")];
    script("gate.sh", true, &repairs).exits(0);
    assert_eq!(database.nextval("orders_id_seq").await, 8);
}

#[test]
fn the_installation_leaves_a_pgmedic_that_is_there_and_asks_for_a_version_otherwise() {
    let there = script("install.sh", true, &[]).exits(0);
    assert!(there.stdout.starts_with("pgmedic "), "{}", there.stdout);
    let refused = script("install.sh", false, &[("ACTION_REF", "main")]).exits(2);
    assert!(refused.stderr.contains("found version \"main\", expected one such as 0.1.0"), "{}", refused.stderr);
}

//! The exit code of a run is that of the worst result.

use crate::support::{Database, pgmedic};

#[tokio::test]
async fn nothing_to_look_at_exits_3() {
    let database = Database::new().await;
    let outcome = database.once(&[]).exits(3);
    assert_eq!(outcome.json()["summary"]["sequences"], 0);
}

#[tokio::test]
async fn unsupported_and_unlinked_sequences_need_no_attention() {
    let mut database = Database::new().await;
    database.sql("CREATE SEQUENCE lonely; CREATE SEQUENCE turning CYCLE").await;
    let summary = database.once(&[]).exits(0).json()["summary"].clone();
    assert_eq!((&summary["unlinked"], &summary["unsupported"]), (&1.into(), &1.into()));
}

#[tokio::test]
async fn each_problem_that_remains_exits_3() {
    let exhausted = "CREATE SEQUENCE s MAXVALUE 2; SELECT setval('s', 2)";
    let held = "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (2000000000)";
    let unreadable = "CREATE TABLE t (id serial PRIMARY KEY); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
                      GRANT SELECT ON t, t_id_seq TO PUBLIC";
    for problem in [exhausted, held, unreadable] {
        let mut database = Database::new().await;
        let role = database.role("plain");
        database.sql(problem).await;
        database
            .sql(&format!("CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"))
            .await;
        let superuser = !problem.contains("ROW LEVEL");
        let outcome = if superuser { database.once(&[]) } else { database.once_as(&role, &[]) };
        outcome.exits(3);
    }
}

#[tokio::test]
async fn a_database_out_of_reach_outweighs_what_remains_elsewhere() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (2000000000)").await;
    let config = database.config("");
    let unreachable = database.url().replace(&format!("/{}?", database.name), "/no_such_database?");
    let more = format!("{}\n[[databases]]\nurl = \"{unreachable}\"\n", std::fs::read_to_string(config.path()).unwrap());
    std::fs::write(config.path(), more).unwrap();
    let path = config.path().to_str().unwrap();
    let arguments = ["--once", "--format", "json", "--config", path];
    let outcome = pgmedic(&[], &arguments).exits(1);
    assert_eq!(outcome.json()["summary"]["held"], 1);
    let only = [&arguments[..], &["--database", &database.name]].concat();
    pgmedic(&[], &only).exits(3);
}

#[tokio::test]
async fn a_failed_repair_outweighs_what_remains_beside_it() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE held (id serial PRIMARY KEY); INSERT INTO held VALUES (2000000000);
             CREATE TABLE stuck (id serial PRIMARY KEY); ALTER SEQUENCE stuck_id_seq CACHE 2; INSERT INTO stuck VALUES (7)",
        )
        .await;
    let mut other = database.connect().await;
    sqlx::raw_sql("BEGIN; ALTER SEQUENCE stuck_id_seq CACHE 3").execute(&mut other).await.unwrap();
    let outcome = database.once_with("[sequences]\nlock_timeout = \"10ms\"\n", &[]).exits(1);
    let summary = outcome.json()["summary"].clone();
    assert_eq!((&summary["held"], &summary["failed"]), (&1.into(), &1.into()));
}

#[tokio::test]
async fn bad_usage_exits_2_before_anything_is_touched() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (7)").await;
    for arguments in [
        &["--once", "--nonsense"][..],
        &["--once", "--format", "xml"],
        &["--once", "--database", "nowhere"],
        &["--verbose"],
        &["--approve", "public.t_id_seq"],
        &["--once", "check-config"],
        &["--once", "--config", "/no/such/file.toml"],
        &["frobnicate"],
    ] {
        let outcome = database.pgmedic(arguments).exits(2);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(!outcome.stderr.is_empty(), "{arguments:?}");
    }
    assert_eq!(database.nextval("t_id_seq").await, 1);
}

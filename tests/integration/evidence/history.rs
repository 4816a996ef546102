//! `pgmedic history`.

use super::Scene;
use crate::support::{Database, Outcome, pgmedic, shell};
use serde_json::{Value, json};

async fn installed() -> Database {
    let mut database = Database::new().await;
    database.install_sql().await;
    database
}

/// The sequences of the entries, in their order.
fn sequences(database: &Database, arguments: &[&str]) -> Vec<Value> {
    let report = database.pgmedic(&[&["history", "--format", "json"], arguments].concat()).exits(0).json();
    let entries = report["databases"][0]["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["sequence"].clone()).collect()
}

#[tokio::test]
async fn the_history_of_a_sequence_tells_when_how_far_by_whom_and_why() {
    let mut scene = Scene::plain().await;
    scene.database.install_sql().await;
    let _session = scene.session("import.py", "INSERT INTO orders (id) SELECT * FROM generate_series(1, 30)").await;
    let found = scene.database.once(&[]).exits(0).sequence("public.orders_id_seq");
    // The login's function serves the tables of its owner.
    scene.database.sql("ALTER TABLE orders OWNER TO postgres; SELECT setval('orders_id_seq', 5, false)").await;
    scene.database.sql("SELECT pgmedic.repair('orders', 'id')").await;
    let report = scene.database.pgmedic(&["history", "public.orders_id_seq", "--format", "json"]).exits(0).json();
    assert_eq!(report["schema"], 2);
    let entries = report["databases"][0]["entries"].clone();
    let shown = |entry: &Value| {
        let keys = ["sequence", "source", "role", "outcome", "from_value", "to_value", "cause"];
        keys.map(|key| entry[key].clone())
    };
    assert_eq!(entries.as_array().unwrap().len(), 2, "{entries:#}");
    let inline = json!(["public.orders_id_seq", "inline", "postgres", "repaired", 5, 31, null]);
    let agent = json!(["public.orders_id_seq", "agent", "postgres", "repaired", 1, 31, "unknown"]);
    assert_eq!(json!([shown(&entries[0]), shown(&entries[1])]), json!([inline, agent]), "the newest first");
    assert_eq!(entries[1]["evidence"], found["evidence"]);
    assert!(entries[0]["at"].as_str().unwrap() >= entries[1]["at"].as_str().unwrap());

    let table = scene.database.pgmedic(&["history", "orders_id_seq"]).exits(0).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].ends_with(": 2 entries, the newest first"), "{table}");
    assert!(lines[1].contains(" UTC  public.orders_id_seq  repaired  5 to 31  inline, role postgres"), "{table}");
    assert!(lines[2].contains("1 to 31  agent, role postgres   cause: unknown"), "{table}");
    let who = format!(
        "as far as the server tells, by INSERT with the column of role {} (application import.py, from [local])",
        scene.etl
    );
    assert_eq!(lines[3].trim(), who, "{table}");
}

#[tokio::test]
async fn a_sequence_is_named_as_sql_or_the_report_spells_it_or_by_a_pattern() {
    let mut database = installed().await;
    database
        .sql(
            "INSERT INTO pgmedic.repair_log (at, role, sequence)
             SELECT now() - n * interval '1 minute', 'app', name
             FROM unnest('{public.a_seq,public.b_seq,tenant.a_seq}'::text[] || '\"My shop\".\"A.seq\"'::text) WITH ORDINALITY AS s (name, n)",
        )
        .await;
    let (a, b, tenant, odd) = ("public.a_seq", "public.b_seq", "tenant.a_seq", "\"My shop\".\"A.seq\"");
    for (argument, expected) in [
        ("public.a_seq", vec![a]),
        ("PUBLIC.A_seq", vec![a]),
        ("a_seq", vec![a, tenant]),
        ("public.*", vec![a, b]),
        ("*.*", vec![a, b, tenant, odd]),
        ("\"My shop\".\"A.seq\"", vec![odd]),
        ("public.A*", vec![]),
    ] {
        assert_eq!(sequences(&database, &[argument]), expected, "{argument}");
    }
    assert_eq!(sequences(&database, &[]).len(), 4);
    let refused = database.pgmedic(&["history", "a.b.c"]).exits(2).stderr;
    assert!(refused.contains("\"a.b.c\" names no sequence") && refused.contains("public.orders_id_seq"), "{refused}");
}

#[tokio::test]
async fn the_output_is_bounded_and_says_that_there_is_more() {
    let mut database = installed().await;
    database
        .sql("INSERT INTO pgmedic.repair_log (role, sequence) SELECT 'app', 'public.s' || g FROM generate_series(1, 60) g")
        .await;
    assert_eq!(sequences(&database, &[]).len(), 50);
    assert_eq!(sequences(&database, &["--limit", "60"]).len(), 60);
    assert_eq!(sequences(&database, &["--limit", "1"]), ["public.s60"]);
    let table = |limit: &str| database.pgmedic(&["history", "--limit", limit]).exits(0).stdout;
    assert!(table("59").contains("--limit 236 shows more") && !table("60").contains("shows more"));
    database.pgmedic(&["history", "--limit", "0"]).exits(2);
}

#[tokio::test]
async fn without_a_log_the_reason_says_how_to_get_one() {
    let mut database = Database::new().await;
    let role = database.role("the 'agent'");
    database.sql(&format!("CREATE ROLE \"{role}\" LOGIN")).await;
    let url = database.url_as(&role.replace(' ', "%20"));
    let run = || pgmedic(&[("DATABASE_URL", &url)], &["history", "--format", "json"]);
    let error = run().exits(1).json()["databases"][0]["error"].clone();
    assert_eq!(error["kind"], "repair_log", "{error:#}");
    // An administrator runs it.
    let fix = shell(error["fix"].as_str().unwrap()).env("DATABASE_URL", database.url()).output().unwrap();
    Outcome::of(fix).exits(0);
    assert_eq!(run().exits(0).json()["databases"][0]["entries"], json!([]));
    let table = pgmedic(&[("DATABASE_URL", &url)], &["history"]).exits(0).stdout;
    assert!(table.contains(": nothing is recorded"), "{table}");
}

#[tokio::test]
async fn a_log_that_may_not_be_read_or_is_not_as_installed_is_not_read() {
    let mut database = installed().await;
    let role = database.role("reader");
    database.sql(&format!("CREATE ROLE {role} LOGIN")).await;
    let url = database.url_as(&role);
    let run = || pgmedic(&[("DATABASE_URL", &url)], &["history", "--format", "json"]);
    let error = run().exits(1).json()["databases"][0]["error"].clone();
    assert_eq!(error["kind"], "missing_privilege", "{error:#}");
    database.sql(error["fix"].as_str().unwrap()).await;
    run().exits(0);
    database.sql("ALTER TABLE pgmedic.repair_log ADD COLUMN more text").await;
    assert_eq!(run().exits(1).json()["databases"][0]["error"]["kind"], "repair_log");
}

#[tokio::test]
async fn each_configured_database_has_its_history_and_one_can_be_asked_for() {
    let (first, second) = (installed().await, Database::new().await);
    let file = first.config(&format!("[[databases]]\nname = \"second\"\nurl = \"{}\"\n", second.url()));
    let run = |arguments: &[&str]| {
        let path = file.path().to_str().unwrap();
        pgmedic(&[], &[&["history", "--config", path], arguments].concat())
    };
    let text = run(&[]).exits(1).stdout;
    assert!(text.contains("second\n  could not be read: pgmedic.repair_log is not installed"), "{text}");
    assert!(text.contains(&format!("{}: nothing is recorded", first.name)), "{text}");
    run(&["--database", &first.name]).exits(0);
    run(&["--database", "none"]).exits(2);
}

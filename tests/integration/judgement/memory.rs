//! What is remembered: the furthest next value, and what repairs have cost.

use crate::support::{Agent, Database, EVERY_SECOND, Passes, waiting};
use pgmedic::report::Outcome;
use pgmedic_core::sequence::HoldReason;
use serde_json::{Value, json};

/// The agent's finding of a sequence, as the last pass left it.
fn finding(agent: &Agent, sequence: &str) -> Value {
    let sequences = agent.report()["sequences"].as_array().cloned().unwrap_or_default();
    sequences.into_iter().find(|found| found["name"] == sequence).unwrap_or(Value::Null)
}

#[tokio::test]
async fn a_numbering_restarted_on_purpose_is_not_brought_back_and_only_passes_the_ids_in_its_way() {
    let mut database = Database::new().await;
    database
        .sql("CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 1500000000); INSERT INTO t DEFAULT VALUES")
        .await;
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.passes_again(&database.name, 1.0);
    database.sql("TRUNCATE t RESTART IDENTITY; INSERT INTO t SELECT generate_series(1, 1000)").await;
    database.wait_until("SELECT last_value >= 1000 FROM t_id_seq").await;
    agent.passes_again(&database.name, 2.0);
    assert_eq!(database.nextval("t_id_seq").await, 1001);
    agent.stop();
}

#[tokio::test]
async fn a_sequence_set_back_with_no_id_in_its_way_is_said_and_left() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 4000)").await;
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.passes_again(&database.name, 1.0);
    database.sql("SELECT setval('t_id_seq', 1000, false)").await;
    let said = crate::support::wait_for("the finding says rewound", || {
        let found = finding(&agent, "public.t_id_seq");
        (found["cause"] == "rewound").then_some(found)
    });
    assert_eq!(said["verdict"], "in_sync", "{said:#}");
    assert_eq!(said["reason"]["kind"], "rewound", "{said:#}");
    let text = said["reason"]["text"].as_str().expect("a text");
    assert!(text.contains("next value was 4001") && text.contains("3001 values will be handed out again"), "{text}");
    assert_eq!(database.number("SELECT last_value FROM t_id_seq").await, 1000);
    let fix = said["reason"]["fix"].as_str().expect("a fix");
    database.sql(fix).await;
    assert_eq!(database.nextval("t_id_seq").await, 4001);
    database.sql(&format!("SELECT nextval('t_id_seq') FROM generate_series(1, 100); {fix}")).await;
    assert_eq!(database.nextval("t_id_seq").await, 4102, "run too late, it does not set the sequence back");
    agent.stop();
}

#[tokio::test]
async fn a_sequence_set_back_with_no_id_in_its_way_is_one_line_of_the_log_and_one_event_of_the_page() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 4000)").await;
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.passes_again(&database.name, 1.0);
    database.sql("SELECT setval('t_id_seq', 1000, false)").await;
    agent.logs(
        "public.t_id_seq: it was set back: its next value was 4001 before, so 3001 values will be handed out again",
    );
    // It is used on, and stays what was said of it.
    for _ in 0..3 {
        database.nextval("t_id_seq").await;
        agent.passes_again(&database.name, 1.0);
    }
    let page = agent.get("/").1;
    assert_eq!(page.matches("; no id is in its way").count(), 1, "{page}");
    assert_eq!(page.matches("1 sequence set back").count(), 1, "{page}");
    // Brought back, and set back once more.
    database.sql("SELECT setval('t_id_seq', 4000)").await;
    crate::support::wait_for("it is as before", || finding(&agent, "public.t_id_seq")["cause"].is_null().then_some(()));
    database.sql("SELECT setval('t_id_seq', 2000, false)").await;
    agent.logs("so 2001 values will be handed out again");
    let log = agent.stop();
    assert_eq!(log.matches("it was set back").count(), 2, "{log}");
}

#[tokio::test]
async fn a_sequence_set_back_once_is_said_once_however_often_ids_in_its_way_are_passed_since_then() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 4000)").await;
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.passes_again(&database.name, 1.0);
    database.sql("SELECT setval('t_id_seq', 1000, false)").await;
    let is_rewound = || (finding(&agent, "public.t_id_seq")["cause"] == "rewound").then_some(());
    agent.logs("public.t_id_seq: it was set back");
    for end in [1009, 1019, 1029] {
        database.sql(&format!("INSERT INTO t SELECT generate_series({end} - 8, {end})")).await;
        database.sql(&format!("SELECT setval('t_id_seq', {end} - 9, true)")).await;
        database.wait_until(&format!("SELECT last_value >= {end} FROM t_id_seq")).await;
        agent.passes_again(&database.name, 1.0);
        crate::support::wait_for("it is in sync again", || {
            (finding(&agent, "public.t_id_seq")["verdict"] == "in_sync").then_some(())
        });
        crate::support::wait_for("it still stands before the next value that it had", is_rewound);
    }
    let page = agent.get("/").1;
    assert_eq!(page.matches("; no id is in its way").count(), 1, "{page}");
    let log = agent.stop();
    assert_eq!(log.matches("it was set back").count(), 1, "{log}");
}

#[tokio::test]
async fn the_sequence_of_a_session_store_is_brought_back_though_all_sessions_are_over() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE logins (id serial PRIMARY KEY, expires_at timestamptz NOT NULL DEFAULT now() + interval '1 day');
             SELECT setval('logins_id_seq', 4000)",
        )
        .await;
    let settings = format!(
        "{EVERY_SECOND}[[sessions]]\nname = 'logins'\ntable = 'public.logins'\nexpires_at = 'expires_at'\nencoding = 'timestamptz'\nschedule = '0 0 0 1 1 *'\n"
    );
    let agent = Agent::start(&database, &settings);
    agent.passes_again(&database.name, 1.0);
    database.sql("SELECT setval('logins_id_seq', 1, false)").await;
    database.wait_until("SELECT last_value >= 4000 FROM logins_id_seq").await;
    assert_eq!(database.nextval("logins_id_seq").await, 4001);
    agent.stop();
}

/// One lone id ahead in each run: each repair is small, and their sum is bounded.
#[tokio::test]
async fn what_repairs_may_burn_is_counted_over_all_runs_where_the_repair_log_is() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id smallserial PRIMARY KEY)").await;
    database.install_sql().await;
    // 5 % of 32 767 values are 1638, and each id costs 300.
    for run in 1..=6 {
        database.sql("INSERT INTO t SELECT last_value + CASE WHEN is_called THEN 301 ELSE 300 END FROM t_id_seq").await;
        let outcome = database.once(&[]);
        let expected =
            if run <= 5 { json!({ "outcome": "repaired" }) } else { json!({ "outcome": "held", "held_by": "budget" }) };
        outcome.repair("public.t_id_seq", expected);
    }
    assert_eq!(database.number("SELECT sum(charged)::bigint FROM pgmedic.repair_log").await, 1500);
    // A dense block is passed all the same, once the sequence stands at it.
    database.sql("DELETE FROM t; INSERT INTO t SELECT last_value + g FROM t_id_seq, generate_series(1, 200) g").await;
    database.once(&[]).exits(0).repair("public.t_id_seq", json!({ "outcome": "repaired" }));
}

#[tokio::test]
async fn a_run_returns_to_the_next_value_that_the_repair_log_knows() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 5000)").await;
    database.install_sql().await;
    database.once(&[]).exits(0).repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 5001 }));
    // Yesterday's backup: the newest rows are gone, and the sequence is at its start.
    database.sql("DELETE FROM t WHERE id > 4000; SELECT setval('t_id_seq', 1, false)").await;
    database.once(&[]).exits(0).repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 5001 }));
}

/// One id, 300 values ahead.
const LONE_ID: &str = "INSERT INTO t SELECT last_value + CASE WHEN is_called THEN 301 ELSE 300 END FROM t_id_seq";

#[tokio::test]
async fn what_the_login_path_burns_is_charged_in_a_run_and_by_an_agent_that_runs() {
    for with_agent in [false, true] {
        let mut database = Database::new().await;
        database.sql("CREATE TABLE t (id smallserial PRIMARY KEY)").await;
        database.install_sql().await;
        let agent = with_agent.then(|| Agent::start(&database, EVERY_SECOND));
        if let Some(agent) = &agent {
            agent.passes_again(&database.name, 1.0);
        }
        for _ in 1..=5 {
            // In one transaction, so that the agent does not see the id before it is passed.
            database.sql(&format!("BEGIN; {LONE_ID}; SELECT pgmedic.repair('t', 'id'); COMMIT")).await;
        }
        assert_eq!(database.number("SELECT sum(charged)::bigint FROM pgmedic.repair_log").await, 1500);
        let Some(agent) = agent else {
            database.sql(LONE_ID).await;
            database.once(&[]).repair("public.t_id_seq", json!({ "outcome": "held", "held_by": "budget" }));
            continue;
        };
        let inline = format!("pgmedic_inline_repairs_total{{database=\"{}\",outcome=\"repaired\"}}", database.name);
        agent.wait_until(&inline, |repairs| repairs == 5.0);
        database.sql(LONE_ID).await;
        agent.passes_again(&database.name, 2.0);
        assert_eq!(finding(&agent, "public.t_id_seq")["repair"]["held_by"], "budget", "{:#}", agent.report());
        agent.stop();
    }
}

#[tokio::test]
async fn a_move_whose_connection_was_lost_is_charged_as_if_it_had_been_made() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id smallserial PRIMARY KEY); CREATE TABLE u (id smallserial PRIMARY KEY)").await;
    database.sql(LONE_ID).await;
    database.sql("INSERT INTO u VALUES (301)").await;
    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; ALTER SEQUENCE t_id_seq OWNED BY t.id").execute(&mut holder).await.unwrap();
    let mut passes = Passes::repairing(&database);
    for _ in 1..=5 {
        let lose = async {
            database.pass_waits_in("advance").await;
            database.row(&format!("SELECT pg_terminate_backend(pid) {}", waiting("advance"))).await;
        };
        let (found, ()) = tokio::join!(passes.lost(), lose);
        assert_eq!(found.outcome(), Some(Outcome::Failed), "{found:#?}");
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    let found = passes.next().await;
    assert_eq!(found.held_by(), Some(HoldReason::Budget), "{found:#?}");
    // Its moves were to follow, and were never sent.
    assert_eq!(database.nextval("u_id_seq").await, 302);
}

#[tokio::test]
async fn a_repair_log_that_is_locked_when_it_is_read_again_keeps_no_pass_from_its_work() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY)").await;
    database.install_sql().await;
    let mut passes = Passes::with(&database, "repair = true\nlock_timeout = \"100ms\"");
    passes.next().await;
    database.by_itself("INSERT INTO t VALUES (1)").await;
    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE pgmedic.repair_log").execute(&mut holder).await.unwrap();
    passes.log_has_grown();
    assert_eq!(passes.next().await.outcome(), Some(Outcome::Repaired));
}

/// A table that is rotated leaves its name, and the sequence's, to the next one.
#[tokio::test]
async fn what_the_log_tells_of_a_renamed_sequence_is_not_told_of_the_one_that_has_its_name() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 200000)").await;
    database.install_sql().await;
    database.once(&[]).exits(0).repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 200_001 }));
    database
        .sql(
            "ALTER TABLE t RENAME TO old; ALTER SEQUENCE t_id_seq RENAME TO old_id_seq; ALTER INDEX t_pkey RENAME TO old_pkey;
             CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 120000)",
        )
        .await;
    let outcome = database.once(&[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 120_001 }));
}

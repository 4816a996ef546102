//! How much is left: up to which limit, and by what.

use super::with;
use crate::support::{Agent, EVERY_SECOND, wait_for};
use serde_json::json;

#[tokio::test]
async fn a_narrower_column_that_references_the_key_limits_it_through_any_number_of_tables() {
    let mut database = with(
        "CREATE TABLE a (id bigserial PRIMARY KEY);
         CREATE TABLE b (a_id bigint PRIMARY KEY REFERENCES a);
         CREATE TABLE c (b_id integer REFERENCES b);
         INSERT INTO a SELECT 9000000000 + g FROM generate_series(1, 10) g",
    )
    .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows(
        "public.a_id_seq",
        json!({ "verdict": "in_sync", "limit": 2_147_483_647, "limited_by": "public.c.b_id" }),
    );
    assert_eq!(database.nextval("a_id_seq").await, 1);
}

#[tokio::test]
async fn a_composite_foreign_key_limits_the_column_that_takes_part() {
    let database = with(
        "CREATE TABLE a (tenant bigint, id bigserial UNIQUE, PRIMARY KEY (tenant, id));
         CREATE TABLE b (tenant bigint, a_id smallint, FOREIGN KEY (tenant, a_id) REFERENCES a)",
    )
    .await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.a_id_seq", json!({ "limit": 32_767, "limited_by": "public.b.a_id" }));
}

#[tokio::test]
async fn the_fix_of_an_exhausted_key_widens_what_references_it_first() {
    let mut database = with(
        "CREATE TABLE a (id smallserial PRIMARY KEY); CREATE TABLE b (a_id smallint PRIMARY KEY REFERENCES a);
         CREATE TABLE c (b_id smallint REFERENCES b); SELECT setval('a_id_seq', 32767)",
    )
    .await;
    let outcome = database.once(&[]).exits(3);
    let fix = outcome.fix("public.a_id_seq");
    let order: Vec<&str> = fix.split("; ").collect();
    let expected = [
        "ALTER TABLE public.c ALTER COLUMN b_id TYPE bigint",
        "ALTER TABLE public.b ALTER COLUMN a_id TYPE bigint",
        "ALTER TABLE public.a ALTER COLUMN id TYPE bigint",
        "ALTER SEQUENCE public.a_id_seq AS bigint NO MAXVALUE",
    ];
    assert_eq!(order, expected);
    assert!(outcome.reason("public.a_id_seq").contains("locked"), "what the statements lock");
    database.sql(&fix).await;
    database.once(&[]).exits(0).shows("public.a_id_seq", json!({ "verdict": "in_sync", "next_value": 32_768 }));
}

#[tokio::test]
async fn a_bound_set_on_purpose_is_named_and_only_raised_to_what_the_column_holds() {
    let mut database = with(
        "CREATE SEQUENCE user_id MINVALUE 4000 MAXVALUE 59999;
         CREATE TABLE passwd (uid integer PRIMARY KEY DEFAULT nextval('user_id')); ALTER SEQUENCE user_id OWNED BY passwd.uid;
         INSERT INTO passwd VALUES (59999), (70000); SELECT setval('user_id', 59999)",
    )
    .await;
    let outcome = database.once(&[]).exits(3);
    let reason = outcome.reason("public.user_id");
    assert!(reason.contains("its own bound 59999") && reason.contains("on purpose"), "{reason}");
    let (_, statement) = reason.rsplit_once('(').expect("a statement in the text");
    assert_eq!(statement, "ALTER SEQUENCE public.user_id AS bigint MAXVALUE 2147483647)");
    database.sql(statement.trim_end_matches(')')).await;
    assert_eq!(database.nextval("user_id").await, 60_000);
}

#[tokio::test]
async fn few_values_left_are_said_and_end_a_run_with_3() {
    let mut database = with(
        "CREATE TABLE states (id serial PRIMARY KEY); ALTER TABLE states ALTER id TYPE bigint;
         SELECT setval('states_id_seq', 2147483600)",
    )
    .await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.states_id_seq", json!({ "verdict": "in_sync", "running_out": true, "days_left": null }));
    let reason = outcome.reason("public.states_id_seq");
    assert!(reason.starts_with("47 values are left before the limit 2147483647"), "{reason}");
    let table = database.pgmedic(&["--once"]).exits(3).stdout;
    assert!(
        table.contains("public.states_id_seq") && table.contains("100.0 %") && table.contains("47 values"),
        "{table}"
    );
    database.once_with("[sequences]\nfail_used_ratio = 1.0\n", &[]).exits(0);
    let quiet = database.once_with("[sequences]\nfail_used_ratio = 1.0\nwarn_used_ratio = 1.0\n", &[]).exits(0);
    quiet.shows("public.states_id_seq", json!({ "running_out": false, "reason": null }));
    database.sql(&outcome.fix("public.states_id_seq")).await;
    database.once(&[]).exits(0);
}

#[tokio::test]
async fn a_repair_tells_how_much_is_used_afterwards() {
    let database =
        with("CREATE TABLE t (id smallserial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 16384)").await;
    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "used_ratio": 0.0 }));
    let used = outcome.sequence("public.t_id_seq")["repair"]["used_ratio"].as_f64().expect("a ratio");
    assert!((used - 16_384.0 / 32_767.0).abs() < 1e-9, "{used}");
}

#[tokio::test]
async fn an_agent_tells_how_many_days_are_left_at_the_pace_that_it_has_seen() {
    let mut database = with("CREATE TABLE t (id smallserial PRIMARY KEY); SELECT setval('t_id_seq', 26000)").await;
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}full_pass_every = 1\n"));
    agent.passes_again(&database.name, 1.0);
    database.sql("SELECT nextval('t_id_seq') FROM generate_series(1, 100)").await;
    let told = wait_for("days_left in the report", || {
        let finding = agent.report()["sequences"][0].clone();
        finding["days_left"].is_number().then_some(finding)
    });
    let days = told["days_left"].as_f64().expect("a number");
    // 6667 values are left, and 100 were handed out in 20 seconds or more.
    assert!(days >= 6667.0 * 20.0 / 100.0 / 86_400.0, "{told:#}");
    assert_eq!(told["running_out"], true);
    let series = format!("pgmedic_sequence_days_left_min{{database=\"{}\"}}", database.name);
    // The longer it watches, the slower is the pace.
    agent.wait_until(&series, |later| later >= days);
    let page = agent.get("/").1;
    assert!(page.contains("Inserts will fail in about"), "{page}");
    agent.stop();
}

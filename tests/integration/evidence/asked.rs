//! When the server is asked, what it is asked for, and what is never told.

use super::Scene;
use crate::support::Agent;
use serde_json::{Value, json};

/// Each pass reads everything.
const EACH_TIME: &str = "[sequences]\nschedule = \"* * * * * *\"\nfull_pass_every = 1\n";

#[tokio::test]
async fn it_is_asked_once_when_a_drift_is_first_seen_and_never_in_a_healthy_pass() {
    let mut scene = Scene::with_statistics().await;
    let asked = "SELECT coalesce(sum(s.calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
                 WHERE d.datname = current_database() AND s.query LIKE '%sees_all%' AND s.query NOT LIKE '%sum(s.calls)%'";
    let agent = Agent::start(&scene.database, EACH_TIME);
    agent.passes_again(&scene.database.name, 2.0);
    assert_eq!(scene.database.number(asked).await, 0);
    // Held, because it is far away: each pass sees it.
    scene.ended_session("import.py", "INSERT INTO orders (id) VALUES (2000000000)").await;
    agent.logs("by INSERT with the column of role");
    agent.passes_again(&scene.database.name, 3.0);
    assert_eq!(scene.database.number(asked).await, 1);
    let found = &agent.report()["sequences"][0];
    assert_eq!(found["evidence"]["statements"][0]["role"], scene.etl.as_str(), "{found:#}");
    let (_, page) = agent.get("/");
    assert!(page.contains("As far as the server tells, by INSERT with the column of role"), "{page}");
    let log = agent.stop();
    assert_eq!(log.matches("as far as the server tells").count(), 1, "{log}");
}

#[tokio::test]
async fn no_text_and_no_value_of_a_statement_is_told() {
    let mut scene = Scene::with_statistics().await;
    let session =
        scene.session("import.py", "INSERT INTO orders (id, note) VALUES (31, 'hunter2') /* hunter3 */").await;
    let mut told = scene.database.once(&["--dry-run"]).exits(3).stdout;
    told += &scene.database.pgmedic(&["--once", "--dry-run", "--verbose"]).exits(3).stdout;
    assert!(told.contains(&scene.etl) && !told.contains("hunter") && !told.contains("VALUES"), "{told}");
    drop(session);
    scene.wait_for_end().await;
    let table = scene.database.pgmedic(&["--once", "--dry-run"]).exits(3).stdout;
    let line = format!(
        "public.orders_id_seq: as far as the server tells, by INSERT with the column of role {} (once)",
        scene.etl
    );
    assert!(table.contains(&line), "{table}");
}

#[tokio::test]
async fn a_role_that_sees_no_other_statements_says_so_and_the_fix_changes_that() {
    let mut scene = Scene::with_statistics().await;
    let medic = scene.database.role("medic");
    scene
        .database
        .sql(&format!("CREATE ROLE {medic} LOGIN; GRANT SELECT ON orders TO {medic}; GRANT SELECT, USAGE ON orders_id_seq TO {medic}"))
        .await;
    let _session = scene.session("import.py", "INSERT INTO orders (id) VALUES (1)").await;
    let found = scene.database.once_as(&medic, &["--dry-run"]).exits(3).sequence("public.orders_id_seq");
    assert_eq!(found["evidence"]["statements"], json!([]));
    let reason = found["evidence"]["reason"].clone();
    assert_eq!(reason["kind"], "missing_privilege", "{found:#}");
    let url = scene.database.url_as(&medic);
    let table = crate::support::pgmedic(&[("DATABASE_URL", &url)], &["--once", "--dry-run"]).exits(3).stdout;
    assert!(table.contains(&format!("GRANT pg_read_all_stats TO {medic}")), "{table}");
    scene.database.sql(reason["fix"].as_str().unwrap()).await;
    let found = scene.database.once_as(&medic, &["--dry-run"]).exits(3).sequence("public.orders_id_seq");
    assert_eq!(found["evidence"]["statements"][0]["role"], scene.etl.as_str(), "{found:#}");
    assert_eq!(found["evidence"]["reason"], Value::Null);
}

#[tokio::test]
async fn a_view_that_only_has_the_extensions_name_is_not_read() {
    let mut scene = Scene::plain().await;
    scene
        .database
        .sql(
            "CREATE FUNCTION sprung() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RAISE 'sprung'; END $$;
             CREATE FUNCTION pg_stat_statements(showtext boolean) RETURNS integer LANGUAGE sql AS 'SELECT public.sprung()';
             CREATE VIEW pg_stat_statements AS SELECT sprung() AS calls",
        )
        .await;
    scene.ended_session("x", "INSERT INTO orders (id) VALUES (1)").await;
    assert_eq!(scene.evidence()["reason"]["kind"], "no_statistics");
}

#[tokio::test]
async fn an_extension_whose_library_is_not_loaded_is_told_as_none() {
    let mut scene = Scene::plain().await;
    scene.database.sql("CREATE EXTENSION pg_stat_statements").await;
    scene.ended_session("x", "INSERT INTO orders (id) VALUES (1)").await;
    assert_eq!(scene.evidence()["reason"]["kind"], "no_statistics");
}

#[tokio::test]
async fn what_was_over_before_the_last_look_is_not_behind_a_drift() {
    let mut scene = Scene::plain().await;
    // Its last statement is from before the agent, and its rows are gone.
    let _earlier = scene.session("earlier", "INSERT INTO orders (id) VALUES (1)").await;
    scene.database.sql("DELETE FROM orders WHERE id = 1; SELECT setval('orders_id_seq', 1)").await;
    let agent = Agent::start(&scene.database, EACH_TIME);
    agent.passes_again(&scene.database.name, 3.0);
    let _session = scene.session("later", "INSERT INTO orders (id) VALUES (2000000000)").await;
    agent.logs("application later");
    let log = agent.stop();
    assert!(!log.contains("application earlier"), "{log}");
}

//! A superuser reads other roles' tables under a lock that VACUUM takes too.

use crate::support::Database;
use serde_json::json;
use sqlx::Connection;

const QUICK: &str = "[sequences]\nlock_timeout = \"20ms\"\n";

/// A table of another role, and a session in which it is being vacuumed, as slowly as can be.
async fn vacuumed() -> (Database, tokio::task::JoinHandle<()>) {
    let mut database = Database::new().await;
    let owner = database.role("owner");
    database
        .sql(&format!(
            "CREATE ROLE {owner}; CREATE TABLE own (id serial PRIMARY KEY); INSERT INTO own VALUES (7);
             CREATE TABLE t (id serial PRIMARY KEY, x text); ALTER TABLE t OWNER TO {owner};
             INSERT INTO t SELECT g, repeat('x', 900) FROM generate_series(1, 4000) AS g"
        ))
        .await;
    let mut vacuum = database.connect().await;
    let working = tokio::spawn(async move {
        for statement in
            ["SET vacuum_cost_delay = 100", "SET vacuum_cost_limit = 1", "VACUUM (DISABLE_PAGE_SKIPPING) t"]
        {
            if sqlx::raw_sql(statement).execute(&mut vacuum).await.is_err() {
                break;
            }
        }
        let _ = vacuum.close().await;
    });
    database.wait_until("SELECT EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE relid = 't'::regclass)").await;
    (database, working)
}

async fn end(database: &mut Database, working: tokio::task::JoinHandle<()>) {
    database.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_progress_vacuum WHERE datname = current_database()").await;
    working.await.unwrap();
}

#[tokio::test]
async fn a_table_that_is_being_vacuumed_is_said_and_its_neighbors_are_repaired() {
    let (mut database, working) = vacuumed().await;
    let outcome = database.once_with(QUICK, &[]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "unreadable", "repair": null }));
    let reason = outcome.sequence("public.t_id_seq")["reason"].clone();
    assert_eq!(reason["kind"], "being_vacuumed");
    let text = reason["text"].as_str().unwrap();
    assert!(text.starts_with("public.t is being vacuumed: a superuser does not read another role's table"), "{text}");
    outcome.repair("public.own_id_seq", json!({ "outcome": "repaired", "next_value": 8 }));
    end(&mut database, working).await;
    database.once(&[]).exits(0).repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 4001 }));
}

#[tokio::test]
async fn the_role_that_the_fix_makes_reads_a_table_while_it_is_being_vacuumed() {
    let (mut database, working) = vacuumed().await;
    let fix = database.once_with(QUICK, &[]).exits(3).fix("public.t_id_seq");
    let role = database.role("medic");
    let fix = fix.replace("--role pgmedic", &format!("--role {role}"));
    let arguments: Vec<&str> = fix.split(' ').skip(1).collect();
    let grants = database.pgmedic(&arguments).exits(0).stdout;
    database.sql(&grants).await;
    let outcome = database.once_as(&role, &[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 4001 }));
    end(&mut database, working).await;
}

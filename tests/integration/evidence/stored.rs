//! What of it is stored in `pgmedic.repair_log`.

use super::Scene;
use crate::support::{Agent, EVERY_SECOND};
use serde_json::Value;

/// Cause and evidence of the last repair.
async fn stored(scene: &mut Scene) -> (String, Value) {
    let row = scene.database.row("SELECT cause, evidence::text FROM pgmedic.repair_log ORDER BY at DESC LIMIT 1").await;
    let evidence: String = sqlx::Row::get(&row, 1);
    (sqlx::Row::get(&row, 0), serde_json::from_str(&evidence).unwrap())
}

#[tokio::test]
async fn a_run_and_the_agent_store_cause_and_evidence_of_each_repair() {
    let mut scene = Scene::with_statistics().await;
    scene.database.install_sql().await;
    scene.ended_session("import.py", "INSERT INTO orders (id) SELECT * FROM generate_series(1, 30)").await;
    let found = scene.database.once(&[]).exits(0).sequence("public.orders_id_seq");
    assert_eq!(stored(&mut scene).await, ("unknown".to_owned(), found["evidence"].clone()));

    let agent = Agent::start(&scene.database, EVERY_SECOND);
    agent.passes_again(&scene.database.name, 1.0);
    scene.ended_session("psql", "ALTER SEQUENCE orders_id_seq RESTART WITH 1").await;
    scene.database.wait_until("SELECT count(*) = 2 FROM pgmedic.repair_log").await;
    agent.stop();
    let (cause, evidence) = stored(&mut scene).await;
    assert_eq!(cause, "rewound");
    let etl = scene.etl.as_str();
    assert_eq!(
        (&evidence["statements"][0]["role"], &evidence["statements"][0]["kind"]),
        (&etl.into(), &"alter_sequence".into())
    );
}

#[tokio::test]
async fn a_table_of_an_earlier_version_is_upgraded_by_installing_again() {
    let mut scene = Scene::plain().await;
    scene.database.install_sql().await;
    scene
        .database
        .sql(
            "INSERT INTO pgmedic.repair_log (role, sequence) VALUES ('app', 'public.orders_id_seq');
             ALTER TABLE pgmedic.repair_log DROP COLUMN cause, DROP COLUMN evidence",
        )
        .await;
    scene.database.install_sql().await;
    assert_eq!(scene.database.number("SELECT count(*) FROM pgmedic.repair_log WHERE evidence IS NULL").await, 1);
    let _session =
        scene.session("it's \\ \"odd\"", "INSERT INTO orders (id) SELECT * FROM generate_series(1, 30)").await;
    scene.database.once(&[]).exits(0);
    let (_, evidence) = stored(&mut scene).await;
    assert_eq!(evidence["statements"][0]["application"], "it's \\ \"odd\"", "{evidence:#}");
}

#[tokio::test]
async fn the_last_24_hours_of_the_page_outlive_a_restart() {
    let mut scene = Scene::plain().await;
    scene.database.install_sql().await;
    let agent = Agent::start(&scene.database, EVERY_SECOND);
    agent.passes_again(&scene.database.name, 1.0);
    let _session = scene.session("import.py", "INSERT INTO orders (id) SELECT * FROM generate_series(1, 30)").await;
    scene.database.wait_until("SELECT count(*) = 1 FROM pgmedic.repair_log").await;
    agent.stop();
    // Older than a day.
    scene
        .database
        .sql(
            "INSERT INTO pgmedic.repair_log (at, role, source, sequence, counted)
             VALUES (now() - interval '25 hours', 'postgres', 'agent', 'public.orders_id_seq', true)",
        )
        .await;
    let agent = Agent::start(&scene.database, EVERY_SECOND);
    agent.passes_again(&scene.database.name, 2.0);
    crate::support::wait_for("the page with the repair of the run before", || {
        let (_, page) = agent.get("/");
        (page.contains("Repairs in each of the last 24 hours: 1 in all") && page.contains("application import.py"))
            .then_some(())
    });
    agent.stop();
}

//! What has no sequence, or none that can be read here, is refused with the reason, and nothing is moved.

use super::Scene;

#[tokio::test]
async fn views_and_columns_without_a_sequence_are_refused_by_name() {
    for (setup, call, refusal) in [
        ("CREATE TABLE b (id serial); CREATE VIEW t AS SELECT id FROM b", "'t', 'id'", "no sequence feeds public.t.id"),
        (
            "CREATE SEQUENCE s; CREATE TABLE b (id int); CREATE VIEW t AS SELECT id FROM b;
             ALTER VIEW t ALTER id SET DEFAULT nextval('s')",
            "'t', 'id'",
            "public.s feeds no column whose ids are its own values",
        ),
        (
            "CREATE TABLE \"It's\" (\"The \"\"Id\" int); CREATE TABLE t ()",
            "'\"It''s\"', 'The \"Id'",
            "no sequence feeds public.\"It's\".\"The \"\"Id\"",
        ),
        ("CREATE TABLE t ()", "'t', '\"; DROP TABLE t; --'", "public.t has no column \"\"\"; DROP TABLE t; --\""),
    ] {
        let mut scene = Scene::new(setup).await;
        let all = format!("GRANT INSERT ON ALL TABLES IN SCHEMA public TO \"{app}\"", app = scene.app);
        scene.may_insert().await;
        scene.database.sql(&all).await;
        let refused = scene.repair(call).await.unwrap_err();
        assert!(refused.contains(refusal), "{refused}\nin: {setup}");
    }
}

#[tokio::test]
async fn a_foreign_table_is_refused_and_its_sequence_stays() {
    let mut scene = Scene::new("CREATE SEQUENCE s").await;
    let owner = scene.owner.clone();
    scene
        .database
        .sql(&format!(
            "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER remote FOREIGN DATA WRAPPER w;
             CREATE FOREIGN TABLE t (id int DEFAULT nextval('s')) SERVER remote; ALTER TABLE t OWNER TO \"{owner}\""
        ))
        .await;
    scene.may_insert().await;
    let refused = scene.repair("'t', 'id'").await.unwrap_err();
    assert!(refused.contains("public.s feeds no column whose ids are its own values"), "{refused}");
    assert_eq!(scene.database.nextval("s").await, 1);
}

#[tokio::test]
async fn quoted_names_are_repaired() {
    let setup = "CREATE TABLE \"It's\" (\"The \"\"Id'%I\" serial PRIMARY KEY, x int);
                 INSERT INTO \"It's\" SELECT generate_series(1, 20); CREATE TABLE t ()";
    let mut scene = Scene::new(setup).await;
    scene.may_insert().await;
    scene.database.sql(&format!("GRANT INSERT ON \"It's\" TO \"{app}\"", app = scene.app)).await;
    assert_eq!(scene.repair("'\"It''s\"', 'The \"Id''%I'").await, Ok(20));
}

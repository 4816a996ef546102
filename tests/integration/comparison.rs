//! What the README says of pgmedic in its comparison with other tools: the same cases, judged by the same oracle.

#[path = "../../benches/peers/cases.rs"]
mod cases;
#[path = "../../benches/peers/oracle.rs"]
mod oracle;

use crate::support::{Database, pgmedic};
use cases::{Aim, CASES, Case, DRIFTS};
use oracle::{Scene, Verdict};
use std::error::Error;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Plays the cases up to the moment when a repair comes: all in one database, for they share no table.
async fn played(database: &mut Database, cases: impl IntoIterator<Item = &'static Case>) -> Vec<Scene<'static>> {
    let mut scenes = Vec::new();
    for case in cases {
        database.sql(case.setup).await;
        scenes.push(Scene::play(case, database.url().to_owned()).await.unwrap());
    }
    scenes
}

#[tokio::test]
async fn one_run_does_right_in_every_case_of_the_comparison() {
    let mut database = Database::new().await;
    let scenes = played(&mut database, &CASES).await;
    // One of them has no id left, and that is what the code says.
    pgmedic(&[("DATABASE_URL", database.url())], &["--once"]).exits(3);
    for (scene, case) in scenes.into_iter().zip(&CASES) {
        if case.aim == Aim::Repaired {
            let last = database.number(&format!("SELECT last_value FROM {}", case.sequence)).await;
            assert_eq!(last, case.last, "{}: no id is wasted", case.name);
        }
        let verdict = scene.judge(case.aim == Aim::Said).await.unwrap();
        assert!(verdict.is_well(), "{}: {verdict}", case.name);
    }
}

#[tokio::test]
async fn each_kind_of_drift_is_one_until_somebody_comes() {
    let mut database = Database::new().await;
    for (scene, case) in played(&mut database, &CASES[..DRIFTS]).await.into_iter().zip(&CASES) {
        assert_eq!(scene.judge(false).await.unwrap(), Verdict::NotSeen, "{}", case.name);
    }
}

#[tokio::test]
async fn a_setval_to_the_largest_id_is_caught_where_it_does_harm() {
    let mut database = Database::new().await;
    let mut caught = Vec::new();
    for (scene, case) in played(&mut database, &CASES).await.into_iter().zip(&CASES) {
        let (table, column) = (oracle::quoted(case.feeds[0].table), oracle::quoted(case.feeds[0].column));
        let largest = format!("(SELECT max({column}) FROM {table})");
        database.sql(&format!("SELECT setval('{}', {largest})", case.sequence)).await;
        let verdict = scene.judge(false).await.unwrap();
        if !verdict.is_well() {
            caught.push((case.name, verdict.short()));
        }
    }
    let expected = [
        ("descending", "moved back"),
        ("increment 10, one offset a node", "offset lost"),
        ("three tables on one sequence", "23505 after it"),
        ("CACHE 50, a session holds values", "23505 after it"),
        ("in order, newest rows deleted", "moved back"),
        ("no id left in an integer column", "not said"),
    ];
    assert_eq!(caught, expected.map(|(name, verdict)| (name, verdict.to_owned())));
}

//! Plays the cases of docs/comparison.md for pgmedic alone, judged by the benchmark's oracle, and checks that the two
//! documents show the rows that the benchmark writes.

#[path = "../../../benches/peers/cases.rs"]
mod cases;
#[path = "../../../benches/peers/oracle.rs"]
mod oracle;

use crate::support::{Database, pgmedic};
use cases::{Aim, CASES, Case, DRIFTS, DRIFTS_REPAIRED, LEFT_ALONE, README_ROWS, RIGHTLY_LEFT_ALONE};
use oracle::{Scene, Verdict};
use std::error::Error;
use std::fs;
use std::path::Path;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Plays the cases up to the moment before a repair. They share a database, because no two use the same table.
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
    assert!(CASES[CASES.len() - LEFT_ALONE..].iter().all(|case| case.aim == Aim::LeftAlone));
    // One case has no id left, so a problem remains.
    pgmedic(&[("DATABASE_URL", database.url())], &["--once"]).exits(3);
    for (scene, case) in scenes.into_iter().zip(&CASES) {
        if case.aim == Aim::Repaired {
            let last = database.number(&format!("SELECT last_value FROM {}", case.sequence)).await;
            assert_eq!(last, case.last, "{}: no id is wasted", case.name);
        }
        let verdict = scene.judge(case.aim == Aim::Reported).await.unwrap();
        assert!(verdict.is_well(), "{}: {verdict}", case.name);
    }
}

#[tokio::test]
async fn each_kind_of_drift_makes_inserts_fail_until_it_is_repaired() {
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
        ("three tables on one sequence", "still 23505"),
        ("CACHE 50, a session holds values", "still 23505"),
        ("in order, newest rows deleted", "moved back"),
        ("no id left in an integer column", "not reported"),
        ("one id far ahead", "moved"),
        ("numbering restarted on purpose", "moved"),
    ];
    assert_eq!(caught, expected.map(|(name, verdict)| (name, verdict.to_owned())));
}

/// The first cell of each row of a document's table of figures.
fn rows(document: &str, figures: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
    let (_, block) = text.split_once(&format!("<!-- figures: {figures} -->")).unwrap();
    let (block, _) = block.split_once("<!-- /figures -->").unwrap();
    let lines = block.lines().filter_map(|line| line.strip_prefix('|'));
    lines.skip(2).map(|line| line.split('|').next().unwrap().trim().to_owned()).collect()
}

#[test]
fn the_readme_shows_five_rows_and_the_comparison_every_case() {
    assert_eq!(rows("README.md", "peers"), README_ROWS);
    let mut names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    names.insert(DRIFTS, DRIFTS_REPAIRED);
    names.push(RIGHTLY_LEFT_ALONE);
    assert_eq!(rows("docs/comparison.md", "peers-drifts"), names);
}

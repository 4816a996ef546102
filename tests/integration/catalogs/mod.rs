//! Runs pgmedic on random hostile schemas. The expected result for each sequence is derived from how it was made, and
//! from nothing that pgmedic reads.
//!
//! `CATALOG_SEED=<number>` repeats a run that printed it; `CATALOG_CASES=<number>` sets the number of sequences in a
//! round (default 48).

mod case;
mod dice;
mod names;
mod remembered;
mod scene;
mod storm;
mod tricks;
mod untrusted;

use crate::support::Outcome;
use case::{Case, Who};
use scene::Scene;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// A larger lag needs a leap.
const ADVANCE_LIMIT: i64 = 30;

const SETTINGS: &str = "[sequences]\nadvance_limit = 30\nlock_timeout = \"10s\"\nstatement_timeout = \"60s\"\n";

#[tokio::test]
async fn a_superuser_moves_what_is_behind_and_nothing_else_and_runs_no_owners_code() {
    let mut scene = Scene::new(1).await;
    round(&mut scene, Who::Superuser).await;
    assert!(!scene.database.spied().contains("postgres"), "{}", scene.seed());
}

#[tokio::test]
async fn an_owner_moves_what_is_behind_and_nothing_else() {
    round(&mut Scene::new(2).await, Who::Owner).await;
}

#[tokio::test]
async fn the_role_that_grants_makes_moves_what_is_behind_and_nothing_else() {
    let mut scene = Scene::new(3).await;
    // These functions run when a read is planned. They can write nothing, which `round` checks.
    let runs_code = scene.cases.iter().any(Case::runs_code);
    round(&mut scene, Who::Medic).await;
    assert_eq!(scene.database.spied().contains(&scene.role(Who::Medic)), runs_code, "{}", scene.seed());
}

async fn round(scene: &mut Scene, who: Who) {
    if who == Who::Medic {
        scene.make_medic().await;
    }
    let (contents, before) = (scene.contents().await, scene.states().await);
    let dry = scene.pass(who, &["--dry-run"]);
    assert_eq!(scene.states().await, before, "a dry run moved a sequence: {}", scene.seed());
    let findings = agree(scene, &dry, who).await;
    let real = scene.pass(who, &[]);
    agree(scene, &real, who).await;
    let after = scene.states().await;
    for case in &scene.cases {
        let name = case.sequence();
        let context = || format!("{}\n{case:#?}\nfound: {:#}", scene.seed(), findings[&scene.reported[&name]]);
        let (before, after) = (before[&name], after[&name]);
        assert_eq!(before, case.next, "not created as described: {}", context());
        assert_eq!(after, case.next_after(who, ADVANCE_LIMIT), "{}", context());
    }
    assert_eq!(scene.contents().await, contents, "more than sequences was changed: {}", scene.seed());
    shows_no_control(scene, who);
}

/// Checks that the report has each sequence exactly once, with its expected verdict, and no others.
async fn agree(scene: &mut Scene, outcome: &Outcome, who: Who) -> HashMap<String, Value> {
    let database = outcome.database();
    assert_eq!(database["error"], Value::Null, "{}", scene.seed());
    let names = outcome.names();
    let mut reported: BTreeMap<&str, usize> = BTreeMap::new();
    for name in &names {
        *reported.entry(name).or_default() += 1;
    }
    let expected: BTreeMap<&str, usize> = scene.reported.values().map(|name| (name.as_str(), 1)).collect();
    assert_eq!(reported, expected, "{}", scene.seed());
    let sequences = database["sequences"].as_array().expect("sequences").clone();
    let findings: HashMap<String, Value> = names.into_iter().zip(sequences).collect();
    for case in &scene.cases {
        let finding = &findings[&scene.reported[&case.sequence()]];
        assert_eq!(finding["verdict"], case.verdict(who), "{}\n{case:#?}\nfound: {finding:#}", scene.seed());
    }
    findings
}

/// Checks that no name reaches the terminal with a control character, in the table or the log.
fn shows_no_control(scene: &Scene, who: Who) {
    let config = scene.database.config_as(&scene.role(who), SETTINGS);
    let path = config.path().to_str().expect("a UTF-8 path");
    let outcome = crate::support::pgmedic(&[], &["--once", "--dry-run", "--config", path]);
    for text in [&outcome.stdout, &outcome.stderr] {
        let steers = |c: char| c.is_control() && c != '\n' || ['\u{202e}', '\u{2028}'].contains(&c);
        assert!(!text.contains(steers), "{}\n{text:?}", scene.seed());
    }
}

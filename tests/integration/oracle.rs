//! Compares pgmedic's arithmetic with PostgreSQL's: random sequences and ids, and for each an exact copy of the
//! sequence, on which `nextval` is called until it is past every id, or fails.
//!
//! `ORACLE_SEED=<number> cargo test --test integration oracle::` repeats the cases of a run that printed this number.

mod case;
mod expected;

use crate::support::{Database, Outcome, pgmedic};
use case::{Case, any_case};
use expected::{Drawn, Expected, Terms};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use sqlx::Row;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

/// The number of cases in a round. There are three rounds.
const CASES: usize = 200;

static SEED: LazyLock<u64> = LazyLock::new(|| match std::env::var("ORACLE_SEED") {
    Ok(seed) => seed.parse().expect("ORACLE_SEED is a whole number"),
    Err(_) => RandomState::new().build_hasher().finish(),
});

const OWNER: Terms = Terms { headroom: 0, advance_limit: 100_000, max_repair_ratio: 1.0, owner: true };

#[tokio::test]
async fn findings_and_advances_agree_with_nextval_on_a_copy() {
    round(1, OWNER).await;
}

#[tokio::test]
async fn leaps_and_headroom_agree_with_nextval_on_a_copy() {
    round(2, Terms { headroom: 3, ..OWNER }).await;
}

#[tokio::test]
async fn repairs_by_a_role_that_does_not_own_the_sequence_agree_with_nextval_on_a_copy() {
    round(3, Terms { headroom: 1, owner: false, ..OWNER }).await;
}

async fn round(number: u8, terms: Terms) {
    println!("ORACLE_SEED={}", *SEED);
    let cases = cases(number);
    let mut database = Database::new().await;
    build(&mut database, &cases).await;
    let before = next_values(&mut database, &cases).await;
    let drawn = draw(&mut database, &cases, terms).await;
    let role = if terms.owner { "postgres".to_owned() } else { guest(&mut database).await };

    let dry = findings(&run(&database, &role, terms, &["--dry-run"]));
    assert_eq!(next_values(&mut database, &cases).await, before, "a dry run moved something");
    let real = findings(&run(&database, &role, terms, &[]));
    let again = findings(&run(&database, &role, terms, &[]));
    let after = take_one(&mut database, &cases).await;

    for (number, (case, drawn)) in cases.iter().zip(&drawn).enumerate() {
        let name = format!("public.s_{number}");
        let expected = Expected::of(case, drawn, terms);
        let told = || {
            let next: Vec<_> = drawn.values.iter().take(12).collect();
            format!("ORACLE_SEED={} {name} {case:#?}\nnextval: {next:?} …\nreport: {:#}", *SEED, real[&name])
        };
        for (key, value) in expected.finding.as_object().unwrap() {
            if key == "repair" {
                agree_on_repair(value, &real[&name]["repair"], &told);
            } else {
                assert_eq!(&real[&name][key], value, "{key} of {}", told());
                assert_eq!(&dry[&name][key], value, "{key} in a dry run of {}", told());
            }
        }
        if expected.near_limit {
            // How much of a block at the limit is passed is the judgement's to decide; an insert never meets a taken id.
            // By taking whole caches, an advance may end at a taken id near the limit, which is said.
            let repair = &real[&name]["repair"];
            let repaired = repair["outcome"] == "repaired" && repair["held_by"] != "limit";
            let taken = |value: i64| case.whole_ids().any(|id| id == i128::from(value));
            assert!(!repaired || after[number].is_some_and(|value| !taken(value)), "a taken id: {}", told());
            continue;
        }
        assert_eq!(after[number], expected.next, "nextval after the pass: {}", told());
        let sign = i128::from(case.increment.signum());
        if let (Some(before), Some(after)) = (before[number], after[number]) {
            assert!((i128::from(after) - i128::from(before)) * sign >= 0, "moved back: {}", told());
        }
        if expected.finding["repair"]["outcome"] == "repaired" {
            assert_eq!(again[&name]["verdict"], "in_sync", "a second pass: {}", told());
        } else {
            assert_eq!(again[&name]["next_value"], serde_json::json!(expected.next), "a second pass: {}", told());
        }
    }
    tally(&real);
}

fn agree_on_repair(expected: &Value, found: &Value, told: &impl Fn() -> String) {
    let Some(expected) = expected.as_object() else {
        assert_eq!(found, expected, "repair of {}", told());
        return;
    };
    for (key, value) in expected {
        assert_eq!(&found[key], value, "repair.{key} of {}", told());
    }
}

fn cases(round: u8) -> Vec<Case> {
    let mut seed = [round; 32];
    seed[..8].copy_from_slice(&SEED.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let strategy = any_case();
    (0..CASES).map(|_| strategy.new_tree(&mut runner).expect("a case").current()).collect()
}

async fn build(database: &mut Database, cases: &[Case]) {
    database
        .sql(
            // Calls `nextval` until it is past `furthest`, and then `more` times. A null at the end stands for an
            // error.
            "CREATE FUNCTION draw(sequence regclass, furthest numeric, direction integer, more integer)
             RETURNS bigint[] LANGUAGE plpgsql AS $$
             DECLARE
                 drawn bigint[] := '{}';
                 wanted integer := CASE WHEN furthest IS NULL THEN more END;
             BEGIN
                 WHILE wanted IS NULL OR cardinality(drawn) < wanted LOOP
                     drawn := drawn || nextval(sequence);
                     IF wanted IS NULL AND (drawn[cardinality(drawn)] - furthest) * direction > 0 THEN
                         wanted := 2 * cardinality(drawn) + more;
                     END IF;
                 END LOOP;
                 RETURN drawn;
             EXCEPTION WHEN sequence_generator_limit_exceeded THEN
                 RETURN drawn || NULL::bigint;
             END $$",
        )
        .await;
    for (chunk, cases) in cases.chunks(50).enumerate() {
        let statements: String = cases.iter().enumerate().map(|(place, case)| case.sql(chunk * 50 + place)).collect();
        database.sql(&statements).await;
    }
}

/// The value that `nextval` would return for each sequence, computed from its state.
async fn next_values(database: &mut Database, cases: &[Case]) -> Vec<Option<i64>> {
    let parts: Vec<String> = cases
        .iter()
        .enumerate()
        .map(|(number, case)| {
            let Case { increment, min, max, .. } = case;
            format!(
                "SELECT {number} AS number, last_value + CASE WHEN is_called THEN '{increment}'::numeric ELSE 0 END AS next, \
                        '{min}'::bigint AS min, '{max}'::bigint AS max FROM public.s_{number}"
            )
        })
        .collect();
    let query = format!(
        "SELECT array_agg(CASE WHEN next BETWEEN min AND max THEN next::bigint END ORDER BY number) FROM ({}) AS parts",
        parts.join(" UNION ALL ")
    );
    database.row(&query).await.get(0)
}

async fn draw(database: &mut Database, cases: &[Case], terms: Terms) -> Vec<Drawn> {
    let more = 2 * terms.headroom + 50;
    let mut all = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let furthest = case.furthest_id().map_or("NULL".to_owned(), |id| format!("'{id}'"));
        let sign = case.increment.signum();
        let row = database.row(&format!("SELECT draw('copy_{number}', {furthest}, {sign}, {more})")).await;
        let drawn: Vec<Option<i64>> = row.get(0);
        let ended = drawn.last() == Some(&None);
        all.push(Drawn { values: drawn.into_iter().flatten().collect(), ended });
    }
    all
}

/// Calls `nextval` on each real sequence. `None` for an error.
async fn take_one(database: &mut Database, cases: &[Case]) -> Vec<Option<i64>> {
    let last = cases.len() - 1;
    let query = format!(
        "SELECT array_agg((draw(format('public.s_%s', number)::regclass, NULL, 1, 1))[1] ORDER BY number)
         FROM generate_series(0, {last}) AS number"
    );
    database.row(&query).await.get(0)
}

/// Creates a role with the minimal privileges for repairs by advance.
async fn guest(database: &mut Database) -> String {
    let role = database.role("guest");
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN;
             GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
             GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
        ))
        .await;
    role
}

fn run(database: &Database, role: &str, terms: Terms, arguments: &[&str]) -> Outcome {
    let Terms { headroom, advance_limit, max_repair_ratio, .. } = terms;
    let [headroom, advance_limit, max_repair_ratio] =
        [headroom.to_string(), advance_limit.to_string(), max_repair_ratio.to_string()];
    let variables = [
        ("DATABASE_URL", &*database.url_as(role)),
        ("PGMEDIC_SEQUENCES__HEADROOM", &headroom),
        ("PGMEDIC_SEQUENCES__ADVANCE_LIMIT", &advance_limit),
        ("PGMEDIC_SEQUENCES__MAX_REPAIR_RATIO", &max_repair_ratio),
        // Prevents that a leap times out on a busy machine.
        ("PGMEDIC_SEQUENCES__LOCK_TIMEOUT", "10s"),
    ];
    pgmedic(&variables, &[&["--once", "--format", "json"], arguments].concat())
}

fn findings(outcome: &Outcome) -> HashMap<String, Value> {
    let sequences = outcome.database()["sequences"].as_array().expect("sequences").clone();
    assert_eq!(sequences.len(), CASES, "{}", outcome.stderr);
    sequences.into_iter().map(|finding| (finding["name"].as_str().expect("a name").to_owned(), finding)).collect()
}

/// Checks that the generator made enough cases of each kind.
fn tally(findings: &HashMap<String, Value>) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for finding in findings.values() {
        for word in [&finding["verdict"], &finding["repair"]["outcome"]] {
            *counts.entry(word.as_str().unwrap_or("none")).or_default() += 1;
        }
    }
    println!("{counts:?}");
    for (word, least) in [("in_sync", 10), ("behind", 20), ("repaired", 5), ("exhausted", 3)] {
        assert!(counts.get(word).is_some_and(|count| *count >= least), "too few {word}: {counts:?}");
    }
}

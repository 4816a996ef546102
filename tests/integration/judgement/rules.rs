//! `[[sequences.rules]]`: lasting decisions about some sequences.

use super::with;
use crate::support::{Agent, EVERY_SECOND};
use serde_json::json;

const FAR: &str =
    "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES; INSERT INTO t VALUES (999999999)";

#[tokio::test]
async fn ids_beyond_a_stated_max_id_are_not_counted_and_it_is_the_limit() {
    let mut database = with(FAR).await;
    let rule = "[[sequences.rules]]\nmatch = 'public.t_*'\nmax_id = 999999998\n";
    let outcome = database.once_with(rule, &[]).exits(0);
    outcome.shows(
        "public.t_id_seq",
        json!({ "verdict": "in_sync", "max_id": 1, "limit": 999_999_998, "limited_by": "max_id", "rule": "public.t_*" }),
    );
    database.sql("INSERT INTO t VALUES (2), (3)").await;
    let outcome = database.once_with(rule, &[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 4 }));
}

#[tokio::test]
async fn a_stated_max_id_before_the_next_value_is_said_as_exhausted_without_a_fix() {
    let mut database = with("CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 700)").await;
    let rule = "[[sequences.rules]]\nmatch = 'public.t_id_seq'\nmax_id = 600\n";
    let outcome = database.once_with(rule, &[]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "exhausted", "limited_by": "max_id" }));
    let reason = outcome.sequence("public.t_id_seq")["reason"].clone();
    assert_eq!(reason["fix"], json!(null), "{reason}");
    assert!(reason["text"].as_str().is_some_and(|text| text.contains("600, the last stated as max_id")), "{reason}");
    assert_eq!(database.nextval("t_id_seq").await, 701);
}

/// The ids beyond are another's, as the configuration says; those before it are still passed.
#[tokio::test]
async fn a_stated_max_id_below_the_ids_that_are_there_leaves_them_out_until_the_values_are_used_up() {
    let mut database = with(
        "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (4), (5), (70); SELECT setval('t_id_seq', 3)",
    )
    .await;
    let rule = "[[sequences.rules]]\nmatch = 'public.t_id_seq'\nmax_id = 50\n";
    let outcome = database.once_with(rule, &[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "max_id": 5, "limit": 50, "limited_by": "max_id" }));
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 6 }));
    // No id is as low, and no value is left.
    let outcome = database.once_with(&rule.replace("50", "-5"), &[]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "exhausted", "limited_by": "max_id", "repair": null }));
    assert_eq!(database.nextval("t_id_seq").await, 6);
}

#[tokio::test]
async fn a_sequence_that_is_only_observed_is_shown_and_is_no_problem() {
    let mut database = with("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (1), (2)").await;
    let rule = "[[sequences.rules]]\nmatch = 'public.*'\nrepair = false\n";
    let outcome = database.once_with(rule, &[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "lag": 2, "rule": "public.*" }));
    outcome.repair("public.t_id_seq", json!({ "outcome": "skipped" }));
    assert_eq!(database.nextval("t_id_seq").await, 1);
}

#[tokio::test]
async fn the_first_match_decides_and_a_rule_that_applies_to_nothing_is_said() {
    let mut database = with(
        "CREATE TABLE a (id serial PRIMARY KEY); INSERT INTO a VALUES (1);
         CREATE TABLE b (id serial PRIMARY KEY); INSERT INTO b VALUES (1)",
    )
    .await;
    let rules = "[[sequences.rules]]\nmatch = 'public.a_*'\nheadroom = 10\n
                 [[sequences.rules]]\nmatch = 'public.*'\nheadroom = 100\n
                 [[sequences.rules]]\nmatch = 'public.b_*'\nheadroom = 1000\n";
    let outcome = database.once_with(rules, &[]).exits(0);
    outcome.repair("public.a_id_seq", json!({ "next_value": 12 }));
    outcome.repair("public.b_id_seq", json!({ "next_value": 102 }));
    assert!(outcome.stderr.contains("match = \"public.b_*\" applies to no sequence"), "{}", outcome.stderr);
    assert_eq!(database.nextval("a_id_seq").await, 12);
}

#[tokio::test]
async fn an_agent_says_once_that_a_rule_applies_to_no_sequence() {
    let database = with("CREATE TABLE a (id serial PRIMARY KEY)").await;
    let rules = "[[sequences.rules]]\nmatch = 'public.a_*'\nheadroom = 10\n
                 [[sequences.rules]]\nmatch = 'public.ticket_no'\nrepair = false\n";
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}{rules}"));
    agent.logs("match = \"public.ticket_no\" applies to no sequence; correct it, or remove the rule");
    agent.passes_again(&database.name, 2.0);
    let log = agent.stop();
    assert_eq!(log.matches("applies to no sequence").count(), 1, "{log}");
}

#[tokio::test]
async fn what_a_rule_says_to_leave_has_no_approval_as_its_fix() {
    let database = with(
        "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (1), (2000000000); SELECT setval('t_id_seq', 5)",
    )
    .await;
    let rule = "[[sequences.rules]]\nmatch = 'public.t_id_seq'\nrepair = false\n";
    let outcome = database.once_with(rule, &[]).exits(0);
    let reason = json!({ "kind": "repair_disabled", "text": "a rule says repair = false", "fix": null });
    outcome.repair("public.t_id_seq", json!({ "outcome": "skipped", "held_by": null, "reason": reason }));
}

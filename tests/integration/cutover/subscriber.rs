//! Effects that occur on a subscriber of any server.

use super::Pair;
use serde_json::json;

const ORDERS: &str = "public.orders_id_seq";

/// The slot of the subscription is inactive. (The initial copy of each table uses a separate slot, which may still
/// exist.)
const GONE: &str = "SELECT NOT active FROM pg_replication_slots WHERE slot_name = 'cutover'";

#[tokio::test]
async fn sequences_are_not_replicated_and_the_dry_run_says_so() {
    let mut pair = Pair::subscribed().await;
    pair.old.sql("INSERT INTO orders (note) SELECT 'a' FROM generate_series(1, 50)").await;
    pair.old.sql("INSERT INTO users (note) SELECT 'a' FROM generate_series(1, 70)").await;
    pair.old.sql("INSERT INTO invoices (note) SELECT 'a' FROM generate_series(1, 10)").await;
    pair.wait_until_orders(50).await;
    pair.new.wait_until("SELECT count(*) = 10 FROM invoices").await;
    let looked = pair.new.once(&["--dry-run"]).exits(3);
    looked.shows(ORDERS, json!({ "verdict": "behind", "next_value": 1, "max_id": 50, "lag": 50 }));
    looked.shows("public.users_id_seq", json!({ "verdict": "behind", "max_id": 70 }));
    looked.shows("public.numbers", json!({ "verdict": "behind", "max_id": 46, "lag": 10 }));

    pair.new.once(&[]).exits(0);
    assert_eq!(pair.new.number("INSERT INTO users (note) VALUES ('b') RETURNING id").await, 71);
    assert_eq!(pair.new.number("INSERT INTO invoices (note) VALUES ('b') RETURNING id::bigint").await, 51);
}

#[tokio::test]
async fn rows_that_arrive_late_find_their_ids_free_only_with_headroom() {
    let mut pair = Pair::subscribed().await;
    pair.old.sql("INSERT INTO orders (note) SELECT 'a' FROM generate_series(1, 50)").await;
    pair.wait_until_orders(50).await;
    // Repaired an hour ago, with the headroom of the configuration.
    pair.new.once_with("[sequences]\nheadroom = 200\n", &[]).exits(0).repair(ORDERS, json!({ "next_value": 251 }));
    pair.old.sql("INSERT INTO orders (note) SELECT 'a' FROM generate_series(1, 190)").await;
    pair.wait_until_orders(240).await;
    pair.new.sql("ALTER SUBSCRIPTION cutover DISABLE").await;
    pair.old.wait_until(GONE).await;
    pair.old.sql("INSERT INTO orders (note) SELECT 'late' FROM generate_series(1, 150)").await;

    // 10 of the 200 values are left, and no drift is reported: the next insert here takes the id of a row that has not
    // arrived.
    pair.new.once_with("[sequences]\nheadroom = 200\n", &[]).exits(0).shows(ORDERS, json!({ "verdict": "in_sync" }));
    assert_eq!(pair.old.number("SELECT count(*) FROM orders WHERE id = 251").await, 1);

    let gate = pair.new.once(&["--headroom", "200"]).exits(0);
    gate.shows(ORDERS, json!({ "verdict": "behind", "max_id": 240, "lag": 190 }));
    gate.repair(ORDERS, json!({ "outcome": "repaired", "next_value": 441 }));
    pair.new.sql("INSERT INTO orders (note) SELECT 'new' FROM generate_series(1, 10)").await;
    pair.new.sql("ALTER SUBSCRIPTION cutover ENABLE").await;
    pair.wait_until_orders(400).await;
}

#[tokio::test]
async fn the_gate_holds_what_a_poisoned_id_brought_along() {
    let mut pair = Pair::subscribed().await;
    pair.old.sql("INSERT INTO orders (id, note) VALUES (2000000000, 'imported by hand')").await;
    pair.wait_until_orders(1).await;
    pair.new.once(&["--headroom", "1000"]).exits(3).repair(ORDERS, json!({ "outcome": "held" }));
    // The other sequences are repaired, and after the row is deleted the check succeeds.
    pair.old.sql("DELETE FROM orders").await;
    pair.wait_until_orders(0).await;
    pair.new.once(&["--headroom", "1000"]).exits(0).repair(ORDERS, json!({ "outcome": "repaired" }));
    assert_eq!(pair.new.once(&["--headroom", "1000", "--dry-run"]).exits(0).json()["summary"]["in_sync"], 4);
}

#[tokio::test]
async fn a_subscriber_that_is_down_is_no_open_gate() {
    let mut pair = Pair::subscribed().await;
    pair.servers[1].stop_hard();
    pair.new.once(&["--headroom", "1000"]).exits(1);
}

#[tokio::test]
async fn another_owner_on_the_subscriber_is_named_where_it_matters() {
    let mut pair = Pair::subscribed().await;
    // Restored with --no-owner by another role: one role owns the sequence, and another the table that uses it.
    pair.new
        .sql(
            "CREATE ROLE other; CREATE ROLE clerk; CREATE ROLE medic LOGIN;
             ALTER SEQUENCE numbers OWNER TO other;
             ALTER TABLE invoices OWNER TO clerk;
             ALTER TABLE orders OWNER TO other;
             GRANT SELECT ON ALL TABLES IN SCHEMA public TO medic;
             GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO medic",
        )
        .await;
    pair.old.sql("INSERT INTO invoices (note) VALUES ('a'), ('b')").await;
    pair.old.sql("INSERT INTO orders (note) SELECT 'a' FROM generate_series(1, 50)").await;
    pair.wait_until_orders(50).await;
    pair.new.wait_until("SELECT count(*) = 2 FROM invoices").await;

    let small = "[sequences]\nadvance_limit = 10\n";
    let outcome = pair.new.once_with_as("medic", small, &[]).exits(3);
    outcome.repair(ORDERS, json!({ "outcome": "held" }));
    assert!(outcome.repair_reason(ORDERS).contains("GRANT other TO medic"), "{}", outcome.repair_reason(ORDERS));
    pair.new.sql("GRANT other TO medic").await;
    let outcome = pair.new.once_with_as("medic", small, &[]).exits(3);
    outcome.repair(ORDERS, json!({ "outcome": "repaired", "next_value": 51 }));

    // A default that uses the sequence of an owner whom the table's owner cannot act for does not count. Its inserts fail,
    // which the exit code and the report say.
    outcome.shows("public.numbers", json!({ "verdict": "behind", "feeds": [] }));
    outcome.repair("public.numbers", json!({ "outcome": "held", "held_by": "ownership" }));
    let reason = outcome.repair_reason("public.numbers");
    assert!(reason.contains("public.invoices.id") && reason.contains("clerk"), "{reason}");
    let declared = "[[sequences.feeds]]\nsequence = \"public.numbers\"\ncolumn = \"public.invoices.id\"\n";
    pair.new
        .once_with(declared, &[])
        .exits(0)
        .repair("public.numbers", json!({ "outcome": "repaired", "next_value": 11 }));
}

//! Ids that no insert meets soon are held: one odd row burns no key.

use super::with;
use serde_json::json;

#[tokio::test]
async fn one_memorable_id_burns_nothing_and_the_reason_gives_the_ways_on() {
    let mut database = with(
        "CREATE TABLE customers (id serial PRIMARY KEY);
         INSERT INTO customers SELECT nextval('customers_id_seq') FROM generate_series(1, 500);
         INSERT INTO customers VALUES (999999999)",
    )
    .await;
    let outcome = database.once(&[]).exits(3);
    let far = json!({ "count": 1, "from": 999_999_999, "to": 999_999_999, "distance": 999_999_498 });
    outcome.shows(
        "public.customers_id_seq",
        json!({ "verdict": "behind", "next_value": 501, "max_id": 999_999_999, "nearest_id": 999_999_999, "far_ids": far }),
    );
    outcome.repair("public.customers_id_seq", json!({ "outcome": "held", "method": null, "held_by": "far_ids" }));
    let reason = outcome.repair_reason("public.customers_id_seq");
    for part in
        ["one id, 999999999, of public.customers.id lies 999999498 values ahead", "correct", "max_id", "approve"]
    {
        assert!(reason.contains(part), "{part} is missing in {reason}");
    }
    assert_eq!(outcome.json()["summary"]["held_by"], json!({ "far_ids": 1 }));
    assert_eq!(database.nextval("customers_id_seq").await, 501);
}

#[tokio::test]
async fn rows_that_come_one_after_another_half_of_the_way_ahead_burn_nothing_in_sum() {
    let mut database = with("CREATE TABLE s (id serial PRIMARY KEY); INSERT INTO s DEFAULT VALUES").await;
    for _ in 0..6 {
        database
            .sql("INSERT INTO s SELECT (n + (2147483647 - n) * 0.49)::int FROM (SELECT last_value + 1 AS n FROM s_id_seq) q
                  ON CONFLICT DO NOTHING")
            .await;
        database.once(&[]).exits(3).repair("public.s_id_seq", json!({ "outcome": "held", "held_by": "far_ids" }));
        database.sql("DELETE FROM s WHERE id > 1000").await;
    }
    assert_eq!(database.nextval("s_id_seq").await, 2);
}

#[tokio::test]
async fn a_reserved_block_on_a_bigint_and_the_range_of_another_node_stay_where_they_are() {
    for (first, last, count) in
        [(9_000_000_001_i64, 9_000_000_010_i64, 10), (281_474_976_710_657, 281_474_976_710_676, 20)]
    {
        let mut database = with(&format!(
            "CREATE TABLE accounts (id bigserial PRIMARY KEY);
             INSERT INTO accounts SELECT nextval('accounts_id_seq') FROM generate_series(1, 100);
             INSERT INTO accounts SELECT generate_series({first}, {last})"
        ))
        .await;
        let outcome = database.once(&[]).exits(3);
        let far = json!({ "count": count, "from": first, "to": last, "distance": first - 101 });
        outcome.shows("public.accounts_id_seq", json!({ "far_ids": far }));
        outcome.repair("public.accounts_id_seq", json!({ "outcome": "held", "held_by": "far_ids" }));
        assert_eq!(database.nextval("accounts_id_seq").await, 101);
    }
}

/// Each repair of ids that are a multiple of the sequence makes the next ids as many times larger.
#[tokio::test]
async fn an_allocator_whose_ids_are_fifty_times_the_sequence_is_not_chased() {
    let mut database = with(
        "CREATE TABLE users (id bigserial PRIMARY KEY);
         SELECT nextval('users_id_seq') FROM generate_series(1, 3);
         INSERT INTO users SELECT 50 * v + low FROM generate_series(1, 3) v, generate_series(0, 49) low",
    )
    .await;
    let mut held = 0;
    for _ in 0..6 {
        let outcome = database.once(&[]);
        held += i32::from(outcome.sequence("public.users_id_seq")["repair"]["outcome"] == "held");
        database
            .sql("INSERT INTO users SELECT 50 * v + low FROM (SELECT nextval('users_id_seq') AS v) q, generate_series(0, 49) low")
            .await;
    }
    assert!(held >= 1, "no pass held it");
    let last = database.number("SELECT last_value FROM users_id_seq").await;
    assert!(last < 1_000_000, "{last}");
}

#[tokio::test]
async fn a_restored_table_is_passed_and_the_odd_id_beyond_it_is_held() {
    let mut database = with(
        "CREATE TABLE t (id serial PRIMARY KEY);
         INSERT INTO t SELECT generate_series(1, 300000);
         INSERT INTO t VALUES (1900000000)",
    )
    .await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "nearest_id": 1, "lag": 300_000, "max_id": 1_900_000_000 }));
    outcome.repair(
        "public.t_id_seq",
        json!({ "outcome": "repaired", "method": "leap", "next_value": 300_001, "held_by": "far_ids" }),
    );
    database.once(&[]).exits(3).repair("public.t_id_seq", json!({ "outcome": "held", "held_by": "far_ids" }));
    assert_eq!(database.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await, 300_001);
}

#[tokio::test]
async fn a_pattern_approves_every_sequence_that_it_matches_and_no_other() {
    let mut database = with(
        "CREATE SCHEMA shop;
         CREATE TABLE shop.a (id serial PRIMARY KEY); INSERT INTO shop.a VALUES (2000000000);
         CREATE TABLE shop.b (id serial PRIMARY KEY); INSERT INTO shop.b VALUES (2000000000);
         CREATE TABLE c (id serial PRIMARY KEY); INSERT INTO c VALUES (2000000000)",
    )
    .await;
    let outcome = database.once(&["--approve", "shop.*"]).exits(3);
    for name in ["shop.a_id_seq", "shop.b_id_seq"] {
        outcome.repair(name, json!({ "outcome": "repaired", "next_value": 2_000_000_001, "held_by": null }));
    }
    outcome.repair("public.c_id_seq", json!({ "outcome": "held" }));
    assert_eq!(database.nextval("c_id_seq").await, 1);
    let nothing = database.once(&["--approve", "nowhere.*"]);
    assert!(nothing.stderr.contains("--approve nowhere.*"), "{}", nothing.stderr);
}

#[tokio::test]
async fn a_sequence_sent_to_the_negative_half_is_left_and_the_reason_says_how_to_bound_it() {
    let mut database = with(
        "CREATE TABLE ev (id serial PRIMARY KEY);
         INSERT INTO ev SELECT generate_series(2147483600, 2147483647);
         ALTER SEQUENCE ev_id_seq MINVALUE -2147483648; SELECT setval('ev_id_seq', -2147483647)",
    )
    .await;
    let outcome = database.once(&[]).exits(3);
    outcome.repair("public.ev_id_seq", json!({ "outcome": "held", "held_by": "far_ids" }));
    let reason = outcome.repair_reason("public.ev_id_seq");
    let statement = "ALTER SEQUENCE public.ev_id_seq MAXVALUE 2147483599";
    assert!(reason.contains(statement), "{reason}");
    database.sql(statement).await;
    database.once(&[]).exits(0).shows("public.ev_id_seq", json!({ "verdict": "in_sync" }));
}

/// Its own ids are looked for one by one, up to where they are soon met; the furthest is known all the same.
#[tokio::test]
async fn a_far_id_of_a_residue_class_or_of_a_block_is_held_as_any_other() {
    let own = "CREATE TABLE t (id int PRIMARY KEY); CREATE SEQUENCE s AS int INCREMENT 2 OWNED BY t.id;
               ALTER TABLE t ALTER id SET DEFAULT nextval('s');";
    let class = format!(
        "{own} INSERT INTO t SELECT g * 2 + 1 FROM generate_series(0, 99) g; INSERT INTO t VALUES (1999999999)"
    );
    let mut database = with(&format!("{class}; SELECT setval('s', 199)")).await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.s", json!({ "verdict": "behind", "max_id": 1_999_999_999 }));
    outcome.repair("public.s", json!({ "outcome": "held", "held_by": "far_ids" }));
    assert_eq!(outcome.sequence("public.s")["far_ids"]["from"], 1_999_999_999);
    assert_eq!(database.nextval("s").await, 201);

    let drifted = with(&class).await.once(&[]).exits(3);
    drifted.repair("public.s", json!({ "outcome": "repaired", "next_value": 201, "held_by": "far_ids" }));

    let pooled = "CREATE SEQUENCE s INCREMENT 50; CREATE TABLE t (id int PRIMARY KEY);
                  INSERT INTO t SELECT generate_series(1, 100); SELECT setval('s', 151); INSERT INTO t VALUES (1999999999)";
    let feed = "[[sequences.feeds]]\nsequence = 'public.s'\ncolumn = 'public.t.id'\nallocator = 'pooled'\n";
    let outcome = with(pooled).await.once_with(feed, &[]).exits(3);
    outcome.repair("public.s", json!({ "outcome": "held", "held_by": "far_ids" }));
}

#[tokio::test]
async fn the_statement_that_bounds_a_sequence_before_far_ids_moves_its_start_where_that_lies_beyond() {
    let mut database = with(
        "CREATE TABLE ev (id serial PRIMARY KEY); INSERT INTO ev SELECT generate_series(1, 1000);
         ALTER SEQUENCE ev_id_seq MINVALUE -2147483648; SELECT setval('ev_id_seq', -2147483647)",
    )
    .await;
    let reason = database.once(&[]).exits(3).repair_reason("public.ev_id_seq");
    let statement = "ALTER SEQUENCE public.ev_id_seq MAXVALUE 0 START WITH -2147483648";
    assert!(reason.contains(statement), "{reason}");
    database.sql(statement).await;
    database.once(&[]).exits(0).shows("public.ev_id_seq", json!({ "verdict": "in_sync" }));
}

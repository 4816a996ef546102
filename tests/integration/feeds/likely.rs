//! Unlinked sequences: likely links are named as configuration to paste, and not acted on.

use crate::support::{Database, feed};
use serde_json::{Value, json};

/// Each of these sequences is behind, and nothing in the catalog links it.
const FRAMEWORKS: &str = "
    CREATE SEQUENCE cart_id_seq; CREATE TABLE cart (id integer PRIMARY KEY);
    INSERT INTO cart SELECT generate_series(1, 50);
    CREATE SEQUENCE \"Invoice_SEQ\" INCREMENT 50; CREATE TABLE \"Invoice\" (\"Id\" bigint PRIMARY KEY);
    INSERT INTO \"Invoice\" SELECT generate_series(1, 60);
    CREATE SEQUENCE \"BlogHiLoSequence\" INCREMENT 10; CREATE TABLE \"Blogs\" (\"Id\" bigint PRIMARY KEY);
    INSERT INTO \"Blogs\" SELECT generate_series(1, 15);
    CREATE SEQUENCE seq_emp; CREATE TABLE emp (no numeric PRIMARY KEY); INSERT INTO emp SELECT generate_series(1, 7);
    CREATE SEQUENCE events_stream_seq; CREATE TABLE events (stream_ordering bigint UNIQUE, event_id text PRIMARY KEY);
    INSERT INTO events SELECT i, i FROM generate_series(1, 225) i; SELECT setval('events_stream_seq', 223);
    CREATE SEQUENCE by_trigger; CREATE TABLE foo (id numeric PRIMARY KEY, note text);
    CREATE FUNCTION number_foo() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.id IS NULL THEN NEW.id := nextval('by_trigger'); END IF; RETURN NEW; END $$;
    CREATE TRIGGER foo_number BEFORE INSERT ON foo FOR EACH ROW EXECUTE FUNCTION number_foo();
    INSERT INTO foo SELECT generate_series(1, 50);
    CREATE SEQUENCE by_text; CREATE TABLE bar (id bigint PRIMARY KEY DEFAULT nextval('by_text'::text));
    INSERT INTO bar SELECT generate_series(1, 30);
    CREATE SEQUENCE by_function; CREATE FUNCTION number_baz() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('by_function') $$;
    CREATE TABLE baz (id bigint PRIMARY KEY DEFAULT number_baz()); INSERT INTO baz SELECT generate_series(1, 40);
    CREATE SEQUENCE by_view; CREATE TABLE kept (id int PRIMARY KEY, note text); CREATE VIEW shown AS SELECT id, note FROM kept;
    ALTER VIEW shown ALTER id SET DEFAULT nextval('by_view'); INSERT INTO kept SELECT generate_series(1, 20);
";

const LINKS: [(&str, &str, u64); 9] = [
    ("public.cart_id_seq", "public.cart.id", 50),
    ("public.\"Invoice_SEQ\"", "public.\"Invoice\".\"Id\"", 3),
    ("public.\"BlogHiLoSequence\"", "public.\"Blogs\".\"Id\"", 2),
    ("public.seq_emp", "public.emp.no", 7),
    ("public.events_stream_seq", "public.events.stream_ordering", 2),
    ("public.by_trigger", "public.foo.id", 50),
    ("public.by_text", "public.bar.id", 30),
    ("public.by_function", "public.baz.id", 40),
    ("public.by_view", "public.kept.id", 20),
];

#[tokio::test]
async fn suggestions_are_named_acted_on_by_none_and_accepted_when_pasted() {
    let mut database = Database::new().await;
    database.sql(FRAMEWORKS).await;
    database.sql("CREATE SEQUENCE hibernate_sequence; CREATE TABLE person (key text PRIMARY KEY)").await;
    let outcome = database.once(&[]).exits(3);
    let mut pasted = String::new();
    for (sequence, column, lag) in LINKS {
        // What it hides is said: an insert would fail.
        outcome.shows(sequence, json!({ "verdict": "unlinked", "feeds": [], "repair": null, "lag": lag }));
        let found = outcome.sequence(sequence);
        assert!(outcome.reason(sequence).contains(&format!("likely {column}")), "{}", outcome.reason(sequence));
        assert_eq!(found["reason"]["fix"], found["suggested_feeds"]);
        pasted += found["suggested_feeds"].as_str().unwrap();
    }
    outcome.shows("public.hibernate_sequence", json!({ "suggested_feeds": null, "lag": null }));

    let accepted = database.once_with(&pasted, &[]).exits(0);
    for (sequence, column, lag) in LINKS {
        accepted.shows(sequence, json!({ "verdict": "behind", "feeds": [feed(column, "declared")], "lag": lag }));
        accepted.repair(sequence, json!({ "outcome": "repaired" }));
    }
    assert_eq!(database.number("SELECT nextval('\"Invoice_SEQ\"')").await, 151, "the block 102 to 151 is free");
    assert_eq!(database.number("SELECT nextval('\"BlogHiLoSequence\"')").await, 21, "and so is 21 to 30");
    database.once_with(&pasted, &[]).exits(0);
}

#[tokio::test]
async fn the_table_prints_what_to_paste_line_by_line() {
    let mut database = Database::new().await;
    database.sql("CREATE SEQUENCE cart_id_seq; CREATE TABLE cart (id integer PRIMARY KEY)").await;
    let outcome = database.pgmedic(&["--once"]).exits(0);
    let lines = "  [[sequences.feeds]]\n  sequence = \"public.cart_id_seq\"\n  column = \"public.cart.id\"\n";
    assert!(outcome.stdout.contains(lines), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("likely public.cart.id (by its name)"), "{}", outcome.stdout);
}

#[tokio::test]
async fn a_likely_column_without_an_id_in_the_way_is_no_problem() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE cart_id_seq; CREATE TABLE cart (id integer PRIMARY KEY);
             INSERT INTO cart SELECT nextval('cart_id_seq') FROM generate_series(1, 5)",
        )
        .await;
    database.once(&[]).exits(0).shows("public.cart_id_seq", json!({ "verdict": "unlinked", "lag": null }));
}

#[tokio::test]
async fn a_default_by_a_function_that_uses_the_sequence_is_a_likely_link() {
    let mut database = Database::new().await;
    if database.number("SELECT current_setting('server_version_num')::bigint").await < 140_000 {
        // PostgreSQL 13 has no functions whose body it records.
        return;
    }
    database
        .sql(
            "CREATE SEQUENCE numbers;
             CREATE FUNCTION next_number() RETURNS bigint BEGIN ATOMIC SELECT nextval('numbers'); END;
             CREATE TABLE t (id bigint PRIMARY KEY DEFAULT next_number());
             INSERT INTO t SELECT generate_series(1, 50)",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.numbers", json!({ "verdict": "unlinked", "lag": 50, "repair": null }));
    let reason = outcome.reason("public.numbers");
    assert!(reason.contains("public.t.id") && reason.contains("public.next_number()"), "{reason}");
    let settings = outcome.fix("public.numbers");
    database.once_with(&settings, &[]).exits(0).repair("public.numbers", json!({ "next_value": 51 }));
}

#[tokio::test]
async fn a_declared_sequence_gets_no_suggestion() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE cart_id_seq; CREATE TABLE cart (id integer PRIMARY KEY);
             CREATE TABLE other (id integer PRIMARY KEY); INSERT INTO cart VALUES (9)",
        )
        .await;
    let settings = "[[sequences.feeds]]\nsequence = 'public.cart_id_seq'\ncolumn = 'public.other.id'\n";
    let outcome = database.once_with(settings, &[]).exits(0);
    let expected = json!({ "verdict": "in_sync", "suggested_feeds": Value::Null, "max_id": Value::Null });
    outcome.shows("public.cart_id_seq", expected);
}

/// The index serves no walk, so that a long lag would be held.
#[tokio::test]
async fn a_likely_link_that_would_be_held_is_a_problem_too() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE SEQUENCE t_id_seq; CREATE TABLE t (id bigint, live boolean DEFAULT true);
             CREATE UNIQUE INDEX ON t (id) WHERE live; INSERT INTO t SELECT generate_series(1, 200000)",
        )
        .await;
    let outcome = database.once(&[]).exits(3);
    assert_eq!(outcome.sequence("public.t_id_seq")["lag"], 200_000);
}

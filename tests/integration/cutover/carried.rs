//! What `pgmedic cutover` does with each kind of sequence.

use super::both;
use super::command::{cutover, cutover_at};
use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn every_kind_of_sequence_continues_where_the_old_one_stands() {
    let (mut old, mut new) = both(
        "CREATE TABLE orders (id serial PRIMARY KEY);
         CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
         CREATE SEQUENCE unlinked; CREATE SEQUENCE untouched; CREATE SEQUENCE chosen;
         CREATE SEQUENCE downwards INCREMENT -1; CREATE SEQUENCE \"Odd 'name\" INCREMENT 5;
         CREATE SEQUENCE cached CACHE 20; CREATE SEQUENCE round MAXVALUE 100 CYCLE",
    )
    .await;
    // Deleted at the top: no row tells of the ids up to 50.
    old.sql(
        "INSERT INTO orders SELECT FROM generate_series(1, 50); DELETE FROM orders WHERE id > 40;
         INSERT INTO users SELECT FROM generate_series(1, 7); DELETE FROM users;
         SELECT nextval('unlinked') FROM generate_series(1, 12); SELECT setval('chosen', 900, false);
         SELECT nextval('downwards') FROM generate_series(1, 3); SELECT nextval('\"Odd ''name\"');
         SELECT nextval('cached'); SELECT nextval('round') FROM generate_series(1, 60)",
    )
    .await;
    let report = cutover(&old, &new, &[]).exits(0);
    assert_eq!(report.json()["verdict"], "ready");
    assert_eq!(report.json()["summary"]["carried"], 8);
    assert_eq!(report.carried("public.untouched")["outcome"], "ahead");
    let expected = [
        ("orders_id_seq", 51),
        ("users_id_seq", 8),
        ("unlinked", 13),
        ("untouched", 1),
        ("chosen", 900),
        ("downwards", -4),
        ("\"Odd ''name\"", 6),
        ("cached", 21),
        ("round", 61),
    ];
    for (sequence, next) in expected {
        assert_eq!(new.nextval(sequence).await, next, "{sequence}");
    }
}

#[tokio::test]
async fn a_sequence_that_is_ahead_already_is_never_moved_back() {
    let (mut old, mut new) = both("CREATE SEQUENCE a; CREATE SEQUENCE b; CREATE SEQUENCE d INCREMENT -2").await;
    old.sql("SELECT setval('a', 100), setval('b', 100), setval('d', -99)").await;
    new.sql("SELECT setval('a', 500), setval('d', -301)").await;
    let report = cutover(&old, &new, &["--headroom", "10"]).exits(0);
    assert_eq!(report.carried("public.a")["outcome"], "ahead");
    assert_eq!(report.carried("public.a")["headroom"], 400);
    let next = [new.nextval("a").await, new.nextval("b").await, new.nextval("d").await];
    assert_eq!(next, [501, 111, -303]);
}

#[tokio::test]
async fn ids_that_arrived_beyond_the_old_sequence_are_passed_too() {
    let (mut old, mut new) = both("CREATE TABLE orders (id serial PRIMARY KEY)").await;
    old.sql("SELECT setval('orders_id_seq', 20)").await;
    new.sql("INSERT INTO orders SELECT generate_series(1, 40)").await;
    let report = cutover(&old, &new, &["--headroom", "100"]).exits(0);
    assert_eq!(report.carried("public.orders_id_seq")["max_id"], 40);
    assert_eq!(report.carried("public.orders_id_seq")["outcome"], "carried");
    assert_eq!(new.nextval("orders_id_seq").await, 141);
}

#[tokio::test]
async fn a_hi_lo_sequence_continues_by_its_own_values_and_not_by_the_ids() {
    let (mut old, mut new) = both("CREATE TABLE items (id integer PRIMARY KEY); CREATE SEQUENCE items_hilo").await;
    // Each value stands for 50 ids.
    for database in [&mut old, &mut new] {
        database.sql("INSERT INTO items SELECT generate_series(1, 2000)").await;
    }
    old.sql("SELECT setval('items_hilo', 40)").await;
    let report = cutover(&old, &new, &["--headroom", "5"]).exits(0);
    assert_eq!(report.carried("public.items_hilo")["old_next_value"], 41);
    assert_eq!(new.nextval("items_hilo").await, 46);
}

#[tokio::test]
async fn a_wider_type_is_no_difference_and_every_other_one_is_said_with_its_fix() {
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql(
        "CREATE SEQUENCE wider AS integer; CREATE SEQUENCE step INCREMENT 5; CREATE SEQUENCE bound MAXVALUE 9000000000;
         CREATE SEQUENCE round MAXVALUE 1000 CYCLE; CREATE SEQUENCE cached CACHE 20; CREATE SEQUENCE down INCREMENT -1;
         SELECT setval(c.oid::regclass, 11) FROM pg_class c WHERE relkind = 'S' AND relname <> 'down'",
    )
    .await;
    new.sql(
        "CREATE SEQUENCE wider AS bigint; CREATE SEQUENCE step; CREATE SEQUENCE bound MAXVALUE 8000000000;
         CREATE SEQUENCE round MAXVALUE 1000; CREATE SEQUENCE cached; CREATE SEQUENCE down",
    )
    .await;
    let report = cutover(&old, &new, &[]).exits(3);
    assert_eq!(report.json()["verdict"], "not_ready");
    for sequence in ["step", "bound", "round"] {
        let name = format!("public.{sequence}");
        assert_eq!(report.against(&name), ["definition"], "{sequence}");
        new.sql(&report.fix_of(&name)).await;
    }
    assert_eq!(report.carried("public.wider")["reasons"], json!([]));
    assert_eq!(report.carried("public.wider")["notes"], json!([]));
    // A cache changes nothing that a cutover depends on.
    assert_eq!(report.carried("public.cached")["notes"][0]["kind"], "definition");
    assert_eq!(report.carried("public.down")["outcome"], "held");
    old.sql("DROP SEQUENCE down").await;
    cutover(&old, &new, &["--yes"]).exits(0);
    assert_eq!(new.nextval("wider").await, 12);
}

#[tokio::test]
async fn a_difference_that_is_meant_is_confirmed() {
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql("CREATE SEQUENCE ids; SELECT setval('ids', 41)").await;
    new.sql("CREATE SEQUENCE ids INCREMENT 10 START 3").await;
    cutover(&old, &new, &[]).exits(3);
    let report = cutover(&old, &new, &["--yes"]).exits(0);
    assert_eq!(report.carried("public.ids")["notes"][0]["kind"], "definition");
    assert_eq!(new.nextval("ids").await, 43, "its first value that OLD has not handed out");
}

#[tokio::test]
async fn a_missing_sequence_is_said_and_its_fix_makes_the_cutover_ready() {
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql(
        "CREATE TABLE orders (id serial PRIMARY KEY);
         CREATE SEQUENCE \"Numbers\" AS smallint INCREMENT 5 MINVALUE 5 MAXVALUE 1000 START 10 CACHE 3 CYCLE;
         SELECT setval('orders_id_seq', 30), setval('\"Numbers\"', 100)",
    )
    .await;
    new.sql("CREATE TABLE orders (id serial PRIMARY KEY); ALTER SEQUENCE orders_id_seq RENAME TO orders_seq").await;
    let report = cutover(&old, &new, &[]).exits(3);
    assert_eq!(report.json()["summary"]["missing"], 2);
    let names = ["public.orders_id_seq", "public.\"Numbers\""];
    assert_eq!(names.map(|name| report.against(name)), [["missing_sequence"], ["missing_sequence"]]);
    assert_eq!(report.fix_of(names[0]), "ALTER SEQUENCE public.orders_seq RENAME TO orders_id_seq");
    for name in names {
        new.sql(&report.fix_of(name)).await;
    }
    cutover(&old, &new, &[]).exits(0);
    assert_eq!(new.nextval("orders_id_seq").await, 31);
    assert_eq!(new.nextval("\"Numbers\"").await, 105);
}

#[tokio::test]
async fn a_schema_may_have_another_name() {
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql("CREATE SCHEMA \"App\"; CREATE SEQUENCE \"App\".ids; CREATE SEQUENCE ids").await;
    old.sql("SELECT setval('\"App\".ids', 70), setval('ids', 30)").await;
    new.sql("CREATE SCHEMA v2; CREATE SEQUENCE v2.ids; CREATE SEQUENCE ids").await;
    assert_eq!(cutover(&old, &new, &[]).exits(3).against("\"App\".ids"), ["missing_sequence"]);
    let report = cutover(&old, &new, &["--map", "\"App\"=v2"]).exits(0);
    assert_eq!(report.carried("v2.ids")["old_name"], "\"App\".ids");
    assert_eq!([new.nextval("v2.ids").await, new.nextval("ids").await], [71, 31]);

    let report = cutover(&old, &new, &["--map", "app=v2"]).exits(2);
    assert_eq!(report.reason_kinds(), ["configuration"], "a misspelled name");
}

#[tokio::test]
async fn a_headroom_that_does_not_fit_before_the_limit_of_the_column_is_said_and_left_out() {
    let (mut old, mut new) =
        both("CREATE TABLE small (id smallserial PRIMARY KEY); ALTER SEQUENCE small_id_seq AS bigint NO MAXVALUE")
            .await;
    old.sql("SELECT setval('small_id_seq', 32000)").await;
    let report = cutover(&old, &new, &["--headroom", "1000"]).exits(3);
    assert_eq!(report.against("public.small_id_seq"), ["headroom"]);
    assert_eq!(new.nextval("small_id_seq").await, 32001);

    old.sql("SELECT setval('small_id_seq', 32767)").await;
    let report = cutover(&old, &new, &["--yes"]).exits(3);
    assert!(report.against("public.small_id_seq").contains(&"limit".to_owned()), "{}", report.stdout);
}

#[tokio::test]
async fn a_role_without_the_rights_of_the_owner_hands_out_values_or_is_told_what_it_lacks() {
    let (mut old, mut new) = both("CREATE SEQUENCE near; CREATE SEQUENCE far; SELECT setval('far', 1)").await;
    let (role, owner) = (new.role("medic"), new.role("owner"));
    old.sql("SELECT setval('near', 50), setval('far', 5000000)").await;
    new.sql(&format!(
        "CREATE ROLE {role} LOGIN; CREATE ROLE {owner};
         GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
         GRANT CREATE ON SCHEMA public TO {owner};
         ALTER SEQUENCE near OWNER TO {owner}; ALTER SEQUENCE far OWNER TO {owner}"
    ))
    .await;
    let report = cutover_at(old.url(), &new.url_as(&role), &[]).exits(3);
    assert_eq!(report.carried("public.near")["outcome"], "carried");
    assert_eq!(report.carried("public.far")["outcome"], "held");
    assert_eq!(report.fix_of("public.far"), format!("GRANT {owner} TO {role}"));
    new.sql(&report.fix_of("public.far")).await;
    cutover_at(old.url(), &new.url_as(&role), &[]).exits(0);
    assert_eq!([new.nextval("near").await, new.nextval("far").await], [51, 5_000_001]);
}

#[tokio::test]
async fn a_sequence_of_the_old_database_that_cannot_be_read_is_said_with_the_grant() {
    let (mut old, new) = both("CREATE SEQUENCE a; CREATE SEQUENCE b").await;
    let role = old.role("reader");
    old.sql(&format!("CREATE ROLE {role} LOGIN; GRANT SELECT ON SEQUENCE a TO {role}; SELECT setval('a', 9)")).await;
    let report = cutover_at(&old.url_as(&role), new.url(), &[]).exits(3);
    assert_eq!(report.carried("public.a")["outcome"], "carried");
    assert_eq!(report.carried("public.b")["outcome"], "unreadable");
    old.sql(&report.fix_of("public.b")).await;
    cutover_at(&old.url_as(&role), new.url(), &["--yes"]).exits(0);
}

#[tokio::test]
async fn thousands_are_carried_in_few_messages() {
    let many = "DO $$ BEGIN FOR i IN 1..1500 LOOP EXECUTE format('CREATE SEQUENCE s%s', i); END LOOP; END $$";
    let (mut old, mut new) = both(many).await;
    old.sql("SELECT setval(oid::regclass, 1000 + oid::bigint % 7) FROM pg_class WHERE relkind = 'S'").await;
    let report = cutover(&old, &new, &["--headroom", "100"]).exits(0);
    assert_eq!(report.json()["summary"]["carried"], 1500);
    let behind = "SELECT count(*) FROM pg_sequences WHERE last_value NOT BETWEEN 1100 AND 1106";
    assert_eq!(new.number(behind).await, 0);
}

#[tokio::test]
async fn every_field_of_the_report_is_documented() {
    let (mut old, new) = both("CREATE SEQUENCE ids").await;
    old.sql("SELECT nextval('ids')").await;
    let report = cutover(&old, &new, &[]).exits(0).json();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.md")).unwrap();
    let section = text.split("## The report of a cutover").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let objects = [&report, &report["from"], &report["sequences"][0], &report["summary"]];
    let fields = objects.iter().flat_map(|object| object.as_object().unwrap().keys());
    for field in fields {
        let shown = [format!("`{field}`"), format!("`sequences[].{field}`")];
        assert!(shown.iter().any(|shown| section.contains(shown)), "{field} is not documented");
    }
}

#[tokio::test]
async fn another_residue_class_in_new_is_a_difference_with_a_fix_that_never_sets_it_back() {
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql("CREATE SEQUENCE ids INCREMENT 2 START 1; SELECT nextval('ids') FROM generate_series(1, 100)").await;
    new.sql("CREATE SEQUENCE ids INCREMENT 2 START 2").await;
    let report = cutover(&old, &new, &[]).exits(3);
    assert_eq!(report.against("public.ids"), ["definition"]);
    let fix = report.fix_of("public.ids");
    new.sql(&fix).await;
    cutover(&old, &new, &[]).exits(0);
    assert_eq!(new.nextval("ids").await, 201);
    new.sql(&fix).await;
    assert_eq!(new.nextval("ids").await, 203);
}

#[tokio::test]
async fn a_missing_sequence_in_a_missing_schema_is_made_with_it() {
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql("CREATE SCHEMA z; CREATE SEQUENCE z.ids; SELECT setval('z.ids', 7)").await;
    let report = cutover(&old, &new, &[]).exits(3);
    new.sql(&report.fix_of("z.ids")).await;
    cutover(&old, &new, &[]).exits(0);
    assert_eq!(new.nextval("z.ids").await, 8);
}

#[tokio::test]
async fn a_sequence_that_counts_in_the_other_direction_does_not_look_swapped() {
    let (mut old, mut new) = (Database::new().await, Database::new().await);
    old.sql("CREATE SEQUENCE ids; SELECT setval('ids', 2000)").await;
    new.sql("CREATE SEQUENCE ids INCREMENT -1").await;
    let report = cutover(&old, &new, &[]).exits(3);
    assert_eq!(report.carried("public.ids")["outcome"], "held");
    assert!(report.stdout.contains("in the other direction"), "{}", report.stdout);
}

#[tokio::test]
async fn a_column_that_nothing_fills_in_new_is_not_ready_and_the_fix_lets_the_sequence_fill_it() {
    for create in [
        "CREATE TABLE t (id int PRIMARY KEY, x int); CREATE SEQUENCE t_id_seq; INSERT INTO t SELECT generate_series(1, 700)",
        "CREATE TABLE t (id serial PRIMARY KEY, x int); ALTER TABLE t ALTER id DROP DEFAULT",
    ] {
        let (mut old, mut new) = (Database::new().await, Database::new().await);
        old.sql("CREATE TABLE t (id serial PRIMARY KEY, x int); INSERT INTO t SELECT FROM generate_series(1, 500)")
            .await;
        new.sql(create).await;
        let report = cutover(&old, &new, &[]).exits(3);
        assert_eq!(report.against("public.t_id_seq")[0], "definition", "{create}");
        new.sql(&report.fix_of("public.t_id_seq")).await;
        cutover(&old, &new, &[]).exits(0);
        let expected = if create.contains("700") { 701 } else { 501 };
        assert_eq!(new.number("INSERT INTO t (x) VALUES (1) RETURNING id::bigint").await, expected);
    }
}

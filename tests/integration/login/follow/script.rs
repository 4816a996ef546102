//! What the script refuses, what it removes, and that no insert fails because of the trigger.

use super::{follow, followed, refused};
use crate::support::{Database, pgmedic};

#[tokio::test]
async fn what_cannot_be_followed_is_refused_with_the_reason_and_nothing_is_installed() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id serial PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t; CREATE TABLE plain (id int);
             CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (id int) SERVER s;
             CREATE TABLE parts (id serial) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parts DEFAULT;
             CREATE SEQUENCE c CYCLE; CREATE TABLE cycles (id int DEFAULT nextval('c'));
             CREATE SEQUENCE m; CREATE TABLE computed (id int DEFAULT nextval('m') * 10);
             CREATE TABLE \"It's\" (\"The \"\"Id\" int)",
        )
        .await;
    for (column, reason) in [
        ("v.id", "public.v is a view, and its tables have the sequences"),
        ("f.id", "public.f is a foreign table: follow its column on the server that holds it"),
        ("plain.id", "no sequence feeds public.plain.id"),
        ("part.id", "public.part is a partition: follow the column of the partitioned table"),
        ("cycles.id", "public.c cycles: its values come again"),
        ("computed.id", "the ids of public.computed.id are not the values of public.m"),
        ("t.no", "public.t has no column no"),
        ("no.id", "there is no table public.no"),
        ("missing.t.id", "there is no table missing.t"),
        ("\"It's\".\"The \"\"Id\"", "no sequence feeds public.\"It's\".\"The \"\"Id\""),
    ] {
        // What could be followed is not either.
        assert_eq!(refused(&mut database, &["t.id", column]).await, reason);
    }
    for argument in ["id", "a.b.c.d", "t.\"id"] {
        pgmedic(&[], &["sql", "follow", argument]).exits(2);
    }
}

#[tokio::test]
async fn a_table_of_another_role_is_refused() {
    let mut database = Database::new().await;
    let (owner, other) = (database.role("owner"), database.role("other"));
    database
        .sql(&format!(
            "CREATE ROLE {owner}; CREATE ROLE {other}; GRANT CREATE ON SCHEMA public TO {owner}, {other};
             CREATE TABLE t (id serial); ALTER TABLE t OWNER TO {owner}; SET SESSION AUTHORIZATION {other}"
        ))
        .await;
    let refusal = refused(&mut database, &["t.id"]).await;
    assert_eq!(refusal, format!("public.t belongs to {owner}: run this as that role"));
    // As a superuser, it is made for the table's owner.
    database.sql("RESET SESSION AUTHORIZATION").await;
    follow(&mut database, &["t.id"]).await;
    let of_owner =
        format!("SELECT count(*) FROM pg_proc WHERE proname LIKE 'pgmedic_follow%' AND proowner = '{owner}'::regrole");
    assert_eq!(database.number(&of_owner).await, 1);
}

#[tokio::test]
async fn quoted_names_are_followed_and_no_name_is_run() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE \"It's; \\ $follow$ @ALL@\" (\"The \"\"Id'%I\" serial, x int)").await;
    let column = "\"It's; \\ $follow$ @ALL@\".\"The \"\"Id'%I\"";
    follow(&mut database, &[column]).await;
    // Running it again changes nothing.
    follow(&mut database, &[column]).await;
    database.sql("INSERT INTO \"It's; \\ $follow$ @ALL@\" VALUES (7)").await;
    let drawn = "INSERT INTO \"It's; \\ $follow$ @ALL@\" (x) VALUES (1) RETURNING \"The \"\"Id'%I\"::bigint";
    assert_eq!(database.number(drawn).await, 8);
    follow(&mut database, &[column, "--remove"]).await;
    assert_eq!(database.number("SELECT count(*) FROM pg_trigger").await, 0);
}

#[tokio::test]
async fn renaming_never_makes_an_insert_fail() {
    let mut database = followed("CREATE TABLE t (id serial, x int)").await;
    database
        .sql("ALTER SEQUENCE t_id_seq RENAME TO renamed; ALTER TABLE t RENAME TO u; INSERT INTO u VALUES (7)")
        .await;
    assert_eq!(database.nextval("renamed").await, 8);
    // The function names the column: it warns, and the row is stored.
    database.sql("ALTER TABLE u RENAME id TO number; INSERT INTO u VALUES (90)").await;
    assert_eq!(database.nextval("renamed").await, 9);
    follow(&mut database, &["u.number"]).await;
    database.sql("INSERT INTO u VALUES (91)").await;
    assert_eq!(database.nextval("renamed").await, 92);
}

#[tokio::test]
async fn removing_leaves_what_follow_did_not_make() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id serial); CREATE TABLE u (id serial);
             CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER mine BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION mine()",
        )
        .await;
    follow(&mut database, &["--all"]).await;
    follow(&mut database, &["t.id", "--remove"]).await;
    let triggers = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zz_pgmedic%'";
    assert_eq!(database.number(triggers).await, 1);
    follow(&mut database, &["--all", "--remove"]).await;
    assert_eq!(database.number(triggers).await, 0);
    assert_eq!(database.number("SELECT count(*) FROM pg_trigger").await, 1);
    assert_eq!(database.number("SELECT count(*) FROM pg_proc WHERE proname LIKE 'pgmedic%'").await, 0);
    assert_eq!(refused(&mut database, &["no.id", "--remove"]).await, "there is no column public.no.id");
}

#[tokio::test]
async fn numbers_that_start_again_are_followed_only_where_they_are_named() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE t (id serial PRIMARY KEY, year int, UNIQUE (year, id));
             CREATE TABLE inv (year int, no serial, UNIQUE (year, no)); CREATE UNIQUE INDEX ON inv (year);
             CREATE TABLE p (id serial, k int, UNIQUE (id, k)) PARTITION BY LIST (k)",
        )
        .await;
    follow(&mut database, &["--all"]).await;
    let triggers = "SELECT string_agg(tgrelid::regclass::text, ' ' ORDER BY tgrelid::regclass::text) FROM pg_trigger WHERE tgname LIKE 'zz_pgmedic%'";
    let of = |row: sqlx::postgres::PgRow| sqlx::Row::get::<String, _>(&row, 0);
    assert_eq!(of(database.row(triggers).await), "p t");
    follow(&mut database, &["inv.no"]).await;
    assert_eq!(of(database.row(triggers).await), "inv p t");
}

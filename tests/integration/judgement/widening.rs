//! How a limit is moved: by a statement that PostgreSQL takes, and that takes nothing from others.

use super::with;
use serde_json::json;

/// What refuses the change of a type, and a part of the reason that names it. A line that begins with 14 needs that version.
const REFUSED: [(&str, &str); 13] = [
    ("CREATE TABLE t (id smallserial PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t", "view public.v uses it"),
    (
        "CREATE TABLE t (id smallserial PRIMARY KEY, double integer GENERATED ALWAYS AS (id * 2) STORED)",
        "generated column double of table public.t uses it",
    ),
    (
        "CREATE TABLE t (id smallserial PRIMARY KEY);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER keep BEFORE UPDATE OF id ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "trigger keep on table public.t uses it",
    ),
    (
        "CREATE TABLE t (id smallserial PRIMARY KEY); CREATE POLICY own ON t USING (id > 5)",
        "policy own on table public.t uses it",
    ),
    (
        "CREATE TYPE row_of AS (id smallint); CREATE SEQUENCE t_id_seq AS smallint; CREATE TABLE t OF row_of;
         ALTER TABLE t ADD PRIMARY KEY (id); ALTER TABLE t ALTER id SET DEFAULT nextval('t_id_seq')",
        "its table is a typed table",
    ),
    (
        "CREATE TABLE t (id smallserial PRIMARY KEY); CREATE TABLE u (old t)",
        "column old of table public.u has the row type of its table",
    ),
    (
        "CREATE TABLE t (id smallserial PRIMARY KEY); CREATE TABLE u (old t[])",
        "column old of table public.u has the row type of its table",
    ),
    (
        "14 CREATE TABLE t (id smallserial PRIMARY KEY);
         CREATE FUNCTION most() RETURNS smallint LANGUAGE sql BEGIN ATOMIC SELECT max(id) FROM t; END",
        "function public.most() uses it",
    ),
    (
        "CREATE TABLE t (id smallserial PRIMARY KEY); CREATE TABLE u (t_id smallint REFERENCES t);
         CREATE VIEW v AS SELECT t_id FROM u",
        "the type of public.u.t_id cannot be changed in place, because rule _RETURN on view public.v",
    ),
    (
        "CREATE TABLE t (id smallserial, region integer) PARTITION BY LIST (region);
         CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1); CREATE VIEW v AS SELECT id FROM t_1",
        "view public.v uses it",
    ),
    (
        "CREATE TABLE t (id smallserial, region integer) PARTITION BY LIST (region);
         CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1) PARTITION BY HASH (id)",
        "it is a partition key",
    ),
    (
        "CREATE TABLE t (id smallserial) PARTITION BY RANGE ((id / 2)); CREATE TABLE t_all PARTITION OF t DEFAULT",
        "it is a partition key",
    ),
    (
        "CREATE SEQUENCE t_id_seq AS smallint; CREATE DOMAIN positive AS smallint CHECK (value > 0);
         CREATE TABLE t (id positive PRIMARY KEY DEFAULT nextval('t_id_seq'))",
        "it is of the domain public.positive",
    ),
];

#[tokio::test]
async fn a_column_whose_type_cannot_be_changed_in_place_has_no_fix_and_the_reason_says_what_is_in_the_way() {
    for (create, named) in REFUSED {
        let mut database = with("").await;
        let version = database.number("SELECT current_setting('server_version_num')::bigint").await;
        let create = match create.strip_prefix("14 ") {
            Some(_) if version < 140_000 => continue,
            Some(create) => create,
            None => create,
        };
        database.sql(create).await;
        for (value, verdict) in [(32_000, "in_sync"), (32_767, "exhausted")] {
            database.sql(&format!("SELECT setval('t_id_seq', {value})")).await;
            let outcome = database.once(&[]).exits(3);
            outcome.shows("public.t_id_seq", json!({ "verdict": verdict }));
            let reason = outcome.sequence("public.t_id_seq")["reason"].clone();
            assert_eq!(reason["fix"], json!(null), "{create}\n{reason}");
            let text = reason["text"].as_str().expect("a text");
            assert!(text.contains("cannot be changed in place") && text.contains(named), "{create}\n{text}");
        }
        let table = if create.contains("t_id smallint") { "u ALTER t_id" } else { "t ALTER id" };
        let error = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("ALTER TABLE {table} TYPE bigint")))
            .execute(&mut database.connection)
            .await;
        assert_eq!(error.is_err(), !create.contains("DOMAIN"), "the control: {create}");
    }
}

#[tokio::test]
async fn a_column_that_draws_by_its_domain_is_not_taken_out_of_it() {
    let database = with(
        "CREATE SEQUENCE s AS smallint; CREATE DOMAIN number AS smallint DEFAULT nextval('s');
         CREATE TABLE t (id number PRIMARY KEY, x int); SELECT setval('s', 32767)",
    )
    .await;
    let outcome = database.once(&[]).exits(3);
    assert_eq!(outcome.sequence("public.s")["reason"]["fix"], json!(null));
    assert!(outcome.reason("public.s").contains("it is of the domain public.number"), "{}", outcome.stdout);
}

/// Others' ids lie beyond: with a higher bound the sequence would run into them.
#[tokio::test]
async fn a_bound_set_on_purpose_is_never_a_fix_to_lift() {
    let create = "CREATE SEQUENCE s MINVALUE 4000 MAXVALUE 5999;
                  CREATE TABLE t (id int PRIMARY KEY DEFAULT nextval('s'), CHECK (id < 6000 OR id > 65535));
                  INSERT INTO t VALUES (70000); INSERT INTO t SELECT generate_series(4000, 5999);";
    for (at, verdict) in [(5990, "in_sync"), (5999, "exhausted"), (4500, "behind")] {
        let database = with(&format!(
            "{create} DELETE FROM t WHERE {at} = 5990 AND id BETWEEN 5991 AND 5999;
                                      SELECT setval('s', {at})"
        ))
        .await;
        let outcome = database.once(&[]).exits(3);
        outcome.shows("public.s", json!({ "verdict": verdict }));
        let found = outcome.sequence("public.s");
        let reason = if verdict == "behind" { &found["repair"]["reason"] } else { &found["reason"] };
        assert_eq!(reason["fix"], json!(null), "{reason}");
        let text = reason["text"].as_str().expect("a text");
        assert!(text.contains("on purpose") && text.contains("only if the values beyond are free"), "{text}");
        assert!(text.contains("ALTER SEQUENCE public.s AS bigint MAXVALUE 2147483647"), "{text}");
    }
}

#[tokio::test]
async fn ids_that_fill_the_range_are_named_from_the_first_to_the_last() {
    let mut database =
        with("CREATE TABLE t (id smallserial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 32767)").await;
    let outcome = database.once(&[]).exits(3);
    let reason = outcome.repair_reason("public.t_id_seq");
    assert!(reason.starts_with("ids from 1 to 32767 leave no value before the limit 32767"), "{reason}");
    database.sql(&outcome.repair_fix("public.t_id_seq")).await;
    database.once(&[]).exits(0);
    assert_eq!(database.nextval("t_id_seq").await, 32_768);
}

#[tokio::test]
async fn a_repair_that_ends_near_the_limit_says_that_the_sequence_is_running_out() {
    let database = with("CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t VALUES (9000000000000000000)").await;
    let outcome = database.once(&["--approve", "public.t_id_seq"]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "running_out": true }));
    assert!(outcome.reason("public.t_id_seq").contains("223372036854775807 values are left"), "{}", outcome.stdout);
    assert_eq!(outcome.json()["summary"]["running_out"], 1);
}

#[tokio::test]
async fn a_key_of_a_partition_or_child_that_a_narrower_column_references_is_a_limit() {
    for create in [
        "CREATE TABLE p (id bigserial, k int) PARTITION BY LIST (k); CREATE TABLE c PARTITION OF p FOR VALUES IN (1);
         CREATE UNIQUE INDEX ON c (id); CREATE TABLE b (x int REFERENCES c (id))",
        "CREATE TABLE p (id bigserial PRIMARY KEY); CREATE TABLE c (PRIMARY KEY (id)) INHERITS (p);
         CREATE TABLE b (x int REFERENCES c)",
        "CREATE TABLE p (id bigserial PRIMARY KEY); CREATE TABLE m (p_id bigint REFERENCES p) PARTITION BY HASH (p_id);
         CREATE TABLE c PARTITION OF m FOR VALUES WITH (MODULUS 1, REMAINDER 0); CREATE UNIQUE INDEX ON c (p_id);
         CREATE TABLE b (x int REFERENCES c (p_id))",
    ] {
        let database = with(&format!("{create}; SELECT setval('p_id_seq', 2147483640)")).await;
        let outcome = database.once(&[]).exits(3);
        outcome.shows("public.p_id_seq", json!({ "limit": 2_147_483_647, "limited_by": "public.b.x" }));
    }
    let part = "CREATE TABLE p (id bigint, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
                CREATE TABLE c PARTITION OF p FOR VALUES IN (1); CREATE SEQUENCE cs OWNED BY c.id;
                ALTER TABLE c ALTER id SET DEFAULT nextval('cs');
                CREATE TABLE b (pid int, pk int, FOREIGN KEY (pid, pk) REFERENCES p); SELECT setval('cs', 2147483640)";
    with(part).await.once(&[]).exits(3).shows("public.cs", json!({ "limited_by": "public.b.pid" }));
    let child =
        "CREATE TABLE p (id bigserial PRIMARY KEY); CREATE SEQUENCE s; CREATE TABLE c (PRIMARY KEY (id)) INHERITS (p);
                 ALTER TABLE c ALTER id SET DEFAULT nextval('s'); CREATE TABLE b (x int REFERENCES c);
                 SELECT setval('p_id_seq', 2147483640)";
    let outcome = with(child).await.once(&[]).exits(0);
    outcome.shows("public.p_id_seq", json!({ "limited_by": "public.p.id" }));
    outcome.shows("public.s", json!({ "limited_by": "public.b.x" }));
}

use crate::evidence::*;
use proptest::prelude::*;

fn target() -> TargetSequence {
    let table = |schema: &str, name: &str, certain| TargetTable {
        schema: schema.to_owned(),
        name: name.to_owned(),
        only_one: true,
        column: "id".to_owned(),
        place: 2,
        certain,
    };
    TargetSequence {
        schema: "app".to_owned(),
        name: "t_id_seq".to_owned(),
        only_one: true,
        tables: vec![table("app", "t", true), table("app", "Part 1", true), table("app", "root", false)],
    }
}

/// What `text` tells of the sequence of `app.t.id`, its second column: for certain, or maybe.
fn told(text: &str, cut: bool) -> Vec<(StatementKind, bool)> {
    let targets = [target()];
    let index = TargetIndex::new(&targets);
    let concerned = acts(text, cut).into_iter().flat_map(|act| index.concerned(&act));
    concerned.map(|concern| (concern.kind, concern.certain)).collect()
}

fn certain(text: &str) -> Option<StatementKind> {
    match told(text, false)[..] {
        [] => None,
        [(kind, true)] => Some(kind),
        ref other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_statement_with_explicit_values_for_the_column_is_known() {
    use StatementKind::{Copy, Insert, Merge, Update};
    for (text, kind) in [
        ("INSERT INTO app.t (id, name) VALUES ($1, $2)", Insert),
        ("insert into t(name,ID) values('a;b', 7), ('c', default)", Insert),
        ("/* job */ -- it's\nINSERT INTO \"app\".\"t\" AS x (\"id\") OVERRIDING SYSTEM VALUE SELECT a FROM b", Insert),
        ("INSERT INTO t VALUES ('x', 5)", Insert),
        ("BEGIN; INSERT INTO other (id) VALUES (1); INSERT INTO t (id) VALUES (2) RETURNING id; COMMIT", Insert),
        ("INSERT INTO app.\"Part 1\" (id) VALUES (7) ON CONFLICT (id) DO UPDATE SET name = 'x'", Insert),
        ("INSERT INTO shop.app.t (id) VALUES (7)", Insert),
        ("WITH a AS (SELECT 1 AS id) INSERT INTO t (id) SELECT id FROM a", Insert),
        (
            "WITH RECURSIVE a (n) AS NOT MATERIALIZED (INSERT INTO t (id) VALUES (1) RETURNING id), b AS (SELECT 2) SELECT * FROM a",
            Insert,
        ),
        ("INSERT INTO t (id) SELECT 'nextval'", Insert),
        ("INSERT INTO t (id) (SELECT 1)", Insert),
        ("UPDATE ONLY t AS x SET name = DEFAULT, id = x.id + 1000 WHERE id < 10", Update),
        ("UPDATE t SET (name, id) = ('a', 5) FROM b", Update),
        (
            "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, 'a')",
            Merge,
        ),
        ("MERGE INTO t x USING s ON true WHEN MATCHED THEN UPDATE SET id = CASE WHEN a THEN 1 END", Merge),
        ("COPY app.t (id, name) FROM stdin;", Copy),
        ("COPY t FROM '/tmp/a' WITH (FORMAT csv)", Copy),
    ] {
        assert_eq!(certain(text), Some(kind), "{text}");
    }
}

#[test]
fn a_statement_that_draws_its_ids_or_writes_something_else_is_not_named() {
    for text in [
        "INSERT INTO t (name) VALUES ('x')",
        "INSERT INTO t (id, name) VALUES (DEFAULT, 'x')",
        "INSERT INTO t (id, name) VALUES (nextval('t_id_seq'), 'x'), (5, 'y')",
        "INSERT INTO t (id) VALUES ((SELECT pg_catalog.\"nextval\"($1)))",
        "INSERT INTO t (id) SELECT nextval('t_id_seq') FROM generate_series(1, 3)",
        "INSERT INTO t (id) OVERRIDING USER VALUE VALUES (1)",
        "INSERT INTO t DEFAULT VALUES",
        "INSERT INTO t VALUES ('x')",
        "INSERT INTO t SELECT * FROM other",
        "INSERT INTO other.t (id) VALUES (1)",
        "INSERT INTO \"T\" (id) VALUES (1)",
        "INSERT INTO t (\"ID\") VALUES (1)",
        "INSERT INTO T2 (id) VALUES (1)",
        "UPDATE t SET name = 'id = 5' WHERE id = 3",
        "UPDATE t SET id = DEFAULT",
        "UPDATE t SET id.part = 3",
        "MERGE INTO t USING s ON true WHEN NOT MATCHED THEN INSERT (name) VALUES ('a')",
        "COPY t (name) FROM stdin",
        "COPY app.t (id, name) TO stdout",
        "COPY (SELECT id FROM t) TO stdout",
        "SELECT id FROM t",
        "DELETE FROM t WHERE id = 1",
        "SELECT 'INSERT INTO t (id) VALUES (1)'",
        "SELECT $$INSERT INTO t (id) VALUES (1)$$ -- ; INSERT INTO t (id) VALUES (1)",
        "/* INSERT INTO t (id) VALUES (1); */ SELECT 1",
        "SELECT \"a; INSERT INTO t (id) VALUES (1)\" FROM b",
        "SELECT insert INTO t FROM b",
    ] {
        assert_eq!(told(text, false), [], "{text}");
    }
}

#[test]
fn code_that_is_only_defined_or_explained_is_not_run() {
    for text in [
        "DO $$ BEGIN INSERT INTO t (id) VALUES (1); PERFORM setval('t_id_seq', 1); END $$",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC SELECT 1; INSERT INTO t (id) VALUES (1); END",
        "CREATE RULE r AS ON INSERT TO b DO ALSO (INSERT INTO t (id) VALUES (1); SELECT setval('t_id_seq', 1))",
        "CREATE VIEW v AS SELECT setval('app.t_id_seq', 1)",
        "EXPLAIN INSERT INTO t (id) VALUES (1)",
        "PREPARE p AS INSERT INTO t (id) VALUES ($1)",
        "CALL setval('t_id_seq', 1)",
        "SELECT CASE WHEN false THEN setval('t_id_seq', 1) END",
        "SELECT CASE WHEN false THEN (setval('t_id_seq', 1)) END",
    ] {
        assert_eq!(told(text, false), [], "{text}");
    }
}

#[test]
fn a_statement_that_moves_the_sequence_is_known() {
    use StatementKind::{AlterSequence, Setval, TruncateRestart};
    for (text, kind) in [
        ("SELECT setval('t_id_seq', 1, false)", Setval),
        ("SELECT pg_catalog.setval('app.t_id_seq'::regclass, (SELECT max(id) FROM t))", Setval),
        ("SELECT count(*), \"setval\"('\"app\".T_id_seq'::pg_catalog.regclass, 5) FROM b", Setval),
        ("SELECT setval(pg_get_serial_sequence('app.t', 'id'), 1)", Setval),
        ("WITH a AS (SELECT setval(E't_id_seq', 7)) TABLE a", Setval),
        ("ALTER SEQUENCE IF EXISTS app.t_id_seq INCREMENT 1 RESTART WITH 1", AlterSequence),
        ("alter sequence t_id_seq restart", AlterSequence),
        ("ALTER TABLE IF EXISTS ONLY app.t ALTER COLUMN id RESTART WITH 1", AlterSequence),
        ("ALTER TABLE t ADD x int, ALTER id SET GENERATED BY DEFAULT RESTART", AlterSequence),
        ("TRUNCATE TABLE other, ONLY app.t RESTART IDENTITY CASCADE", TruncateRestart),
        ("TRUNCATE t * RESTART IDENTITY", TruncateRestart),
    ] {
        assert_eq!(certain(text), Some(kind), "{text}");
    }
    for text in [
        "SELECT other.setval('t_id_seq', 1)",
        "SELECT setval('other_seq', 1)",
        "SELECT setval('other.t_id_seq', 1)",
        "SELECT 'setval(''t_id_seq'', 1)'",
        "INSERT INTO setval (a, b) VALUES (1, 2)",
        "SELECT * FROM b AS setval(x, y)",
        "ALTER SEQUENCE t_id_seq MAXVALUE 500",
        "ALTER SEQUENCE t_id_seq RENAME TO restart",
        "ALTER SEQUENCE t_id_seq OWNED BY restart.id",
        "ALTER SEQUENCE t_id_seq SET SCHEMA restart",
        "ALTER TABLE t ALTER COLUMN id TYPE restart",
        "ALTER TABLE t ALTER COLUMN name RESTART",
        "TRUNCATE t CONTINUE IDENTITY",
        "TRUNCATE t",
        "TRUNCATE other RESTART IDENTITY",
        "SELECT setval('t_id_seq')",
    ] {
        assert_eq!(told(text, false), [], "{text}");
    }
}

#[test]
fn what_may_be_meant_is_said_as_such() {
    use StatementKind::{Insert, Setval, TruncateRestart};
    for (text, kind) in [
        ("SELECT setval($1, $2, $3)", Setval),
        ("SELECT setval('t_' || 'id_seq', 5)", Setval),
        ("SELECT setval(c.oid, 1) FROM pg_class c", Setval),
        ("TRUNCATE other RESTART IDENTITY CASCADE", TruncateRestart),
        ("INSERT INTO root (id) VALUES (1)", Insert),
    ] {
        assert_eq!(told(text, false), [(kind, false)], "{text}");
    }
    let mut several = target();
    several.tables[0].only_one = false;
    several.only_one = false;
    let targets = [several];
    let index = TargetIndex::new(&targets);
    for text in ["INSERT INTO t (id) VALUES (1)", "SELECT setval('t_id_seq', 1)"] {
        let concerned: Vec<Concern> = acts(text, false).iter().flat_map(|act| index.concerned(act)).collect();
        assert!(matches!(concerned[..], [Concern { certain: false, .. }]), "{text}: {concerned:?}");
    }
}

#[test]
fn of_a_text_that_is_cut_off_only_what_is_complete_counts() {
    for (text, known) in [
        ("INSERT INTO t (id, name) VALUES (5, 'a long te", true),
        ("INSERT INTO t (id, name) VALUES (5", false),
        ("INSERT INTO t (name, id", false),
        ("INSERT INTO t (id) SELECT a FROM b", false),
        ("UPDATE t SET id = 5, name = 'a", true),
        ("UPDATE t SET id = nextv", false),
        ("COPY t (id) FROM", true),
        ("SELECT setval('t_id_seq', 10", true),
        ("SELECT setval('t_id_s", false),
        ("TRUNCATE t RESTART IDENT", false),
        ("INSERT INTO t", false),
    ] {
        assert_eq!(told(text, true).is_empty(), !known, "{text}");
    }
}

#[test]
fn a_text_whose_meaning_a_setting_decides_is_not_read() {
    assert_eq!(told(r"SELECT 'a\'; INSERT INTO t (id) VALUES (1); --'", false), []);
    assert_eq!(certain(r"INSERT INTO t (name, id) VALUES ('C:\dir', 1)"), Some(StatementKind::Insert));
}

#[test]
fn a_huge_text_is_read_in_one_go() {
    let values = vec!["($1, $2)"; 200_000].join(", ");
    assert_eq!(certain(&format!("INSERT INTO t (id, name) VALUES {values}")), Some(StatementKind::Insert));
    let deep = format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(told(&deep, false), []);
    let nested =
        format!("WITH a AS ({}SELECT 1{}) SELECT 2", "WITH a AS (".repeat(20_000), ") SELECT 1".repeat(20_000));
    assert_eq!(told(&nested, false), []);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("INSERT INTO ".to_owned()), Just("t".to_owned()), Just("(".to_owned()), Just(")".to_owned()),
                Just("id".to_owned()), Just(",".to_owned()), Just(" VALUES ".to_owned()), Just("WITH ".to_owned()),
                Just(" AS ".to_owned()), Just("'".to_owned()), Just("\"".to_owned()), Just("$a$".to_owned()),
                Just("/*".to_owned()), Just("*/".to_owned()), Just("--".to_owned()), Just("\\".to_owned()),
                Just("E'".to_owned()), Just("U&".to_owned()), Just("UPDATE ".to_owned()), Just(" SET ".to_owned()),
                Just("setval(".to_owned()), Just("MERGE INTO ".to_owned()), Just(" THEN ".to_owned()),
                Just("COPY ".to_owned()), Just(";".to_owned()), Just("ALTER TABLE ".to_owned()), ".{0,6}",
            ],
            0..40,
        ),
        cut: bool,
    ) {
        told(&pieces.concat(), cut);
    }
}

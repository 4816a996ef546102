//! What an owner can do to its tables: no code of it runs as a superuser, and no drift looks healthy.

use crate::support::{Database, Outcome};

/// Creates the tables `m.t_0`, `m.t_1`, … of the stranger, each with a lag of seven, and applies one of `tricks` to
/// each: `$` stands for the table's name. Everything was granted to the role that runs pgmedic before.
async fn played(tricks: &[&str]) -> Database {
    let mut database = Database::new().await;
    let [stranger, medic] = ["stranger", "medic"].map(|name| database.role(name));
    let spies = database.spies("m");
    database
        .sql(&format!(
            "CREATE ROLE {stranger}; CREATE ROLE {medic} LOGIN; CREATE SCHEMA m AUTHORIZATION {stranger};
             SET ROLE {stranger}; GRANT USAGE ON SCHEMA m TO PUBLIC; {spies}"
        ))
        .await;
    for (number, trick) in tricks.iter().enumerate() {
        let table = format!("m.t_{number}");
        database
            .sql(&format!(
                "CREATE TABLE {table} (id serial PRIMARY KEY, k integer, CONSTRAINT c CHECK (k < 9));
                 INSERT INTO {table} SELECT n, 1 FROM generate_series(1, 7) AS n; SELECT setval('{table}_id_seq', 1, false);
                 GRANT SELECT ON {table} TO {medic}; GRANT SELECT, USAGE ON {table}_id_seq TO {medic}"
            ))
            .await;
        database.sql(&trick.replace('$', &table).replace('@', &medic)).await;
    }
    database.sql("RESET ROLE").await;
    database
}

fn verdicts(outcome: &Outcome, tricks: &[&str]) -> Vec<String> {
    let verdict = |number| outcome.sequence(&format!("m.t_{number}_id_seq"))["verdict"].as_str().map(str::to_owned);
    (0..tricks.len()).map(|number| verdict(number).expect("a verdict")).collect()
}

#[tokio::test]
async fn nothing_of_an_owners_runs_as_a_superuser_that_looks() {
    let refused = [
        "CREATE INDEX ON $ (m.spy(0))",
        "CREATE INDEX ON $ (id) WHERE m.spy(0) = 1",
        "CREATE OPERATOR m.## (RIGHTARG = integer, FUNCTION = m.spy); CREATE INDEX ON $ ((OPERATOR(m.##) 0))",
        "CREATE TYPE m.w AS (i integer);
         CREATE FUNCTION m.i(m.w) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT m.spy(0)';
         CREATE CAST (m.w AS integer) WITH FUNCTION m.i(m.w); CREATE INDEX ON $ (((ROW(1)::m.w)::integer))",
        "DO 'BEGIN EXECUTE CASE WHEN current_setting(''server_version_num'')::integer >= 140000
         THEN ''CREATE STATISTICS m.s ON m.spy(0), k FROM $'' ELSE ''CREATE INDEX ON $ (m.spy(0))'' END; END'",
        "ALTER TABLE $ ADD CHECK (m.spy(0) = 1)",
        "CREATE TABLE m.child (CHECK (m.spy(0) = 1)) INHERITS ($)",
        "DROP TABLE $; CREATE TABLE $ (id serial, k integer) PARTITION BY RANGE ((id + m.spy(0)))",
        "CREATE TABLE m.indexed () INHERITS ($); CREATE INDEX ON m.indexed (m.spy(0))",
    ];
    let harmless = [
        "CREATE DOMAIN m.d AS integer CHECK (m.spy(0) = 1); ALTER TABLE $ ALTER id TYPE m.d",
        "ALTER TABLE $ ADD g integer GENERATED ALWAYS AS (m.spy(k)) STORED, ALTER k SET DEFAULT m.tell()",
        "ALTER TABLE $ ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON $ USING (m.tell() = 2)",
        "CREATE RULE r AS ON INSERT TO $ DO ALSO SELECT m.tell(); CREATE RULE s AS ON UPDATE TO $ DO ALSO SELECT m.tell()",
        "CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON $ FOR EACH ROW EXECUTE FUNCTION m.spy_row()",
        "CREATE FUNCTION m.diff(integer, integer) RETURNS float8 IMMUTABLE LANGUAGE sql AS 'SELECT m.spy(0)::float8';
         CREATE TYPE m.r AS RANGE (SUBTYPE = integer, SUBTYPE_DIFF = m.diff);
         CREATE INDEX ON $ (isempty('[1,3)'::m.r + '[2,5)'::m.r))",
        "CREATE AGGREGATE m.max(integer) (SFUNC = m.more, STYPE = integer)",
        "CREATE VIEW m.v AS SELECT m.tell() AS id FROM $; ALTER VIEW m.v ALTER id SET DEFAULT nextval('$_id_seq')",
        "ALTER FUNCTION m.spy(integer) SET search_path = m; CREATE FUNCTION m.nextval(regclass) RETURNS bigint
         LANGUAGE sql AS 'SELECT m.tell()::bigint'",
    ];
    let harmless = harmless.map(|trick| {
        trick.replace(
            "CREATE AGGREGATE",
            "CREATE FUNCTION m.more(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT m.tell()'; CREATE AGGREGATE",
        )
    });
    let tricks: Vec<&str> = refused.into_iter().chain(harmless.iter().map(String::as_str)).collect();
    let mut database = played(&tricks).await;
    let outcome = database.once_with("[sequences]\nstatement_timeout = \"60s\"", &[]);
    let found = verdicts(&outcome, &tricks);
    for ((number, trick), verdict) in tricks.iter().enumerate().zip(&found) {
        // The range type's function belongs to the index, although nothing calls it.
        let expected = if number < refused.len() { "unreadable" } else { "behind" };
        assert_eq!(verdict, expected, "{trick}");
    }
    assert!(!database.spied().contains("postgres"), "{:?}", database.spied());
    let moved = database.number("SELECT count(*) FROM pg_sequences WHERE schemaname = 'm' AND last_value = 7").await;
    assert_eq!(usize::try_from(moved).unwrap(), harmless.len());
}

#[tokio::test]
async fn no_trick_of_an_owners_makes_its_drift_look_healthy() {
    let (behind, unreadable, unsupported) = ("behind", "unreadable", "unsupported");
    let tricks = [
        ("ALTER TABLE $ ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON $ USING (id < 1)", unreadable),
        ("REVOKE SELECT ON $ FROM @", unreadable),
        ("REVOKE SELECT ON $ FROM @; GRANT SELECT (k) ON $ TO @", unreadable),
        ("REVOKE SELECT ON SEQUENCE $_id_seq FROM @", unreadable),
        ("CREATE TABLE m.hidden () INHERITS ($); INSERT INTO m.hidden SELECT * FROM $; DELETE FROM ONLY $", behind),
        (
            "CREATE TABLE m.secret () INHERITS ($); INSERT INTO m.secret SELECT * FROM $; DELETE FROM ONLY $;
             ALTER TABLE m.secret ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            behind,
        ),
        ("ALTER TABLE $ RENAME TO elsewhere; CREATE VIEW $ AS SELECT 0 AS id", behind),
        (
            "CREATE FUNCTION m.made() RETURNS bigint LANGUAGE sql AS 'SELECT nextval(''$_id_seq'')';
             ALTER TABLE $ ALTER id SET DEFAULT m.made()",
            unsupported,
        ),
        ("ALTER TABLE $ ALTER id SET DEFAULT nextval('$_id_seq'::text)", behind),
        ("ALTER TABLE $ ALTER id SET DEFAULT nextval('$_id_seq') + 0", unsupported),
        (
            "CREATE TABLE m.decoy (id integer); ALTER SEQUENCE $_id_seq OWNED BY m.decoy.id;
             GRANT SELECT ON m.decoy TO @",
            behind,
        ),
        ("CREATE DOMAIN m.n AS integer; ALTER TABLE $ ALTER id TYPE m.n", behind),
        ("ALTER TABLE $ ALTER id TYPE numeric; INSERT INTO $ VALUES ('NaN'), (1e30)", behind),
        ("ALTER TABLE $ ALTER id TYPE text", unsupported),
        ("ALTER SEQUENCE $_id_seq CYCLE", unsupported),
        ("ALTER SEQUENCE $_id_seq MAXVALUE 3", behind),
        ("ALTER TABLE $ RENAME id TO \"Id\"\"; --\"", behind),
        ("CREATE INDEX ON $ (id) WHERE id < 1", behind),
    ];
    let (tricks, expected): (Vec<&str>, Vec<&str>) = tricks.into_iter().unzip();
    let database = played(&tricks).await;
    let medic = database.role("medic");
    let outcome = database.once_as(&medic, &["--dry-run"]);
    assert_eq!(outcome.database()["error"], serde_json::Value::Null);
    let found = verdicts(&outcome, &tricks);
    for ((trick, verdict), expected) in tricks.iter().zip(&found).zip(&expected) {
        assert_eq!(verdict, expected, "{trick}");
    }
}

//! `pgmedic sql install`: a repair that any language can call, and that gives nobody more than that.

use crate::support::{Database, pgmedic};
use sqlx::postgres::{PgConnection, PgListener};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A database with an owner of tables, the schema installed for it, and an application that may insert.
pub struct Scene {
    pub database: Database,
    pub owner: String,
    pub app: String,
}

impl Scene {
    /// `tables` are the owner's.
    pub async fn new(tables: &str) -> Self {
        let mut database = Database::new().await;
        let (owner, app) = (database.role("The 'Owner'"), database.role("The App"));
        let quoted = owner.replace('"', "\"\"");
        database
            .sql(&format!(
                "CREATE ROLE \"{quoted}\"; CREATE ROLE \"{app}\" LOGIN; GRANT CREATE ON SCHEMA public TO \"{quoted}\";
                 SET ROLE \"{quoted}\"; {tables}; RESET ROLE"
            ))
            .await;
        let script = pgmedic(&[], &["sql", "install", "--owner", &owner, "--grant", &app]).exits(0).stdout;
        database.sql(&script).await;
        // Again, as an upgrade would.
        database.sql(&script).await;
        Self { database, owner, app }
    }

    pub async fn application(&self) -> PgConnection {
        PgConnection::connect(&self.database.url_as(&self.app.replace(' ', "%20"))).await.unwrap()
    }

    /// As the application.
    async fn repair(&self, call: &str) -> Result<i64, String> {
        let mut application = self.application().await;
        repair(&mut application, call).await
    }
}

async fn repair(connection: &mut PgConnection, call: &str) -> Result<i64, String> {
    let row = sqlx::query(AssertSqlSafe(format!("SELECT pgmedic.repair({call})"))).fetch_one(connection).await;
    row.map(|row| row.get(0)).map_err(|error| error.as_database_error().unwrap().message().to_owned())
}

const STORY: &str = "
    CREATE TABLE user_sessions (session_id serial PRIMARY KEY, user_id integer NOT NULL);
    INSERT INTO user_sessions SELECT id, id % 50 FROM generate_series(1, 695) AS id;
    SELECT setval('user_sessions_session_id_seq', 658, false)";

/// May insert, and not even read.
async fn story() -> Scene {
    let mut scene = Scene::new(STORY).await;
    let grants = format!(
        "GRANT INSERT (user_id) ON user_sessions TO \"{app}\";
         GRANT USAGE ON SEQUENCE user_sessions_session_id_seq TO \"{app}\"",
        app = scene.app
    );
    scene.database.sql(&grants).await;
    scene
}

const CALL: &str = "'user_sessions', 'session_id'";
const LOGIN: &str = "INSERT INTO user_sessions (user_id) VALUES (7)";

#[tokio::test]
async fn an_application_with_nothing_but_execute_repairs_what_it_inserts_into() {
    let mut scene = story().await;
    let mut listener = PgListener::connect(scene.database.url()).await.unwrap();
    listener.listen("pgmedic").await.unwrap();
    let mut application = scene.application().await;
    assert!(sqlx::query(LOGIN).execute(&mut application).await.is_err());
    assert_eq!(repair(&mut application, CALL).await, Ok(37));
    sqlx::query(LOGIN).execute(&mut application).await.unwrap();
    assert_eq!(repair(&mut application, CALL).await, Ok(0), "nothing is behind any more");
    assert_eq!(scene.database.nextval("user_sessions_session_id_seq").await, 697);

    let event = "SELECT role || ' ' || source || ' ' || sequence || ' ' || outcome || ' ' || from_value || ' '
                 || to_value || ' ' || (at BETWEEN now() - interval '1 minute' AND clock_timestamp())
                 FROM pgmedic.events";
    let event: String = scene.database.row(event).await.get(0);
    let expected = format!("{} inline public.user_sessions_session_id_seq repaired 659 695 true", scene.app);
    assert_eq!(event, expected);
    assert_eq!(listener.recv().await.unwrap().payload(), "public.user_sessions_session_id_seq");
}

#[tokio::test]
async fn the_application_gets_nothing_else() {
    let scene = story().await;
    let mut application = scene.application().await;
    for forbidden in [
        "SELECT * FROM pgmedic.events",
        "INSERT INTO pgmedic.events (role, sequence) VALUES ('x', 'y')",
        "SELECT * FROM pgmedic.feeds",
        "CREATE TABLE pgmedic.mine ()",
        "SELECT session_id FROM user_sessions",
        "SELECT setval('user_sessions_session_id_seq', 1)",
    ] {
        let error = sqlx::query(forbidden).execute(&mut application).await.expect_err(forbidden);
        let code = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
        assert_eq!(code.as_deref(), Some("42501"), "{forbidden}: {error}");
    }
}

#[tokio::test]
async fn who_was_not_granted_it_cannot_call_it() {
    let mut scene = story().await;
    let stranger = scene.database.role("stranger");
    scene.database.sql(&format!("CREATE ROLE {stranger} LOGIN; GRANT INSERT ON user_sessions TO {stranger}")).await;
    let mut connection = PgConnection::connect(&scene.database.url_as(&stranger)).await.unwrap();
    let refusal = repair(&mut connection, CALL).await.unwrap_err();
    assert_eq!(refusal, "permission denied for schema pgmedic");
    scene.database.sql(&format!("GRANT USAGE ON SCHEMA pgmedic TO {stranger}")).await;
    let refusal = repair(&mut connection, CALL).await.unwrap_err();
    assert_eq!(refusal, "permission denied for function repair");
}

#[tokio::test]
async fn nothing_is_repaired_that_the_caller_could_not_insert_into() {
    let mut scene = story().await;
    let app = scene.app.clone();
    let refused = |what: &str| Err(format!("\"{app}\" may not {what}"));
    scene.database.sql(&format!("REVOKE INSERT (user_id) ON user_sessions FROM \"{app}\"")).await;
    assert_eq!(scene.repair(CALL).await, refused("insert into public.user_sessions"));
    scene.database.sql(&format!("GRANT INSERT ON user_sessions TO \"{app}\"")).await;
    scene.database.sql(&format!("REVOKE USAGE ON SEQUENCE user_sessions_session_id_seq FROM \"{app}\"")).await;
    assert_eq!(scene.repair(CALL).await, refused("use public.user_sessions_session_id_seq"));
    assert_eq!(scene.database.number("SELECT last_value FROM user_sessions_session_id_seq").await, 658);
}

#[tokio::test]
async fn the_role_that_was_set_counts_and_not_the_one_that_logged_in() {
    let mut scene = story().await;
    let (login, idle) = (scene.database.role("login"), scene.database.role("idle"));
    scene
        .database
        .sql(&format!(
            "CREATE ROLE {idle}; CREATE ROLE {login} LOGIN NOINHERIT; GRANT \"{app}\", {idle} TO {login};
             GRANT USAGE ON SCHEMA pgmedic TO {idle}; GRANT EXECUTE ON FUNCTION pgmedic.repair TO {idle}",
            app = scene.app
        ))
        .await;
    let mut connection = PgConnection::connect(&scene.database.url_as(&login)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("SET ROLE {idle}"))).execute(&mut connection).await.unwrap();
    let refusal = repair(&mut connection, CALL).await.unwrap_err();
    assert_eq!(refusal, format!("{idle} may not insert into public.user_sessions"));
    sqlx::raw_sql(AssertSqlSafe(format!("SET ROLE \"{}\"", scene.app))).execute(&mut connection).await.unwrap();
    assert_eq!(repair(&mut connection, CALL).await, Ok(38));
    let who: String = scene.database.row("SELECT role::text FROM pgmedic.events").await.get(0);
    assert_eq!(who, scene.app);
}

#[tokio::test]
async fn it_does_what_the_library_does_for_every_kind_of_link() {
    for (setup, call, expected) in [
        (
            "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
             INSERT INTO t OVERRIDING SYSTEM VALUE SELECT generate_series(1, 20)",
            "'t', 'id'",
            21,
        ),
        (
            "CREATE SEQUENCE \"the \\ 'No'\"; CREATE TABLE t (id integer DEFAULT nextval('\"the \\ ''No''\"')::integer);
             INSERT INTO t SELECT generate_series(1, 20)",
            "'t', 'id'",
            21,
        ),
        (
            "CREATE SEQUENCE s; CREATE DOMAIN inner_number AS numeric(9, 0) DEFAULT nextval('s');
             CREATE DOMAIN number AS inner_number; CREATE TABLE t (id number); INSERT INTO t SELECT generate_series(1, 20);
             ALTER TABLE t ALTER id TYPE inner_number",
            "'t', 'id'",
            21,
        ),
        (
            "CREATE TABLE t (id integer GENERATED BY DEFAULT AS IDENTITY (INCREMENT -1) PRIMARY KEY);
             INSERT INTO t SELECT generate_series(-20, -1)",
            "'t', 'id'",
            -21,
        ),
        (
            "CREATE TABLE t (id integer GENERATED BY DEFAULT AS IDENTITY (START 3 INCREMENT 10) PRIMARY KEY);
             INSERT INTO t SELECT generate_series(3, 203, 10) UNION ALL SELECT generate_series(7, 907, 10)",
            "'t', 'id'",
            213,
        ),
        (
            "CREATE SEQUENCE shared; CREATE TABLE t (id integer PRIMARY KEY DEFAULT nextval('shared'));
             CREATE TABLE \"Other; table\" (\"the \"\"No\" numeric PRIMARY KEY DEFAULT nextval('shared'));
             INSERT INTO t VALUES (1); INSERT INTO \"Other; table\" VALUES (90), ('NaN'), (7.5), (91.5)",
            "'t', 'id'",
            91,
        ),
        (
            "CREATE TABLE t (id bigserial PRIMARY KEY) PARTITION BY RANGE (id);
             CREATE TABLE low PARTITION OF t FOR VALUES FROM (1) TO (15);
             CREATE TABLE high PARTITION OF t FOR VALUES FROM (15) TO (1000); INSERT INTO t SELECT generate_series(1, 20)",
            "'low', 'id'",
            21,
        ),
        (
            "CREATE TABLE parent (id serial PRIMARY KEY); CREATE TABLE t (PRIMARY KEY (id)) INHERITS (parent);
             INSERT INTO t VALUES (1), (2); INSERT INTO parent VALUES (50)",
            "'t', 'id'",
            51,
        ),
    ] {
        let mut scene = Scene::new(setup).await;
        scene
            .database
            .sql(&format!(
                "GRANT INSERT ON t TO \"{app}\"; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO \"{app}\"",
                app = scene.app
            ))
            .await;
        let moved = scene.repair(call).await.unwrap_or_else(|error| panic!("{error}\nin: {setup}"));
        assert!(moved > 0, "{setup}");
        let next = scene.database.number("INSERT INTO t DEFAULT VALUES RETURNING id::bigint").await;
        assert_eq!(next, expected, "{setup}");
        assert_eq!(scene.repair(call).await, Ok(0), "{setup}");
    }
}

#[tokio::test]
async fn a_session_uses_up_what_it_has_cached() {
    let mut scene =
        Scene::new("CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY (CACHE 50) PRIMARY KEY)").await;
    scene.database.sql(&format!("GRANT INSERT ON t TO \"{}\"", scene.app)).await;
    let mut application = scene.application().await;
    let insert = "INSERT INTO t DEFAULT VALUES";
    sqlx::query(insert).execute(&mut application).await.unwrap();
    scene.database.sql("INSERT INTO t SELECT generate_series(2, 500); SELECT setval('t_id_seq', 500)").await;
    assert!(sqlx::query(insert).execute(&mut application).await.is_err());
    assert_eq!(repair(&mut application, "'t', 'id'").await, Ok(0));
    sqlx::query(insert).execute(&mut application).await.unwrap();
    assert_eq!(scene.database.number("SELECT count(*) FROM t WHERE id > 500").await, 1);
}

#[tokio::test]
async fn what_would_use_too_many_values_is_held_and_told_once() {
    for (setup, sequence) in [
        ("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (100001)", "t_id_seq"),
        ("CREATE TABLE t (id smallserial PRIMARY KEY); INSERT INTO t VALUES (30000)", "t_id_seq"),
        ("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (2147483647)", "t_id_seq"),
        (
            "CREATE SEQUENCE s; CREATE TABLE t (id smallint PRIMARY KEY DEFAULT nextval('s')); INSERT INTO t VALUES (32767)",
            "s",
        ),
    ] {
        let mut scene = Scene::new(setup).await;
        let grants = format!(
            "GRANT INSERT ON t TO \"{app}\"; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO \"{app}\"",
            app = scene.app
        );
        scene.database.sql(&grants).await;
        for _ in 0..3 {
            assert_eq!(scene.repair("'t', 'id'").await, Ok(0), "{setup}");
        }
        assert_eq!(scene.database.nextval(sequence).await, 1, "{setup}");
        assert_eq!(scene.database.number("SELECT count(*) FROM pgmedic.events WHERE outcome = 'held'").await, 1);
    }
}

#[tokio::test]
async fn the_edges_of_bigint_and_used_up_sequences_are_no_error() {
    for setup in [
        "CREATE TABLE t (id bigserial PRIMARY KEY); SELECT setval('t_id_seq', 9223372036854775807)",
        "CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY (INCREMENT -1) PRIMARY KEY);
         SELECT setval('t_id_seq', -9223372036854775807)",
    ] {
        let mut scene = Scene::new(&format!("{setup}; INSERT INTO t VALUES (1), (-1)")).await;
        let grants = format!(
            "GRANT INSERT ON t TO \"{app}\"; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO \"{app}\"",
            app = scene.app
        );
        scene.database.sql(&grants).await;
        assert_eq!(scene.repair("'t', 'id'").await, Ok(0), "{setup}");
    }
}

#[tokio::test]
async fn what_cannot_be_judged_is_an_error_that_says_why() {
    for (setup, call, words) in [
        ("CREATE TABLE t (id integer)", "'t', 'id'", "no sequence feeds public.t.id"),
        ("CREATE TABLE t (id serial)", "'t', 'no'", "public.t has no column no"),
        ("CREATE SEQUENCE s CYCLE; CREATE TABLE t (id int DEFAULT nextval('s'))", "'t', 'id'", "public.s cycles"),
        (
            "CREATE SEQUENCE s; CREATE TABLE t (id int DEFAULT nextval('s') * 10)",
            "'t', 'id'",
            "public.s feeds no column whose ids are its own values",
        ),
        (
            "CREATE SEQUENCE s; CREATE TABLE t (id text DEFAULT nextval('s'))",
            "'t', 'id'",
            "public.s feeds no column whose ids are its own values",
        ),
    ] {
        let mut scene = Scene::new(setup).await;
        let grants = format!(
            "GRANT INSERT ON t TO \"{app}\"; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO \"{app}\"",
            app = scene.app
        );
        scene.database.sql(&grants).await;
        let refusal = scene.repair(call).await.unwrap_err();
        assert!(refusal.contains(words), "{refusal}\nin: {setup}");
    }
}

/// A role that may call the function, create tables and use the owner's sequence.
async fn attacked() -> (Scene, PgConnection) {
    let mut scene = story().await;
    let attacker = scene.database.role("attacker");
    scene
        .database
        .sql(&format!(
            "CREATE ROLE {attacker} LOGIN; GRANT CREATE ON SCHEMA public TO {attacker};
             GRANT USAGE ON SCHEMA pgmedic TO {attacker}; GRANT EXECUTE ON FUNCTION pgmedic.repair TO {attacker};
             GRANT USAGE ON SEQUENCE user_sessions_session_id_seq TO {attacker}"
        ))
        .await;
    let connection = PgConnection::connect(&scene.database.url_as(&attacker)).await.unwrap();
    (scene, connection)
}

async fn run(connection: &mut PgConnection, statements: &str) {
    let statements = AssertSqlSafe(statements.to_owned());
    sqlx::raw_sql(statements).execute(connection).await.unwrap();
}

#[tokio::test]
async fn no_function_of_a_tables_owner_runs_with_more_rights() {
    let (mut scene, mut attacker) = attacked().await;
    let all = format!("GRANT ALL ON mine, mine_id_seq TO \"{}\"", scene.owner.replace('"', "\"\""));
    run(
        &mut attacker,
        "CREATE TABLE mine (id serial PRIMARY KEY); INSERT INTO mine VALUES (5);
         CREATE FUNCTION spy(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS
             'BEGIN PERFORM set_config(''spy.ran_as'', current_user, false); RETURN 1; END';
         CREATE INDEX ON mine (id) WHERE spy(1) = 1; SET spy.ran_as = 'nobody'",
    )
    .await;
    run(&mut attacker, &all).await;
    let refusal = repair(&mut attacker, "'mine', 'id'").await.unwrap_err();
    assert!(refusal.contains("and of superusers, not public.mine, which belongs to"), "{refusal}");
    let ran: String =
        sqlx::query("SELECT current_setting('spy.ran_as')").fetch_one(&mut attacker).await.unwrap().get(0);
    assert_eq!(ran, "nobody");
    // As a child of the owner's table it is refused too.
    let child = format!(
        "CREATE TABLE child () INHERITS (user_sessions); ALTER TABLE child OWNER TO {}",
        scene.database.role("attacker")
    );
    scene.database.sql(&child).await;
    let refusal = scene.repair(CALL).await.unwrap_err();
    assert!(refusal.contains("not public.child, which belongs to"), "{refusal}");
}

#[tokio::test]
async fn a_strangers_default_pushes_nobody_elses_sequence() {
    let (mut scene, mut attacker) = attacked().await;
    run(
        &mut attacker,
        "CREATE TABLE mine (id integer DEFAULT nextval('user_sessions_session_id_seq')); INSERT INTO mine VALUES (90000)",
    )
    .await;
    let refusal = repair(&mut attacker, "'mine', 'id'").await.unwrap_err();
    assert_eq!(refusal, "the owner of public.mine does not own public.user_sessions_session_id_seq");
    // Nor does it count when the owner's own table is repaired.
    assert_eq!(scene.repair(CALL).await, Ok(38));
    assert_eq!(scene.database.nextval("user_sessions_session_id_seq").await, 696);
}

#[tokio::test]
async fn what_shadows_built_ins_changes_nothing() {
    let mut scene = story().await;
    scene
        .database
        .sql(
            "CREATE FUNCTION public.nextval(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
             CREATE FUNCTION public.max(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
             CREATE FUNCTION public.never(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT false';
             CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = name, FUNCTION = public.never);
             CREATE FUNCTION public.format(text, VARIADIC \"any\") RETURNS text LANGUAGE internal IMMUTABLE AS 'text_format'",
        )
        .await;
    let mut application = scene.application().await;
    run(
        &mut application,
        "CREATE TEMP TABLE pg_sequence (seqrelid oid); CREATE TEMP TABLE events (x int);
         SET search_path = public, pg_temp, pg_catalog; SET quote_all_identifiers = on",
    )
    .await;
    assert_eq!(repair(&mut application, CALL).await, Ok(38));
    assert_eq!(scene.database.number("SELECT count(*) FROM pgmedic.events").await, 1);
}

#[tokio::test]
async fn rows_that_a_policy_hides_are_an_error_and_no_wrong_maximum() {
    let mut scene = story().await;
    scene.database.sql("ALTER TABLE user_sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY").await;
    let refusal = scene.repair(CALL).await.unwrap_err();
    assert!(refusal.contains("row-level security policy"), "{refusal}");
}

#[tokio::test]
async fn installing_over_somebody_elses_schema_is_refused() {
    let mut database = Database::new().await;
    let squatter = database.role("squatter");
    database.sql(&format!("CREATE ROLE {squatter}; CREATE SCHEMA pgmedic AUTHORIZATION {squatter}")).await;
    let script = pgmedic(&[], &["sql", "install"]).exits(0).stdout;
    let refused = sqlx::raw_sql(AssertSqlSafe(script.clone())).execute(&mut database.connection).await.unwrap_err();
    let expected = format!("schema pgmedic, or something in it, belongs to {squatter} and not to postgres");
    assert_eq!(refused.as_database_error().unwrap().message(), expected);
    // Nor is a table that somebody has put into ours.
    database.sql("ROLLBACK; DROP SCHEMA pgmedic").await;
    database.sql(&script).await;
    database.sql(&format!("CREATE TABLE pgmedic.other (); ALTER TABLE pgmedic.other OWNER TO {squatter}")).await;
    assert!(sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut database.connection).await.is_err());
}

#[tokio::test]
async fn a_role_that_is_not_there_is_named() {
    let mut database = Database::new().await;
    let script = pgmedic(&[], &["sql", "install", "--owner", "No'body"]).exits(0).stdout;
    let refused = sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut database.connection).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().message(), "there is no role \"No'body\"");
}

#[tokio::test]
async fn uninstalling_leaves_nothing_and_takes_nothing_else() {
    let mut scene = story().await;
    let uninstall = pgmedic(&[], &["sql", "uninstall"]).exits(0).stdout;
    scene.database.sql("CREATE TABLE pgmedic.mine ()").await;
    scene.database.sql(&uninstall).await;
    assert_eq!(
        scene.database.number("SELECT count(*) FROM pg_class WHERE relnamespace = 'pgmedic'::regnamespace").await,
        1
    );
    scene.database.sql("DROP TABLE pgmedic.mine").await;
    scene.database.sql(&uninstall).await;
    assert_eq!(scene.database.number("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmedic'").await, 0);
    scene.database.sql(&uninstall).await;
    assert_eq!(scene.database.number("SELECT count(*) FROM user_sessions").await, 695);
}

/// Every SQL block of the document, statement by statement; one is shown to fail.
#[tokio::test]
async fn the_statements_in_the_document_do_what_it_says() {
    let mut scene = story().await;
    scene.database.sql(&format!("GRANT SELECT ON pgmedic.events TO \"{}\"", scene.app)).await;
    let mut application = scene.application().await;
    let document = include_str!("../../../docs/login.md");
    let blocks = document.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let (mut statements, mut failures) = (0, 0);
    for line in blocks.flat_map(str::lines) {
        let result = sqlx::raw_sql(AssertSqlSafe(line.to_owned())).execute(&mut application).await;
        match (result, line.contains("-- fails: 23505")) {
            (Ok(_), false) => {}
            (Err(error), true) => {
                let error = error.as_database_error().unwrap();
                assert_eq!((error.code().as_deref(), error.constraint()), (Some("23505"), Some("user_sessions_pkey")));
                failures += 1;
            }
            (result, _) => panic!("{line}: {result:?}"),
        }
        statements += 1;
    }
    assert_eq!((statements, failures), (8, 1));
    assert_eq!(scene.database.number("SELECT max(session_id)::bigint FROM user_sessions").await, 696);
}

/// Of six applications, three of which delete what they inserted: their ids may not come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_of_inserts_and_repairs_hands_no_id_out_twice() {
    let mut scene = Scene::new("CREATE TABLE t (id bigserial PRIMARY KEY)").await;
    let grants = format!(
        "GRANT INSERT, SELECT, DELETE ON t TO \"{app}\"; GRANT USAGE ON SEQUENCE t_id_seq TO \"{app}\"",
        app = scene.app
    );
    scene.database.sql(&grants).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for client in 0..6 {
        let (stop, mut connection) = (Arc::clone(&stop), scene.application().await);
        clients.push(tokio::spawn(async move {
            let (mut ids, mut moved) = (Vec::new(), 0);
            while !stop.load(Ordering::Relaxed) {
                let insert = "INSERT INTO t DEFAULT VALUES RETURNING id";
                match sqlx::query_scalar::<_, i64>(insert).fetch_one(&mut connection).await {
                    Ok(id) => ids.push(id),
                    Err(_) => moved += repair(&mut connection, "'t', 'id'").await.unwrap(),
                }
                if client < 3 {
                    run(&mut connection, "DELETE FROM t WHERE id % 3 = 0").await;
                }
            }
            (ids, moved)
        }));
    }
    for _ in 0..20 {
        let before = scene.database.number("SELECT last_value FROM t_id_seq").await;
        let ahead =
            format!("INSERT INTO t SELECT generate_series({before} + 10, {before} + 200) ON CONFLICT DO NOTHING");
        scene.database.sql(&ahead).await;
        scene.database.until(&format!("SELECT last_value > {before} + 250 FROM t_id_seq")).await;
    }
    stop.store(true, Ordering::Relaxed);
    let (mut given, mut all, mut moved) = (BTreeSet::new(), 0, 0);
    for client in clients {
        let (ids, by_client) = client.await.unwrap();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        all += ids.len();
        moved += by_client;
        given.extend(ids);
    }
    println!("{all} inserts, {moved} values moved");
    assert_eq!(given.len(), all, "an id was handed out twice");
    assert!(moved > 1000, "only {moved}");
}

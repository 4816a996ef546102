//! Which roles may repair which tables, and that the function gives them no other privilege.

use super::{CALL, Scene, incident, repair, run};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};

#[tokio::test]
async fn the_application_gets_no_other_privilege() {
    let scene = incident().await;
    let mut application = scene.application().await;
    for forbidden in [
        "SELECT * FROM pgmedic.repair_log",
        "INSERT INTO pgmedic.repair_log (role, sequence) VALUES ('x', 'y')",
        "SELECT * FROM pgmedic.sequence_columns",
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
async fn a_role_without_the_grant_cannot_call_it() {
    let mut scene = incident().await;
    let other = scene.database.role("other");
    scene.database.sql(&format!("CREATE ROLE {other} LOGIN; GRANT INSERT ON user_sessions TO {other}")).await;
    let mut connection = PgConnection::connect(&scene.database.url_as(&other)).await.unwrap();
    let refusal = repair(&mut connection, CALL).await.unwrap_err();
    assert_eq!(refusal, "permission denied for schema pgmedic");
    scene.database.sql(&format!("GRANT USAGE ON SCHEMA pgmedic TO {other}")).await;
    let refusal = repair(&mut connection, CALL).await.unwrap_err();
    assert_eq!(refusal, "permission denied for function repair");
}

#[tokio::test]
async fn a_table_that_the_caller_may_not_insert_into_is_refused() {
    let mut scene = incident().await;
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
async fn the_role_of_set_role_counts_and_not_the_login_role() {
    let mut scene = incident().await;
    let (login, idle) = (scene.database.role("login"), scene.database.role("idle"));
    scene
        .database
        .sql(&format!(
            "CREATE ROLE {idle}; CREATE ROLE {login} LOGIN NOINHERIT; GRANT \"{app}\", {idle} TO {login};
             GRANT USAGE ON SCHEMA pgmedic TO {idle}; GRANT EXECUTE ON FUNCTION pgmedic.repair(regclass, name) TO {idle}",
            app = scene.app
        ))
        .await;
    let mut connection = PgConnection::connect(&scene.database.url_as(&login)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("SET ROLE {idle}"))).execute(&mut connection).await.unwrap();
    let refusal = repair(&mut connection, CALL).await.unwrap_err();
    assert_eq!(refusal, format!("{idle} may not insert into public.user_sessions"));
    sqlx::raw_sql(AssertSqlSafe(format!("SET ROLE \"{}\"", scene.app))).execute(&mut connection).await.unwrap();
    assert_eq!(repair(&mut connection, CALL).await, Ok(38));
    let who: String = scene.database.row("SELECT role::text FROM pgmedic.repair_log").await.get(0);
    assert_eq!(who, scene.app);
}

/// Adds a role that may call the function, create tables, and use the owner's sequence.
async fn attacked() -> (Scene, PgConnection) {
    let mut scene = incident().await;
    let attacker = scene.database.role("attacker");
    scene
        .database
        .sql(&format!(
            "CREATE ROLE {attacker} LOGIN; GRANT CREATE ON SCHEMA public TO {attacker};
             GRANT USAGE ON SCHEMA pgmedic TO {attacker}; GRANT EXECUTE ON FUNCTION pgmedic.repair(regclass, name) TO {attacker};
             GRANT USAGE ON SEQUENCE user_sessions_session_id_seq TO {attacker}"
        ))
        .await;
    let connection = PgConnection::connect(&scene.database.url_as(&attacker)).await.unwrap();
    (scene, connection)
}

#[tokio::test]
async fn no_function_of_a_tables_owner_runs_with_the_functions_privileges() {
    let (mut scene, mut attacker) = attacked().await;
    let all = format!("GRANT ALL ON mine, mine_id_seq TO \"{}\"", scene.owner);
    run(
        &mut attacker,
        "CREATE TABLE mine (id serial PRIMARY KEY); INSERT INTO mine VALUES (5);
         CREATE FUNCTION spy(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS
             'BEGIN PERFORM set_config(''spy.ran_as'', current_user, false); RETURN 1; END';
         CREATE INDEX ON mine (id) WHERE spy(1) = 1; SET spy.ran_as = 'not run'",
    )
    .await;
    run(&mut attacker, &all).await;
    let refusal = repair(&mut attacker, "'mine', 'id'").await.unwrap_err();
    assert!(refusal.contains("and of superusers, not public.mine, which belongs to"), "{refusal}");
    let ran: String =
        sqlx::query("SELECT current_setting('spy.ran_as')").fetch_one(&mut attacker).await.unwrap().get(0);
    assert_eq!(ran, "not run");
    // The same as a child of the owner's table.
    let child = format!(
        "CREATE TABLE child () INHERITS (user_sessions); ALTER TABLE child OWNER TO {}",
        scene.database.role("attacker")
    );
    scene.database.sql(&child).await;
    let refusal = scene.repair(CALL).await.unwrap_err();
    assert!(refusal.contains("not public.child, which belongs to"), "{refusal}");
}

/// A table whose ids are not read is looked at by the form with a constraint. Its row-level policy, or its index, would run.
#[tokio::test]
async fn a_strangers_table_is_not_read_where_its_ids_are_not_the_sequences_values_either() {
    let (mut scene, mut attacker) = attacked().await;
    let owner = scene.owner.clone();
    let role = scene.database.role("attacker");
    // A part of the owner's table that is the attacker's; and a table of the attacker with the owner's sequence.
    scene
        .database
        .sql(&format!(
            "SET ROLE \"{owner}\";
             CREATE TABLE parts (id bigint DEFAULT nextval('user_sessions_session_id_seq') * 2) PARTITION BY LIST (id);
             RESET ROLE; CREATE TABLE part (id bigint PRIMARY KEY); ALTER TABLE part OWNER TO {role};
             ALTER TABLE parts ATTACH PARTITION part DEFAULT;
             GRANT EXECUTE ON FUNCTION pgmedic.repair(text, text, text) TO {role}"
        ))
        .await;
    run(
        &mut attacker,
        &format!(
            "CREATE TABLE own (id bigint DEFAULT nextval('user_sessions_session_id_seq')) PARTITION BY LIST (id);
             CREATE TABLE own_part PARTITION OF own (PRIMARY KEY (id)) DEFAULT;
             CREATE FUNCTION spy(bigint) RETURNS boolean LANGUAGE plpgsql AS
                 'BEGIN PERFORM set_config(''spy.ran_as'', current_user, false); RETURN true; END';
             CREATE POLICY spying ON part USING (spy(id)); ALTER TABLE part ENABLE ROW LEVEL SECURITY;
             CREATE POLICY spying ON own_part USING (spy(id)); ALTER TABLE own_part ENABLE ROW LEVEL SECURITY;
             INSERT INTO part VALUES (4); INSERT INTO own_part VALUES (4);
             GRANT ALL ON part, own, own_part TO \"{owner}\"; SET spy.ran_as = 'not run'"
        ),
    )
    .await;
    scene.database.sql("SELECT setval('user_sessions_session_id_seq', 5000)").await;
    run(&mut attacker, "SELECT nextval('user_sessions_session_id_seq')").await;
    for (table, words) in
        [("part", "not public.part, which belongs to"), ("own_part", "the owner of public.own does not own")]
    {
        let refusal = repair(&mut attacker, &format!("'public', '{table}', '{table}_pkey'")).await.unwrap_err();
        assert!(refusal.contains(words), "{refusal}");
        let ran: String =
            sqlx::query("SELECT current_setting('spy.ran_as')").fetch_one(&mut attacker).await.unwrap().get(0);
        assert_eq!(ran, "not run", "{table}");
        scene.database.sql("DROP TABLE IF EXISTS parts").await;
    }
}

/// The schema's owner may drop the table, and create a view that calls a function in its place.
#[tokio::test]
async fn a_table_in_an_untrusted_schema_is_refused() {
    let (mut scene, _) = attacked().await;
    let (owner, attacker) = (scene.owner.clone(), scene.database.role("attacker"));
    let call = "'theirs.t', 'id'";
    scene
        .database
        .sql(&format!(
            "CREATE SCHEMA theirs; CREATE TABLE theirs.t (id serial PRIMARY KEY); INSERT INTO theirs.t VALUES (5);
             ALTER TABLE theirs.t OWNER TO \"{owner}\"; GRANT USAGE ON SCHEMA theirs TO \"{owner}\", \"{app}\";
             GRANT INSERT ON theirs.t TO \"{app}\"; GRANT USAGE ON theirs.t_id_seq TO \"{app}\"",
            app = scene.app
        ))
        .await;
    // A superuser's schema is trusted.
    assert_eq!(scene.repair(call).await, Ok(5));
    scene.database.sql(&format!("ALTER SCHEMA theirs OWNER TO {attacker}")).await;
    let refusal = scene.repair(call).await.unwrap_err();
    let expected = format!("not theirs.t, whose schema belongs to {attacker}");
    assert!(refusal.ends_with(&expected), "{refusal}");
    // A sequence or a child table in that schema is refused too.
    scene
        .database
        .sql(&format!(
            "CREATE SEQUENCE theirs.s; GRANT USAGE ON theirs.s TO \"{app}\";
             CREATE TABLE elsewhere (id bigint PRIMARY KEY DEFAULT nextval('theirs.s')); INSERT INTO elsewhere VALUES (5);
             GRANT INSERT ON elsewhere TO \"{app}\"; ALTER TABLE elsewhere OWNER TO \"{owner}\"; ALTER SEQUENCE theirs.s OWNER TO \"{owner}\";
             CREATE TABLE theirs.child () INHERITS (user_sessions); ALTER TABLE theirs.child OWNER TO \"{owner}\"",
            app = scene.app
        ))
        .await;
    for (call, name) in [("'elsewhere', 'id'", "theirs.s"), (CALL, "theirs.child")] {
        let refusal = scene.repair(call).await.unwrap_err();
        assert!(refusal.ends_with(&format!("not {name}, whose schema belongs to {attacker}")), "{refusal}");
    }
}

/// An old snapshot still shows the table under a name that now belongs to a view.
#[tokio::test]
async fn a_table_replaced_by_a_view_is_not_read() {
    let (mut scene, mut attacker) = attacked().await;
    let owner = scene.owner.clone();
    scene
        .database
        .sql(&format!(
            "SET ROLE \"{owner}\"; CREATE TABLE other (id integer UNIQUE DEFAULT nextval('user_sessions_session_id_seq'));
             GRANT INSERT ON user_sessions TO {}",
            scene.database.role("attacker")
        ))
        .await;
    run(&mut attacker, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class").await;
    scene.database.sql("ALTER TABLE other RENAME TO older").await;
    run(&mut attacker, &format!("CREATE VIEW other AS SELECT 1 AS id; GRANT SELECT ON other TO \"{owner}\"")).await;
    let refusal = repair(&mut attacker, CALL).await.unwrap_err();
    assert_eq!(refusal, "another session is changing public.user_sessions_session_id_seq or a table that it feeds");
    run(&mut attacker, "ROLLBACK; DROP VIEW IF EXISTS other").await;
    assert_eq!(repair(&mut attacker, CALL).await, Ok(38));
}

#[tokio::test]
async fn a_schema_of_pg_database_owner_counts_as_the_database_owners() {
    let mut scene = incident().await;
    let (name, attacker) = (scene.database.name.clone(), scene.database.role("attacker"));
    let owner = scene.owner.clone();
    if scene.database.number("SELECT current_setting('server_version_num')::bigint").await < 140_000 {
        // Version 14 added the role pg_database_owner.
        return;
    }
    scene.database.sql(&format!("CREATE ROLE {attacker}; ALTER SCHEMA public OWNER TO pg_database_owner")).await;
    scene.database.sql(&format!("ALTER DATABASE {name} OWNER TO {attacker}")).await;
    let refusal = scene.repair(CALL).await.unwrap_err();
    assert!(refusal.ends_with(&format!("user_sessions, whose schema belongs to {attacker}")), "{refusal}");
    scene.database.sql(&format!("ALTER DATABASE {name} OWNER TO \"{owner}\"")).await;
    // A session is told of its error before its locks are released, and who waits for a repair makes none.
    let no_lock = "SELECT NOT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                   WHERE l.locktype = 'advisory' AND d.datname = current_database())";
    scene.database.wait_until(no_lock).await;
    assert_eq!(scene.repair(CALL).await, Ok(38));
}

#[tokio::test]
async fn a_default_of_another_role_does_not_move_the_owners_sequence() {
    let (mut scene, mut attacker) = attacked().await;
    run(
        &mut attacker,
        "CREATE TABLE mine (id integer DEFAULT nextval('user_sessions_session_id_seq')); INSERT INTO mine VALUES (90000)",
    )
    .await;
    let refusal = repair(&mut attacker, "'mine', 'id'").await.unwrap_err();
    assert_eq!(refusal, "the owner of public.mine does not own public.user_sessions_session_id_seq");
    // It does not count in a repair of the owner's table either.
    assert_eq!(scene.repair(CALL).await, Ok(38));
    assert_eq!(scene.database.nextval("user_sessions_session_id_seq").await, 696);
}

#[tokio::test]
async fn objects_that_shadow_built_in_ones_change_nothing() {
    let mut scene = incident().await;
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
    assert_eq!(scene.database.number("SELECT count(*) FROM pgmedic.repair_log").await, 1);
}

#[tokio::test]
async fn rows_hidden_by_a_policy_are_an_error_and_not_a_wrong_max_id() {
    let mut scene = incident().await;
    scene.database.sql("ALTER TABLE user_sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY").await;
    let refusal = scene.repair(CALL).await.unwrap_err();
    assert!(refusal.contains("row-level security policy"), "{refusal}");
}

//! What the agent leaves behind on a server that is not its own: nothing in its statistics, little in its log.

use super::{EVERY_SECOND, fill, own_server, repairs};
use crate::support::{Agent, Database, pgmedic};

#[tokio::test]
async fn no_pass_and_no_lease_makes_a_new_entry_in_pg_stat_statements() {
    let (_server, mut database) = own_server(&[("shared_preload_libraries", "pg_stat_statements")]).await;
    database
        .sql(
            "CREATE EXTENSION pg_stat_statements;
             CREATE TABLE sessions (id text PRIMARY KEY, expires_at timestamptz NOT NULL); CREATE INDEX ON sessions (expires_at)",
        )
        .await;
    let settings = format!(
        "{EVERY_SECOND}full_pass_every = 1\n[[sessions]]\nname = \"web\"\ntable = \"public.sessions\"\n\
         expires_at = \"expires_at\"\nencoding = \"timestamptz\"\nschedule = \"* * * * * *\"\n"
    );
    let run = async |database: &mut Database| {
        let agent = Agent::start(database, &settings);
        agent.logs("listening for NOTIFY pgmedic");
        repairs(database).await;
        agent.passes_again(&database.name, 4.0);
        agent.stop();
    };
    run(&mut database).await;
    database.sql("CREATE TABLE known AS SELECT queryid FROM pg_stat_statements").await;
    run(&mut database).await;
    let new = "SELECT coalesce(string_agg(query, E'\\n'), '') FROM pg_stat_statements
        WHERE query LIKE '%pgmedic%' AND queryid NOT IN (SELECT queryid FROM known) AND query NOT LIKE '%known%'
        AND query NOT LIKE '%pgmedic:cancel%'";
    let new: String = sqlx::Row::get(&database.row(new).await, 0);
    assert_eq!(new, "");
}

/// pgaudit writes the whole message for each of its statements; the server's own log has each message once.
#[tokio::test]
async fn to_a_role_that_is_audited_each_statement_is_a_separate_message() {
    let (server, mut database) = own_server(&[("log_statement", "all"), ("log_line_prefix", "%a ")]).await;
    let role = format!("{}_audited", database.name);
    database.sql("DO $$ BEGIN FOR i IN 1..100 LOOP EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY)', i); END LOOP; END $$").await;
    database.sql(&format!("CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET pgaudit.log = 'read'")).await;
    let log = server.data_dir().parent().unwrap().join("server.log");
    let url = format!("{}&application_name=audited", database.url_as(&role));
    pgmedic(&[("DATABASE_URL", &url)], &["--once"]).exits(0);
    let text = std::fs::read_to_string(&log).unwrap();
    let several = text.split("audited LOG:  statement:").skip(1).filter(|entry| entry.contains(";\n")).count();
    assert!(several <= 2, "the first message of each connection, when it is not known yet");
    assert!(text.len() < 100 * 4096 + 65536, "{} bytes of log for 100 sequences", text.len());
}

#[tokio::test]
async fn settings_of_the_role_and_functions_that_it_may_not_call_do_not_stop_a_pass() {
    let mut database = fill(Database::new().await).await;
    let role = format!("{}_hostile", database.name);
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT SELECT ON orders TO {role}; GRANT SELECT, USAGE ON orders_id_seq TO {role};
             ALTER ROLE {role} SET client_min_messages = debug5; ALTER ROLE {role} SET search_path = '';
             ALTER ROLE {role} SET default_transaction_isolation = 'serializable';
             ALTER ROLE {role} SET idle_in_transaction_session_timeout = '5s';
             ALTER ROLE {role} SET quote_all_identifiers = on; ALTER ROLE {role} SET row_security = off;
             ALTER ROLE {role} SET TimeZone = 'Asia/Kathmandu'; ALTER ROLE {role} SET DateStyle = 'German';
             REVOKE EXECUTE ON FUNCTION pg_stat_get_blocks_fetched(oid) FROM PUBLIC;
             REVOKE EXECUTE ON FUNCTION pg_lock_status() FROM PUBLIC"
        ))
        .await;
    let agent = Agent::start_at(&database.url_as(&role), &database, EVERY_SECOND);
    repairs(&mut database).await;
    agent.passes_again(&database.name, 2.0);
    repairs(&mut database).await;
    let log = agent.stop();
    assert!(!log.contains("ERROR"), "{log}");
    database.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn one_name_that_is_no_utf8_blinds_nothing_else() {
    let database = Database::new().await;
    let name = format!("{}_ascii", database.name);
    let mut admin = database.connect().await;
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING SQL_ASCII");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut admin).await.unwrap();
    let url = crate::support::server().url(&name);
    let mut session = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let tables = "SET client_encoding = SQL_ASCII;
        CREATE TABLE \"plain\" (id serial PRIMARY KEY); INSERT INTO plain VALUES (5);
        DO $$ BEGIN EXECUTE 'CREATE TABLE \"caf' || convert_from('\\xe9', 'SQL_ASCII') || '\" (id serial PRIMARY KEY)'; END $$";
    sqlx::raw_sql(tables).execute(&mut session).await.unwrap();
    sqlx::Connection::close(session).await.unwrap();
    let outcome = pgmedic(&[("DATABASE_URL", &url)], &["--once", "--format", "json"]).exits(3);
    let report = outcome.database();
    let sequences = report["sequences"].as_array().unwrap();
    assert_eq!(sequences.len(), 2, "{report:#}");
    let unnamed = sequences.iter().find(|sequence| sequence["verdict"] == "unreadable").unwrap();
    assert_eq!(unnamed["reason"]["kind"], "name_encoding");
    let plain = sequences.iter().find(|sequence| sequence["name"] == "public.plain_id_seq").unwrap();
    assert_eq!(plain["repair"]["outcome"], "repaired", "{report:#}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("DROP DATABASE {name}"))).execute(&mut admin).await.unwrap();
}

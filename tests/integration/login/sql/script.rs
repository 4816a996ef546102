//! The scripts themselves: running them twice, over somebody else's things, and away again.

use super::story;
use crate::support::{Database, pgmedic};
use sqlx::AssertSqlSafe;

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

#[tokio::test]
async fn a_schema_of_that_name_that_pgmedic_did_not_make_is_not_uninstalled() {
    let mut database = Database::new().await;
    database.sql("CREATE SCHEMA pgmedic; CREATE TABLE pgmedic.repair_log (mine integer)").await;
    let uninstall = pgmedic(&[], &["sql", "uninstall"]).exits(0).stdout;
    let refused = sqlx::raw_sql(AssertSqlSafe(uninstall)).execute(&mut database.connection).await.unwrap_err();
    let expected = "schema pgmedic was not made by pgmedic sql install: nothing is removed";
    assert_eq!(refused.as_database_error().unwrap().message(), expected);
    database.sql("ROLLBACK; SELECT mine FROM pgmedic.repair_log").await;
}

#[tokio::test]
async fn nobody_else_may_create_in_the_schema_once_it_is_installed() {
    let mut database = Database::new().await;
    let (first, second) = (database.role("first"), database.role("second"));
    database
        .sql(&format!(
            "CREATE ROLE {first}; CREATE ROLE {second}; CREATE SCHEMA pgmedic; GRANT CREATE, USAGE ON SCHEMA pgmedic TO PUBLIC;
             GRANT CREATE ON SCHEMA pgmedic TO {first} WITH GRANT OPTION;
             SET ROLE {first}; GRANT CREATE ON SCHEMA pgmedic TO {second}; RESET ROLE"
        ))
        .await;
    database.sql(&pgmedic(&[], &["sql", "install"]).exits(0).stdout).await;
    for role in [first, second] {
        let rights = format!(
            "SELECT has_schema_privilege('{role}', 'pgmedic', 'CREATE')::integer * 10
                    + has_schema_privilege('{role}', 'pgmedic', 'USAGE')::integer"
        );
        let rights = database.number(&format!("SELECT ({rights})::bigint")).await;
        assert_eq!(rights, 1, "{role}");
    }
}

#[tokio::test]
async fn the_agent_may_keep_events_and_nothing_else() {
    let mut database = Database::new().await;
    let agent = database.role("the 'agent'");
    database.sql(&format!("CREATE ROLE \"{agent}\" LOGIN")).await;
    database.sql(&pgmedic(&[], &["sql", "install", "--agent", &agent]).exits(0).stdout).await;
    database.sql(&format!("SET ROLE \"{agent}\"")).await;
    database
        .sql(
            "INSERT INTO pgmedic.repair_log (role, source, sequence) VALUES (current_user, 'agent', 'public.s');
             DELETE FROM pgmedic.repair_log WHERE at < now() - interval '30 days'",
        )
        .await;
    assert_eq!(database.number("SELECT count(*) FROM pgmedic.repair_log").await, 1);
    for forbidden in ["UPDATE pgmedic.repair_log SET role = 'x'", "SELECT pgmedic.repair('pgmedic.repair_log', 'role')"]
    {
        let refused = sqlx::raw_sql(forbidden).execute(&mut database.connection).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{forbidden}");
    }
}

#[tokio::test]
async fn whoever_installs_it_is_told_whose_tables_it_will_refuse() {
    let mut database = Database::new().await;
    let owner = database.role("owner");
    database.sql(&format!("CREATE ROLE {owner}; CREATE TABLE t (id serial); ALTER TABLE t OWNER TO {owner}")).await;
    let script = pgmedic(&[], &["sql", "install"]).exits(0).stdout;
    // A warning made an error, to be seen by a driver that keeps it to itself.
    let told = script.replace("RAISE WARNING", "RAISE EXCEPTION");
    let error = sqlx::raw_sql(AssertSqlSafe(told)).execute(&mut database.connection).await.unwrap_err();
    let expected = format!(
        "pgmedic.repair will refuse what is in tables or schemas of {owner}: they belong neither to postgres nor to a \
         superuser"
    );
    assert_eq!(error.as_database_error().unwrap().message(), expected);
    database.sql("ROLLBACK").await;
    database.sql(&script).await;
}

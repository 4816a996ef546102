//! The scripts that install and uninstall the schema, also where the schema belongs to another role.

use super::incident;
use crate::support::{Database, pgmedic};
use sqlx::AssertSqlSafe;

#[tokio::test]
async fn installing_over_another_roles_schema_is_refused() {
    let mut database = Database::new().await;
    let stranger = database.role("stranger");
    database.sql(&format!("CREATE ROLE {stranger}; CREATE SCHEMA pgmedic AUTHORIZATION {stranger}")).await;
    let script = pgmedic(&[], &["sql", "install"]).exits(0).stdout;
    let refused = sqlx::raw_sql(AssertSqlSafe(script.clone())).execute(&mut database.connection).await.unwrap_err();
    let expected = format!("schema pgmedic, or something in it, belongs to {stranger} and not to postgres");
    assert_eq!(refused.as_database_error().unwrap().message(), expected);
    // The same for a table of another role in the schema.
    database.sql("ROLLBACK; DROP SCHEMA pgmedic").await;
    database.sql(&script).await;
    database.sql(&format!("CREATE TABLE pgmedic.other (); ALTER TABLE pgmedic.other OWNER TO {stranger}")).await;
    assert!(sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut database.connection).await.is_err());
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_named() {
    let mut database = Database::new().await;
    let script = pgmedic(&[], &["sql", "install", "--owner", "No'body"]).exits(0).stdout;
    let refused = sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut database.connection).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().message(), "there is no role \"No'body\"");
}

#[tokio::test]
async fn uninstalling_removes_everything_and_nothing_else() {
    let mut scene = incident().await;
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
async fn a_schema_that_pgmedic_did_not_create_is_not_uninstalled() {
    let mut database = Database::new().await;
    database.sql("CREATE SCHEMA pgmedic; CREATE TABLE pgmedic.repair_log (mine integer)").await;
    let uninstall = pgmedic(&[], &["sql", "uninstall"]).exits(0).stdout;
    let refused = sqlx::raw_sql(AssertSqlSafe(uninstall)).execute(&mut database.connection).await.unwrap_err();
    let expected = "schema pgmedic was not made by pgmedic sql install: nothing is removed";
    assert_eq!(refused.as_database_error().unwrap().message(), expected);
    database.sql("ROLLBACK; SELECT mine FROM pgmedic.repair_log").await;
}

#[tokio::test]
async fn installing_revokes_the_privilege_to_create_in_the_schema() {
    let mut database = Database::new().await;
    let (first, second) = (database.role("first"), database.role("second"));
    database
        .sql(&format!(
            "CREATE ROLE {first}; CREATE ROLE {second}; CREATE SCHEMA pgmedic; GRANT CREATE, USAGE ON SCHEMA pgmedic TO PUBLIC;
             GRANT CREATE ON SCHEMA pgmedic TO {first} WITH GRANT OPTION;
             SET ROLE {first}; GRANT CREATE ON SCHEMA pgmedic TO {second}; RESET ROLE"
        ))
        .await;
    database.install_sql().await;
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
async fn the_agent_may_write_the_repair_log_and_nothing_else() {
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
async fn installing_warns_about_owners_whose_tables_will_be_refused() {
    let mut database = Database::new().await;
    let owner = database.role("owner");
    database.sql(&format!("CREATE ROLE {owner}; CREATE TABLE t (id serial); ALTER TABLE t OWNER TO {owner}")).await;
    let script = pgmedic(&[], &["sql", "install"]).exits(0).stdout;
    // Turned into an error, because the driver does not return warnings.
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

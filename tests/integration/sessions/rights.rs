//! What the role that sweeps may do beside, it lends to no code of others.

use super::{by_expiry, filled, left};
use crate::support::{Database, LONG_TIMEOUTS, Running, wait_until_blocked_on};
use serde_json::json;

/// Two expired sessions and one that lives, in a table of `owner`; `medic` sweeps it, and owns nothing.
async fn of_an_owner() -> (Database, String, String) {
    let mut database = filled(2, 1).await;
    let (owner, medic) = (database.role("owner"), database.role("medic"));
    database
        .sql(&format!(
            "CREATE ROLE {owner} LOGIN; CREATE ROLE {medic} LOGIN; ALTER TABLE sessions OWNER TO {owner};
             GRANT SELECT, UPDATE, DELETE ON sessions TO {medic}; GRANT SELECT ON sessions_id_seq TO {medic}"
        ))
        .await;
    (database, owner, medic)
}

#[tokio::test]
async fn a_role_that_may_create_roles_or_read_all_changes_lends_that_to_no_trigger() {
    for attribute in ["CREATEROLE", "REPLICATION"] {
        let (mut database, owner, medic) = of_an_owner().await;
        database.sql(&format!("ALTER ROLE {medic} {attribute}")).await;
        let outcome = database.once_with_as(&medic, &by_expiry(""), &[]).exits(1);
        let found = format!("the rights of {medic}, which has {attribute}");
        outcome.store_says("logins", "error", &[&found, "a role that only sweeps"]);
        assert_eq!(outcome.store_kinds("logins", "error"), ["untrusted_code"]);
        assert_eq!(left(&mut database).await, 3);
        // What the owner may do anyway is not lent to it.
        database.sql(&format!("ALTER ROLE {owner} {attribute}")).await;
        database.once_with_as(&medic, &by_expiry(""), &["--dry-run"]).exits(0);
        database.sql(&format!("ALTER ROLE {owner} NO{attribute}")).await;
        let fix = database.once_with_as(&medic, &by_expiry(""), &[]).store_fix("logins", "error");
        assert_eq!(fix, format!("ALTER ROLE {medic} NO{attribute}"));
        database.sql(&fix).await;
        database.once_with_as(&medic, &by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 2 }));
    }
}

#[tokio::test]
async fn a_role_that_may_act_as_one_that_creates_roles_lends_that_to_no_trigger() {
    let (mut database, _, medic) = of_an_owner().await;
    let clerk = database.role("clerk");
    database.sql(&format!("CREATE ROLE {clerk} CREATEROLE; GRANT {clerk} TO {medic}")).await;
    let outcome = database.once_with_as(&medic, &by_expiry(""), &[]).exits(1);
    outcome.store_says("logins", "error", &[&format!("{medic}, a member of {clerk}")]);
    database.sql(&outcome.store_fix("logins", "error")).await;
    database.once_with_as(&medic, &by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 2 }));
}

#[tokio::test]
async fn a_predefined_role_that_acts_on_what_others_do_is_lent_to_no_trigger_and_one_that_looks_may_be() {
    for (role, may_be) in [
        ("pg_signal_backend", false),
        ("pg_signal_autovacuum_worker", false),
        ("pg_maintain", false),
        ("pg_create_subscription", false),
        ("pg_monitor", true),
        ("pg_read_all_settings", true),
        ("pg_read_all_stats", true),
        ("pg_checkpoint", true),
        ("pg_use_reserved_connections", true),
    ] {
        let (mut database, _, medic) = of_an_owner().await;
        if database.number(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{role}'")).await == 0 {
            continue;
        }
        database.sql(&format!("GRANT {role} TO {medic}")).await;
        let outcome = database.once_with_as(&medic, &by_expiry(""), &[]);
        if may_be {
            outcome.exits(0).swept("logins", json!({ "expired": 2 }));
            continue;
        }
        let outcome = outcome.exits(1);
        outcome.store_says("logins", "error", &[&format!("{medic}, a member of {role}")]);
        assert_eq!(left(&mut database).await, 3, "{role}");
        database.sql(&outcome.store_fix("logins", "error")).await;
        database.once_with_as(&medic, &by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 2 }));
    }
}

#[tokio::test]
async fn what_the_role_owns_itself_is_lent_to_no_trigger_of_another_owner() {
    for (owned, found) in [
        ("TABLE public.\"its secrets\"", "which owns table public.\"its secrets\""),
        ("FUNCTION public.its_own()", "which owns function public.its_own()"),
        ("SCHEMA vault", "which owns schema vault"),
        ("DATABASE $", "which owns database $"),
    ] {
        let (mut database, owner, medic) = of_an_owner().await;
        let [owned, found] = [owned, found].map(|text| text.replace('$', &database.name));
        database
            .sql(&format!(
                "CREATE TABLE \"its secrets\" (secret text); CREATE SCHEMA vault;
                 CREATE FUNCTION its_own() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER {owned} OWNER TO {medic}"
            ))
            .await;
        for action in ["", "revoke = { column = \"revoked_at\" }"] {
            let outcome = database.once_with_as(&medic, &by_expiry(action), &[]).exits(1);
            outcome.store_says(
                "logins",
                "error",
                &[&format!("the rights of {medic}, {found}"), "a role that only sweeps"],
            );
            assert_eq!(outcome.store_kinds("logins", "error"), ["untrusted_code"]);
        }
        assert_eq!(left(&mut database).await, 3, "{owned}");
        // The owner of the sessions may act as the role: nothing is lent.
        database.sql(&format!("GRANT {medic} TO {owner}")).await;
        database.once_with_as(&medic, &by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 2 }));
    }
}

#[tokio::test]
async fn the_applications_own_role_sweeps_its_table_in_a_schema_and_database_of_another_role() {
    let mut database = filled(2, 1).await;
    let (app, administrator, name) = (database.role("app"), database.role("administrator"), database.name.clone());
    database
        .sql(&format!(
            "CREATE ROLE {app} LOGIN; CREATE ROLE {administrator}; CREATE TABLE orders (id int);
             CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
             CREATE TRIGGER noted AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION noted();
             ALTER DATABASE \"{name}\" OWNER TO {administrator}; ALTER SCHEMA public OWNER TO {administrator};
             GRANT CREATE ON SCHEMA public TO {app}; ALTER TABLE sessions OWNER TO {app};
             ALTER TABLE orders OWNER TO {app}; ALTER FUNCTION noted() OWNER TO {app}"
        ))
        .await;
    database.once_with_as(&app, &by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 2 }));
}

#[tokio::test]
async fn the_role_that_pgmedic_grants_makes_sweeps_also_where_it_owns_the_repair_log_and_tables_elsewhere() {
    let (mut database, _, _) = of_an_owner().await;
    let mut elsewhere = Database::new().await;
    let role = database.role("granted");
    database.install_sql().await;
    let config = database.config(&by_expiry(""));
    let path = config.path().to_str().expect("a path");
    let grants = crate::support::pgmedic(&[], &["grants", "--role", &role, "--config", path]).exits(0).stdout;
    let grants: Vec<&str> = grants.lines().filter(|line| !line.starts_with("\\")).collect();
    database.sql(&grants.join("\n")).await;
    database
        .sql(&format!(
            "GRANT pg_read_all_stats TO {role}; ALTER SCHEMA pgmedic OWNER TO {role};
             ALTER TABLE pgmedic.repair_log OWNER TO {role}"
        ))
        .await;
    elsewhere.sql(&format!("CREATE TABLE its (id int); ALTER TABLE its OWNER TO {role}")).await;
    database.once_with_as(&role, &by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 2 }));
}

#[tokio::test]
async fn a_right_that_is_given_after_the_inspection_is_found_before_anything_is_deleted() {
    let given = ["ALTER ROLE @ CREATEROLE", "CREATE TABLE secrets (); ALTER TABLE secrets OWNER TO @"];
    // To the role itself, and to one that it is a member of.
    for (given, is_of_group) in given.iter().flat_map(|given| [(given, false), (given, true)]) {
        let (mut database, _, medic) = of_an_owner().await;
        let group = database.role("grp");
        database.sql(&format!("CREATE ROLE {group}; GRANT {group} TO {medic}")).await;
        let receiver = if is_of_group { &group } else { &medic };
        let mut other = database.connect().await;
        sqlx::raw_sql("BEGIN; LOCK TABLE sessions IN SHARE MODE").execute(&mut other).await.unwrap();
        // The inspection does not conflict with this lock, and the sweep waits for it.
        let settings = format!("{LONG_TIMEOUTS}{}", by_expiry(""));
        let running = Running::once_with_as(&database, &medic, &settings, &[]);
        wait_until_blocked_on(&mut database.connection, "sessions").await;
        database.sql(&given.replace('@', receiver)).await;
        sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
        let outcome = running.outcome().await.exits(1);
        outcome.store_says("logins", "error", &["it was altered or replaced meanwhile"]);
        assert_eq!(left(&mut database).await, 3, "{given} {is_of_group}");
    }
}

//! What a role that does not own a sequence can repair, and the reason that it gets for the rest.

use crate::support::Database;
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::PgRow;

const LIMIT: &str = "[sequences]\nadvance_limit = 10\n";

/// A table of an owner with ids up to `max_id`, and another role that may read it and call `nextval`.
async fn with_guest(max_id: i64) -> (Database, String) {
    let mut database = Database::new().await;
    let (owner, guest) = (database.role("The owner"), database.role("guest"));
    database
        .sql(&format!(
            "CREATE ROLE \"{owner}\"; CREATE ROLE {guest} LOGIN;
             CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, {max_id});
             ALTER TABLE t OWNER TO \"{owner}\"; GRANT CREATE ON SCHEMA public TO \"{owner}\";
             GRANT SELECT ON t TO {guest}; GRANT SELECT, USAGE ON t_id_seq TO {guest}"
        ))
        .await;
    (database, guest)
}

#[tokio::test]
async fn a_guest_advances_up_to_the_limit() {
    let (mut database, guest) = with_guest(10).await;
    let outcome = database.once_with_as(&guest, LIMIT, &[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "advance", "next_value": 11 }));
    assert_eq!(database.nextval("t_id_seq").await, 11);
}

#[tokio::test]
async fn past_the_limit_a_guest_is_told_the_grant_that_lets_it_leap() {
    let (mut database, guest) = with_guest(11).await;
    let outcome = database.once_with_as(&guest, LIMIT, &[]).exits(3);
    outcome.repair("public.t_id_seq", json!({ "outcome": "held", "method": "leap", "held_by": "ownership" }));
    let reason = outcome.repair_reason("public.t_id_seq");
    assert!(reason.contains("wider than advance_limit, and only an owner may leap"), "{reason}");
    assert_eq!(database.number("SELECT last_value FROM t_id_seq").await, 1);

    database.sql(&outcome.repair_fix("public.t_id_seq")).await;
    let outcome = database.once_with_as(&guest, LIMIT, &[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "held_by": null, "next_value": 12 }));
}

#[tokio::test]
async fn membership_in_a_superuser_is_never_proposed() {
    let mut database = Database::new().await;
    let guest = database.role("guest");
    database
        .sql(&format!(
            "CREATE ROLE {guest} LOGIN; CREATE TABLE t (id serial PRIMARY KEY);
             INSERT INTO t SELECT generate_series(1, 11);
             GRANT SELECT ON t TO {guest}; GRANT SELECT, USAGE ON t_id_seq TO {guest}"
        ))
        .await;
    let outcome = database.once_with_as(&guest, LIMIT, &[]).exits(3);
    outcome.repair("public.t_id_seq", json!({ "outcome": "held", "method": "leap", "held_by": "ownership" }));
    let reason = outcome.sequence("public.t_id_seq")["repair"]["reason"].clone();
    assert_eq!((&reason["kind"], &reason["fix"]), (&json!("ownership"), &json!(null)));
    let text = reason["text"].as_str().unwrap();
    assert!(text.contains("is a superuser: run pgmedic --once as ") && !text.contains("GRANT"), "{text}");
    // The fix in the reason: run as the owner.
    database
        .once_with(LIMIT, &[])
        .exits(0)
        .repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "leap" }));
}

#[tokio::test]
async fn without_usage_a_guest_is_told_the_grant_that_lets_it_advance() {
    let (mut database, guest) = with_guest(5).await;
    database.sql(&format!("REVOKE USAGE ON t_id_seq FROM {guest}")).await;
    let outcome = database.once_as(&guest, &[]).exits(3);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "lag": 5 }));
    outcome.repair("public.t_id_seq", json!({ "outcome": "held", "method": null, "held_by": "privilege" }));
    database.sql(&outcome.repair_fix("public.t_id_seq")).await;
    let outcome = database.once_as(&guest, &[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "advance", "next_value": 6 }));
}

#[tokio::test]
async fn update_alone_is_enough_to_advance() {
    let (mut database, guest) = with_guest(5).await;
    database.sql(&format!("REVOKE USAGE ON t_id_seq FROM {guest}; GRANT UPDATE ON t_id_seq TO {guest}")).await;
    let outcome = database.once_as(&guest, &[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "advance", "next_value": 6 }));
}

#[tokio::test]
async fn an_owner_that_took_update_from_itself_is_told_to_give_it_back() {
    for (revoked, settings) in [("USAGE, UPDATE", ""), ("UPDATE", LIMIT)] {
        let (mut database, _) = with_guest(20).await;
        let owner = database.role("bare_owner");
        database
            .sql(&format!(
                "CREATE ROLE {owner} LOGIN; GRANT CREATE ON SCHEMA public TO {owner}; ALTER TABLE t OWNER TO {owner};
                 REVOKE {revoked} ON t_id_seq FROM {owner}"
            ))
            .await;
        let outcome = database.once_with_as(&owner, settings, &[]).exits(3);
        outcome.repair("public.t_id_seq", json!({ "outcome": "held", "method": "leap", "held_by": "privilege" }));
        let fix = outcome.repair_fix("public.t_id_seq");
        assert_eq!(fix, format!("GRANT UPDATE ON SEQUENCE public.t_id_seq TO {owner}"));
        database.sql(&fix).await;
        let outcome = database.once_with_as(&owner, settings, &[]).exits(0);
        outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "next_value": 21 }));
    }
}

#[tokio::test]
async fn a_guest_advances_a_cached_sequence_and_says_what_is_left() {
    let (mut database, guest) = with_guest(1).await;
    database.sql("ALTER SEQUENCE t_id_seq CACHE 20; DELETE FROM t").await;
    // The session caches 1 to 20. Then rows with these ids arrive.
    let mut session = database.connect().await;
    let insert = "INSERT INTO t DEFAULT VALUES RETURNING id::bigint";
    assert_eq!(id(sqlx::query(insert).fetch_one(&mut session).await), Ok(1));
    database.sql("INSERT INTO t SELECT generate_series(2, 25)").await;

    let outcome = database.once_as(&guest, &[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "advance" }));
    let reason = outcome.repair_reason("public.t_id_seq");
    assert!(reason.contains("sessions that hold cached values (CACHE 20) may still hand out taken ids"), "{reason}");
    let next = database.nextval("t_id_seq").await;
    assert!(next > 25, "{next}");
    assert_eq!(id(sqlx::query(insert).fetch_one(&mut session).await), Err("23505".to_owned()), "the control");

    database.sql(&outcome.repair_fix("public.t_id_seq")).await;
    assert!(id(sqlx::query(insert).fetch_one(&mut session).await).is_ok_and(|id| id > 25));
}

/// The id of an inserted row, or the SQLSTATE.
fn id(inserted: Result<PgRow, sqlx::Error>) -> Result<i64, String> {
    inserted.map(|row| row.get(0)).map_err(|error| error.as_database_error().unwrap().code().unwrap().into_owned())
}

#[tokio::test]
async fn a_member_that_does_not_inherit_is_told_how_it_does() {
    let mut database = Database::new().await;
    let (owner, guest) = (database.role("own"), database.role("medic"));
    database
        .sql(&format!(
            "CREATE ROLE {owner}; CREATE ROLE {guest} LOGIN NOINHERIT; GRANT CREATE ON SCHEMA public TO {owner};
             GRANT {owner} TO {guest}; SET ROLE {owner};
             CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 20); RESET ROLE;
             GRANT SELECT ON t TO {guest}; GRANT SELECT, USAGE ON t_id_seq TO {guest}"
        ))
        .await;
    let settings = "[sequences]\nadvance_limit = 0\n";
    let outcome = database.once_with_as(&guest, settings, &[]).exits(3);
    outcome.repair("public.t_id_seq", json!({ "outcome": "held", "held_by": "ownership" }));
    database.sql(&outcome.repair_fix("public.t_id_seq")).await;
    let outcome = database.once_with_as(&guest, settings, &[]).exits(0);
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "leap", "next_value": 21 }));
}

//! A default counts where the table's owner could move the sequence anyway; else it is looked at and held.

use crate::support::{Database, feed};
use serde_json::json;

/// A sequence of `owner`, and a table of `user` with 50 rows that draws from it.
async fn two_owners(database: &mut Database, attributes: &str, grants: &str) -> (String, String) {
    let (owner, user) = (database.role("owner"), database.role("user"));
    let fill = |text: &str| text.replace("$owner", &owner).replace("$user", &user);
    database
        .sql(&fill(&format!(
            "CREATE ROLE $owner; CREATE ROLE $user {attributes};
             CREATE SEQUENCE numbers; ALTER SEQUENCE numbers OWNER TO $owner;
             CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('numbers')); ALTER TABLE t OWNER TO $user;
             {grants};
             INSERT INTO t SELECT generate_series(1, 50)"
        )))
        .await;
    (owner, user)
}

async fn is_trusted(attributes: &str, grants: &str) {
    let mut database = Database::new().await;
    two_owners(&mut database, attributes, grants).await;
    let outcome = database.once(&[]).exits(0);
    let feeds = [feed("public.t.id", "default")];
    outcome.shows("public.numbers", json!({ "verdict": "behind", "max_id": 50, "feeds": feeds }));
    assert_eq!(database.number("INSERT INTO t DEFAULT VALUES RETURNING id").await, 51, "{attributes} {grants}");
}

#[tokio::test]
async fn a_superusers_table_counts() {
    is_trusted("SUPERUSER", "").await;
}

#[tokio::test]
async fn the_table_of_a_member_of_the_sequences_owner_counts() {
    is_trusted("IN ROLE $owner", "").await;
}

#[tokio::test]
async fn a_table_counts_whose_owner_may_set_the_sequence() {
    is_trusted("", "GRANT UPDATE ON SEQUENCE numbers TO $user").await;
}

#[tokio::test]
async fn a_link_that_does_not_count_is_looked_at_and_held() {
    let mut database = Database::new().await;
    let (_, user) = two_owners(&mut database, "", "GRANT USAGE ON SEQUENCE numbers TO $user").await;
    for arguments in [&["--dry-run"][..], &[]] {
        let outcome = database.once(arguments).exits(3);
        outcome.shows("public.numbers", json!({ "verdict": "behind", "lag": 50, "max_id": 50, "feeds": [] }));
        outcome.repair("public.numbers", json!({ "outcome": "held", "held_by": "ownership" }));
        let reason = outcome.repair_reason("public.numbers");
        assert!(reason.contains("id 50 of public.t.id") && reason.contains(&user), "{reason}");
    }
    // The fix is the configuration that makes it count.
    let settings = database.once(&[]).repair_fix("public.numbers");
    database.once_with(&settings, &[]).exits(0).repair("public.numbers", json!({ "outcome": "repaired" }));
    assert_eq!(database.nextval("numbers").await, 51);
    database.once(&[]).exits(0);
}

#[tokio::test]
async fn the_columns_that_count_are_passed_also_where_another_is_held() {
    let mut database = Database::new().await;
    two_owners(&mut database, "", "GRANT USAGE ON SEQUENCE numbers TO $user").await;
    database
        .sql("CREATE TABLE mine (id bigint PRIMARY KEY DEFAULT nextval('numbers')); INSERT INTO mine VALUES (9)")
        .await;
    let outcome = database.once(&[]).exits(3);
    outcome.shows("public.numbers", json!({ "verdict": "behind", "max_id": 9 }));
    outcome.repair("public.numbers", json!({ "outcome": "repaired", "held_by": "ownership", "next_value": 10 }));
    assert_eq!(database.nextval("numbers").await, 10);
}

#[tokio::test]
async fn a_link_that_does_not_count_and_cannot_be_read_is_said() {
    let mut database = Database::new().await;
    let role = database.role("reader");
    two_owners(&mut database, "", "").await;
    database.sql(&format!("CREATE ROLE {role} LOGIN; GRANT USAGE, SELECT ON numbers TO {role}")).await;
    let outcome = database.once_as(&role, &[]).exits(0);
    outcome.shows("public.numbers", json!({ "verdict": "unlinked" }));
    assert!(outcome.reason("public.numbers").contains("the default of public.t.id uses it too"));
}

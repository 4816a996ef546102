//! What cannot be swept is refused once, with the key, what was found and what was expected.

use super::{by_expiry, filled, left, logins};
use crate::support::Database;
use serde_json::json;

#[tokio::test]
async fn a_column_of_another_type_than_stated_is_refused() {
    let mut database = filled(1, 1).await;
    database.sql("ALTER TABLE sessions ADD naive timestamp, ADD small int, ADD words text").await;
    let cases = [
        (
            "expires_at = \"naive\"\nencoding = \"timestamptz\"",
            "expires_at: found naive of type timestamp without time zone, expected timestamp with time zone",
        ),
        (
            "expires_at = \"expires_at\"\nencoding = \"timestamp\"\ntime_zone = \"UTC\"",
            "expected timestamp without time zone",
        ),
        (
            "expires_at = \"words\"\nencoding = \"epoch-seconds\"",
            "found words of type text, expected integer or bigint",
        ),
        ("expires_at = \"small\"\nencoding = \"epoch-millis\"", "found small of type integer, expected bigint"),
        (
            "expires_at = \"ends\"\nencoding = \"timestamptz\"",
            "expires_at: found no column \"ends\" in public.sessions, expected one of id, user_id",
        ),
        (
            "expires_at = \"created_at\"\nencoding = \"timestamptz\"",
            "expires_at: found created_at, whose default is the current time",
        ),
        (
            "expires_at = \"expires_at\"\nencoding = \"timestamptz\"\nuser = \"who\"\nmax_per_user = 1\ncreated_at = \"created_at\"",
            "user: found no column \"who\"",
        ),
        (
            "expires_at = \"expires_at\"\nencoding = \"timestamptz\"\nrevoke = { column = \"gone\" }",
            "revoke.column: found no column \"gone\"",
        ),
        (
            "expires_at = \"expires_at\"\nencoding = \"timestamptz\"\nrevoke = { column = \"words\" }",
            "revoke.column: found words of type text, expected timestamp with time zone, because encoding is \"timestamptz\"; or a `value`",
        ),
    ];
    for (lines, words) in cases {
        let outcome = database.once_with(&logins(lines), &[]).exits(1);
        outcome.swept("logins", json!({ "expired": 0, "held": null, "remaining": null }));
        outcome.store_says("logins", "error", &[words]);
    }
    assert_eq!(left(&mut database).await, 2);
}

#[tokio::test]
async fn a_missing_table_is_an_error_and_costs_no_other_store_its_sweep() {
    let mut database = filled(2, 1).await;
    database.sql("CREATE VIEW seen AS SELECT * FROM sessions").await;
    let other = |table: &str| {
        format!(
            "[[sessions]]\nname = \"other\"\ntable = \"public.{table}\"\nexpires_at = \"expires_at\"\nencoding = \"timestamptz\"\n"
        )
    };
    let outcome = database.once_with(&format!("{}{}", other("nothing"), by_expiry("")), &[]).exits(1);
    outcome.store_says("other", "error", &["table: found no public.nothing here", "`database`"]);
    outcome.swept("logins", json!({ "expired": 2, "error": null }));
    let outcome = database.once_with(&other("seen"), &[]).exits(1);
    outcome.store_says("other", "error", &["table: found a view named public.seen"]);
}

#[tokio::test]
async fn a_store_is_looked_for_in_its_own_database_only() {
    let (mut one, mut two) = (filled(2, 1).await, Database::new().await);
    two.sql("CREATE TABLE orders (id serial PRIMARY KEY)").await;
    let also = format!("[[databases]]\nname = \"two\"\nurl = \"{}\"\n", two.url());
    let settings = by_expiry(&format!("database = \"{}\"", one.name));
    let report = one.once_with(&format!("{settings}{also}"), &[]).exits(0).json();
    let of = |name: &str| {
        let databases = report["databases"].as_array().unwrap();
        databases.iter().find(|database| database["name"] == name).unwrap()["sessions"].as_array().unwrap().len()
    };
    assert_eq!((of(&one.name), of("two")), (1, 0));
    assert_eq!(left(&mut one).await, 1);
}

#[tokio::test]
async fn row_security_that_hides_rows_is_an_error() {
    let mut database = filled(2, 1).await;
    let role = database.role("medic");
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT SELECT, UPDATE, DELETE ON sessions TO {role};
             GRANT SELECT ON SEQUENCE sessions_id_seq TO {role};
             ALTER TABLE sessions ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON sessions USING (user_id = 1)"
        ))
        .await;
    let outcome = database.once_with_as(&role, &by_expiry(""), &[]).exits(1);
    outcome.store_says("logins", "error", &["row security hides rows", "BYPASSRLS"]);
    assert_eq!(outcome.store_kinds("logins", "error"), ["row_security"]);
    assert_eq!(left(&mut database).await, 3);
    database.sql(&outcome.store_fix("logins", "error")).await;
    database.once_with_as(&role, &by_expiry(""), &[]).swept("logins", json!({ "expired": 2, "error": null }));
}

#[tokio::test]
async fn a_missing_privilege_is_named_with_its_grant_before_anything_is_done() {
    let mut database = filled(2, 1).await;
    let role = database.role("medic");
    database.sql(&format!("CREATE ROLE {role} LOGIN")).await;
    let mut granted = Vec::new();
    for _ in 0..8 {
        let outcome = database.once_with_as(&role, &by_expiry(""), &[]);
        if granted.len() == 2 {
            // Looking needs no more.
            let look = database.once_with_as(&role, &by_expiry(""), &["--dry-run"]);
            look.swept("logins", json!({ "error": null, "stale": 2, "live": 1 }));
            look.store_says(
                "logins",
                "warnings",
                &["to sweep: a privilege is missing: GRANT DELETE ON public.sessions"],
            );
        }
        if outcome.store("logins")["error"].is_null() {
            break;
        }
        assert_eq!(outcome.store_kinds("logins", "error"), ["missing_privilege"]);
        let grant = outcome.store_fix("logins", "error");
        database.sql(&grant).await;
        granted.push(grant);
    }
    let of_table = |what: &str| format!("GRANT {what} ON public.sessions TO {role}");
    let of_ids = format!("GRANT SELECT ON SEQUENCE public.sessions_id_seq TO {role}");
    let of_table =
        ["SELECT (expires_at)", "SELECT (ctid)", "DELETE", "UPDATE (expires_at)", "SELECT (id)"].map(of_table);
    assert_eq!(granted, [&of_table[..], &[of_ids]].concat());
    assert_eq!(left(&mut database).await, 1, "swept as soon as nothing was missing");
}

#[tokio::test]
async fn a_triggers_own_words_are_not_repeated() {
    let mut database = filled(1, 1).await;
    database
        .sql(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
             $$BEGIN RAISE EXCEPTION 'session hunter2 must stay'; END$$;
             CREATE TRIGGER no BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION no()",
        )
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.store_says("logins", "error", &["SQLSTATE P0001"]);
    assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains("hunter2"), "{}", outcome.stdout);
    assert_eq!(left(&mut database).await, 2);
}

#[tokio::test]
async fn a_superuser_runs_no_trigger_of_a_tables_owner_and_the_text_of_a_trigger_is_not_shown() {
    let mut database = filled(3, 5).await;
    let role = database.role("owner");
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN; ALTER TABLE sessions OWNER TO {role};
             GRANT CREATE ON SCHEMA public TO {role}; SET ROLE {role};
             CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS
                 $$BEGIN RAISE insufficient_privilege USING MESSAGE = 'session hunter2 stays'; END$$;
             CREATE TRIGGER guard BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION guard(); RESET ROLE"
        ))
        .await;
    let outcome = database.once_with(&by_expiry(""), &[]).exits(1);
    outcome.store_says(
        "logins",
        "error",
        &["public.sessions belongs to", "whose triggers, rules and functions would run", "pgmedic grants"],
    );
    // As its owner, it runs.
    let outcome = database.once_with_as(&role, &by_expiry(""), &[]).exits(1);
    outcome.store_says("logins", "error", &["a trigger failed with SQLSTATE 42501", "guard on public.sessions"]);
    // No privilege would help.
    assert_eq!(outcome.store_fixes("logins", "error"), Vec::<String>::new());
    assert!(!outcome.stdout.contains("hunter2") && !outcome.stderr.contains("hunter2"), "{}", outcome.stdout);
    assert_eq!(left(&mut database).await, 8);
}

#[tokio::test]
async fn a_column_that_cannot_be_compared_is_refused_with_the_column_that_helps() {
    let mut database = filled(3, 3).await;
    database.sql("ALTER TABLE sessions ADD data json, ADD \"The place\" point, ADD scope json").await;
    for (column, found, words) in [
        ("data", "data of type json", "ADD data_text text GENERATED ALWAYS AS (data ->> 'user_id') STORED"),
        ("\"The place\"", "\"The place\" of type point", "a generated column can hold"),
    ] {
        let per_user = format!("user = ['user_id', '{column}']\nmax_per_user = 1\ncreated_at = \"created_at\"");
        let outcome = database.once_with(&by_expiry(&per_user), &[]).exits(1);
        outcome.store_says("logins", "error", &[&format!("user: found {found}"), "can be compared", words]);
        assert_eq!(outcome.store_kinds("logins", "error"), ["configuration"]);
        assert_eq!(left(&mut database).await, 6);
    }
    let revoked = "revoke = { column = \"data\", value = \"{}\" }";
    let outcome = database.once_with(&by_expiry(revoked), &[]).exits(1);
    outcome.store_says("logins", "error", &["revoke.value: expected values of json, a type that can be compared"]);
    // What may tell kinds of sessions apart by its name does not.
    database.once_with(&by_expiry(""), &[]).exits(0).swept("logins", json!({ "expired": 3, "error": null }));
    // The column that helps.
    database
        .sql(
            "UPDATE sessions SET data = '{\"user_id\": 7}';
             ALTER TABLE sessions ADD data_text text GENERATED ALWAYS AS (data ->> 'user_id') STORED",
        )
        .await;
    let per_user = "user = \"data_text\"\nmax_per_user = 5\ncreated_at = \"created_at\"";
    database.once_with(&by_expiry(per_user), &[]).exits(0).swept("logins", json!({ "live": 3 }));
}

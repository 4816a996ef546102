//! The incident that pgmedic was written for: 695 sessions, and a sequence at 658.

use crate::support::Database;
use serde_json::json;

const SEQUENCE: &str = "public.user_sessions_session_id_seq";

async fn restored() -> Database {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE user_sessions (session_id serial PRIMARY KEY, user_id integer NOT NULL);
             INSERT INTO user_sessions SELECT id, id % 50 FROM generate_series(1, 695) AS id;
             SELECT setval('user_sessions_session_id_seq', 658, false)",
        )
        .await;
    database
}

#[tokio::test]
async fn a_login_fails_before_and_gets_696_after() {
    let mut database = restored().await;
    let login = "INSERT INTO user_sessions (user_id) VALUES (7) RETURNING session_id::bigint";
    let refused = sqlx::query(login).execute(&mut database.connection).await.unwrap_err();
    let refused = refused.as_database_error().unwrap();
    assert_eq!((refused.code().as_deref(), refused.constraint()), (Some("23505"), Some("user_sessions_pkey")));

    database.once(&[]).exits(0);
    assert_eq!(database.number(login).await, 696);
}

#[tokio::test]
async fn the_report_says_what_was_found_and_what_was_done() {
    let database = restored().await;
    let outcome = database.once(&[]).exits(0);
    let mut finding = outcome.sequence(SEQUENCE);
    let used = finding["used_ratio"].take().as_f64().unwrap();
    assert!((used - 657.0 / 2_147_483_647.0).abs() < 1e-12, "{used}");
    let used = finding["repair"]["used_ratio"].take().as_f64().unwrap();
    assert!((used - 695.0 / 2_147_483_647.0).abs() < 1e-12, "{used}");
    let took = finding["repair"]["duration_seconds"].take();
    assert!(took.as_f64().unwrap() > 0.0);
    // Who was behind it depends on the sessions that are connected.
    assert!(finding.as_object_mut().unwrap().remove("evidence").unwrap().is_object());
    assert_eq!(
        finding,
        json!({
            "name": SEQUENCE,
            "feeds": [{ "column": "public.user_sessions.session_id", "link": "serial", "followed": false }],
            "next_value": 658, "max_id": 695, "nearest_id": 658, "far_ids": null, "limit": 2147483647,
            "limited_by": "public.user_sessions.session_id", "verdict": "behind", "lag": 38,
            "used_ratio": null, "running_out": false, "days_left": null, "rule": null,
            "suggested_feeds": null,
            "cause": "unknown", "reason": null, "notes": [],
            "repair": { "outcome": "repaired", "method": "advance", "next_value": 696, "held_by": null,
                        "reason": null, "used_ratio": null, "duration_seconds": null },
        })
    );
    let report = outcome.json();
    assert_eq!(report["schema"], 2);
    assert_eq!(report["dry_run"], false);
    assert_eq!(
        report["summary"],
        json!({ "sequences": 1, "in_sync": 0, "behind": 1, "repaired": 1, "held": 0, "held_by": {}, "failed": 0, "exhausted": 0,
                "unreadable": 0, "unsupported": 0, "unlinked": 0, "running_out": 0, "sessions_expired": 0 })
    );
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_says_so_by_its_exit_code() {
    let mut database = restored().await;
    let outcome = database.once(&["--dry-run"]).exits(3);
    let finding = outcome.sequence(SEQUENCE);
    assert_eq!(finding["verdict"], "behind");
    assert_eq!(finding["repair"]["outcome"], "skipped");
    assert_eq!(database.nextval(SEQUENCE).await, 658);
}

#[tokio::test]
async fn a_second_run_finds_all_in_sync() {
    let mut database = restored().await;
    database.once(&[]).exits(0);
    let finding = database.once(&[]).exits(0).sequence(SEQUENCE);
    assert_eq!((&finding["verdict"], &finding["lag"]), (&json!("in_sync"), &json!(0)));
    assert_eq!(finding["repair"], json!(null));
    assert_eq!(database.nextval(SEQUENCE).await, 696);
}

//! The repair log and the notification never fail or delay the caller.

use super::{CALL, incident, repair, run};
use sqlx::Row;

#[tokio::test]
async fn a_log_that_cannot_be_written_costs_its_entry_and_nothing_else() {
    for broken in [
        "ALTER TABLE pgmedic.repair_log DROP COLUMN outcome",
        "DROP TABLE pgmedic.repair_log",
        "ALTER TABLE pgmedic.repair_log ADD CHECK (false) NOT VALID",
        "CREATE FUNCTION public.full() RETURNS trigger LANGUAGE plpgsql AS
             $$BEGIN RAISE disk_full; END$$;
         CREATE TRIGGER t BEFORE INSERT ON pgmedic.repair_log FOR EACH ROW EXECUTE FUNCTION public.full()",
        "REVOKE ALL ON pgmedic.repair_log FROM CURRENT_USER; ALTER TABLE pgmedic.repair_log OWNER TO postgres",
    ] {
        let mut scene = incident().await;
        scene.database.sql(broken).await;
        assert_eq!(scene.repair(CALL).await, Ok(38), "{broken}");
        assert_eq!(scene.database.nextval("user_sessions_session_id_seq").await, 696, "{broken}");
        let mut application = scene.application().await;
        run(&mut application, "SELECT pgmedic.repair('public', 'user_sessions', 'user_sessions_pkey')").await;
    }
}

#[tokio::test]
async fn a_locked_log_is_not_waited_for() {
    for lock in ["LOCK TABLE pgmedic.repair_log IN ACCESS EXCLUSIVE MODE", "REINDEX TABLE pgmedic.repair_log"] {
        let mut scene = incident().await;
        let mut other = scene.database.connect().await;
        run(&mut other, &format!("BEGIN; {lock}")).await;
        assert_eq!(scene.repair(CALL).await, Ok(38), "{lock}");
        run(&mut other, "ROLLBACK").await;
        assert_eq!(scene.database.number("SELECT count(*) FROM pgmedic.repair_log").await, 0);
    }
}

#[tokio::test]
async fn a_transaction_is_prepared_where_notification_is_off() {
    let mut scene = incident().await;
    let mut application = scene.application().await;
    run(&mut application, "BEGIN; SET LOCAL pgmedic.notify = off").await;
    assert_eq!(repair(&mut application, CALL).await, Ok(38));
    run(&mut application, "PREPARE TRANSACTION 'login'").await;
    run(&mut application, "ROLLBACK PREPARED 'login'").await;
    let next: i64 = scene.database.row("SELECT nextval('user_sessions_session_id_seq')").await.get(0);
    assert_eq!(next, 696);
    // Otherwise it has notified.
    run(&mut application, "BEGIN").await;
    scene.database.sql("SELECT setval('user_sessions_session_id_seq', 1)").await;
    assert_eq!(repair(&mut application, CALL).await, Ok(694));
    let refusal = sqlx::raw_sql("PREPARE TRANSACTION 'login'").execute(&mut application).await.unwrap_err();
    assert!(refusal.to_string().contains("NOTIFY"), "{refusal}");
}

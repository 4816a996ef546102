//! `pgmedic.repair_log`, where it is installed: the agent writes it only while it is as it was installed.

use super::{EVERY_SECOND, REPAIRED, orders, repairs, rewind, series};
use crate::support::{Agent, Database, pgmedic};
use sqlx::Connection;

/// A database with the function installed by a superuser, for `role` as the agent's.
async fn installed(role: Option<&str>) -> Database {
    let mut database = orders().await;
    let agent: Vec<&str> = role.iter().flat_map(|role| ["--agent", *role]).collect();
    let script = pgmedic(&[], &[&["sql", "install"], agent.as_slice()].concat()).exits(0).stdout;
    database.sql(&script).await;
    database
}

fn inline(database: &Database, outcome: &str) -> String {
    series("inline_repairs_total", database, &format!("DATABASE,outcome=\"{outcome}\""))
}

async fn repair_inline(database: &Database) {
    let mut login = database.connect().await;
    sqlx::raw_sql("SELECT setval('orders_id_seq', 5, false); SELECT pgmedic.repair('orders', 'id')")
        .execute(&mut login)
        .await
        .unwrap();
    login.close().await.unwrap();
}

#[tokio::test]
async fn the_agent_writes_its_repairs_counts_inline_ones_and_removes_old_ones() {
    let mut database = installed(None).await;
    database
        .sql(
            "INSERT INTO pgmedic.repair_log (at, role, sequence, counted) VALUES (now() - interval '31 days', 'app', 'old', true), (now(), 'app', 'new', true);
             INSERT INTO pgmedic.repair_log (at, role, sequence, source, counted, charged) VALUES (now() - interval '31 days', 'app', 'charged', 'agent', true, 5)",
        )
        .await;
    // The leader before has counted these.
    let agent = Agent::start(&database, EVERY_SECOND);
    database.wait_until("SELECT count(*) = 0 FROM pgmedic.repair_log WHERE sequence = 'old'").await;
    assert_eq!(database.number("SELECT count(*) FROM pgmedic.repair_log WHERE sequence = 'charged'").await, 1);
    assert_eq!(agent.metric(&inline(&database, "repaired")), Some(0.0));

    // It notifies the agent, which counts it.
    repair_inline(&database).await;
    agent.wait_until(&inline(&database, "repaired"), |repairs| repairs == 1.0);
    rewind(&database).await;
    database.wait_until(REPAIRED).await;
    let own = "source = 'agent' AND sequence = 'public.orders_id_seq' AND outcome = 'repaired' AND from_value = 1 AND to_value = 21";
    database.wait_until(&format!("SELECT count(*) = 1 FROM pgmedic.repair_log WHERE {own}")).await;
    agent.passes_again(&database.name, 2.0);
    assert_eq!(agent.metric(&inline(&database, "repaired")), Some(1.0), "the agent's repair is not inline");
    assert_eq!(agent.metric(&inline(&database, "held")), Some(0.0));
    let log = agent.stop();
    assert!(!log.contains("WARN"), "{log}");
}

#[tokio::test]
async fn a_dry_run_counts_and_writes_nothing() {
    let mut database = installed(None).await;
    database
        .sql("INSERT INTO pgmedic.repair_log (at, role, sequence) VALUES (now() - interval '31 days', 'app', 'old')")
        .await;
    let config = database.config(&format!("{EVERY_SECOND}\n[http]\nlisten = \"127.0.0.1:0\"\n"));
    let agent = Agent::run(config, &["--dry-run"]);
    agent.passes_again(&database.name, 1.0);
    repair_inline(&database).await;
    agent.wait_until(&inline(&database, "repaired"), |repairs| repairs == 1.0);
    agent.stop();
    assert_eq!(database.number("SELECT count(*) FROM pgmedic.repair_log WHERE sequence = 'old'").await, 1);
}

#[tokio::test]
async fn code_that_was_added_to_the_table_never_runs_with_the_agents_rights() {
    let additions = [
        "CREATE TRIGGER t BEFORE INSERT OR DELETE ON pgmedic.repair_log FOR EACH STATEMENT EXECUTE FUNCTION public.trap()",
        "CREATE RULE r AS ON INSERT TO pgmedic.repair_log DO ALSO SELECT public.sprung()",
        "CREATE INDEX ON pgmedic.repair_log (public.sprung(sequence))",
        "DO 'BEGIN EXECUTE CASE WHEN current_setting(''server_version_num'')::integer >= 140000
         THEN ''CREATE STATISTICS public.s ON (public.sprung(sequence)), outcome FROM pgmedic.repair_log''
         ELSE ''CREATE INDEX ON pgmedic.repair_log (public.sprung(outcome))'' END; END'",
        "ALTER TABLE pgmedic.repair_log ADD CHECK (public.sprung(sequence) = '')",
        "ALTER TABLE pgmedic.repair_log ADD more text DEFAULT public.sprung()",
        "ALTER TABLE pgmedic.repair_log ENABLE ROW LEVEL SECURITY",
        "DROP TABLE pgmedic.repair_log; CREATE TABLE pgmedic.repair_log ()",
        "DROP TABLE pgmedic.repair_log; CREATE VIEW pgmedic.repair_log AS SELECT public.sprung() AS outcome, 'inline' AS source",
    ];
    for addition in additions {
        let mut database = installed(None).await;
        database
            .sql(
                "CREATE FUNCTION public.sprung(text DEFAULT '') RETURNS text LANGUAGE plpgsql IMMUTABLE AS
                     $$BEGIN IF current_setting('application_name') = 'pgmedic' THEN RAISE 'sprung'; END IF; RETURN ''; END$$;
                 CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS
                     $$BEGIN PERFORM public.sprung(); RETURN NULL; END$$",
            )
            .await;
        database.sql(addition).await;
        let agent = Agent::start(&database, EVERY_SECOND);
        agent.logs("pgmedic.repair_log is not as `pgmedic sql install` makes it");
        repairs(&mut database).await;
        agent.passes_again(&database.name, 2.0);
        let log = agent.stop();
        assert!(!log.contains("sprung") && !log.contains("could not be written"), "{addition}:\n{log}");
        assert_eq!(log.matches("is not as `pgmedic sql install` makes it").count(), 1, "{addition}:\n{log}");
    }
}

#[tokio::test]
async fn a_role_without_the_privilege_is_told_which_command_gives_it_and_one_with_it_needs_no_more() {
    let mut database = installed(None).await;
    let role = database.role("agent");
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
             GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"
        ))
        .await;
    let agent = Agent::start_at(&database.url_as(&role), &database, EVERY_SECOND);
    agent.logs(&format!("pgmedic sql install --agent {role}"));
    repairs(&mut database).await;
    agent.stop();

    let script = pgmedic(&[], &["sql", "install", "--agent", &role]).exits(0).stdout;
    database.sql(&script).await;
    let agent = Agent::start_at(&database.url_as(&role), &database, EVERY_SECOND);
    repairs(&mut database).await;
    database
        .wait_until(&format!("SELECT count(*) > 0 FROM pgmedic.repair_log WHERE source = 'agent' AND role = '{role}'"))
        .await;
    let log = agent.stop();
    assert!(!log.contains("pgmedic.repair_log"), "{log}");
}

#[tokio::test]
async fn it_may_be_installed_and_taken_away_while_the_agent_runs() {
    let mut database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    repairs(&mut database).await;
    database.install_sql().await;
    repairs(&mut database).await;
    database.wait_until("SELECT count(*) > 0 FROM pgmedic.repair_log WHERE source = 'agent'").await;
    database.sql(&pgmedic(&[], &["sql", "uninstall"]).exits(0).stdout).await;
    repairs(&mut database).await;
    let log = agent.stop();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn inline_repairs_are_counted_once_also_those_made_while_no_agent_ran_or_beside_removed_entries() {
    let mut database = installed(None).await;
    for _ in 0..3 {
        repair_inline(&database).await;
    }
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.wait_until(&inline(&database, "repaired"), |repairs| repairs == 3.0);
    database.sql("DELETE FROM pgmedic.repair_log").await;
    repair_inline(&database).await;
    agent.wait_until(&inline(&database, "repaired"), |repairs| repairs == 4.0);
    agent.stop();
    // The next leader counts what the one before has not.
    repair_inline(&database).await;
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.wait_until(&inline(&database, "repaired"), |repairs| repairs >= 1.0);
    agent.passes_again(&database.name, 2.0);
    assert_eq!(agent.metric(&inline(&database, "repaired")), Some(1.0));
    agent.stop();
}

/// Any role that may create a schema can create one that looks like the installed one.
#[tokio::test]
async fn a_forged_repair_log_is_neither_written_to_nor_believed() {
    let mut database = orders().await;
    let forger = database.role("forger");
    let script = pgmedic(&[], &["sql", "install", "--owner", &forger]).exits(0).stdout;
    database.sql(&format!("CREATE ROLE {forger}")).await;
    database.sql(&script).await;
    database
        .sql(
            "INSERT INTO pgmedic.repair_log (role, sequence) VALUES ('app', 'public.orders_id_seq'), ('app', 'public.no');
             SELECT setval('orders_id_seq', 1, false)",
        )
        .await;
    let agent = Agent::start(&database, EVERY_SECOND);
    repairs(&mut database).await;
    agent.logs(&format!("pgmedic.repair_log belongs to {forger}"));
    agent.passes_again(&database.name, 2.0);
    assert_eq!(agent.metric(&inline(&database, "repaired")), Some(0.0));
    agent.stop();
    assert_eq!(database.number("SELECT count(*) FROM pgmedic.repair_log WHERE source = 'agent' OR counted").await, 0);
}

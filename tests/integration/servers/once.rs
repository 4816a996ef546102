//! `--once`, `grants` and `history` go over all databases of a server.

use super::*;
use crate::support::shell;
use serde_json::Value;

fn reports(outcome: &Outcome) -> Vec<(String, Value, usize)> {
    let report = outcome.json();
    let database = |database: &Value| {
        let sequences = database["sequences"].as_array().unwrap();
        assert_eq!(database["server"], "prod");
        (database["name"].as_str().unwrap().to_owned(), database["error"].clone(), sequences.len())
    };
    report["databases"].as_array().unwrap().iter().map(database).collect()
}

fn named(outcome: &Outcome) -> Vec<String> {
    reports(outcome).into_iter().map(|(name, ..)| name).collect()
}

#[tokio::test]
async fn one_run_repairs_every_database_that_is_covered_and_leaves_templates_and_closed_ones_alone() {
    let server = own_server();
    let mut postgres = maintenance(&server).await;
    let names = ["app", "It's \"odd\" = \\ 7", "scratch_1"];
    let mut databases = Vec::new();
    for name in names {
        databases.push(create(&server, name, ORDERS).await);
    }
    for (name, setting) in [("a_template", "IS_TEMPLATE true"), ("closed", "ALLOW_CONNECTIONS false")] {
        postgres.sql(&format!("CREATE DATABASE {name} {setting}")).await;
    }
    let text = table(&server.url("postgres"), "exclude = [\"scratch_*\"]");
    let outcome = once(&text, &[]).exits(0);
    assert_eq!(named(&outcome), [names[1], "app", "postgres"]);
    assert!(
        reports(&outcome)
            .iter()
            .all(|(name, error, sequences)| { error.is_null() && *sequences == usize::from(name != "postgres") })
    );
    for (database, repaired) in databases.iter_mut().zip([true, true, false]) {
        let found: bool = sqlx::Row::get(&database.row(REPAIRED).await, 0);
        assert_eq!(found, repaired, "{}", database.name);
    }
    for (asked, expected) in [("prod/app", "app"), ("app", "app"), ("postgres", "postgres")] {
        let code = if asked == "postgres" { 3 } else { 0 };
        assert_eq!(named(&once(&text, &["--database", asked]).exits(code)), [expected], "{asked}");
    }
    let refused = once(&text, &["--database", "prod/scratch_1"]).exits(2);
    assert!(refused.stderr.contains("found \"prod/scratch_1\", expected one of"), "{}", refused.stderr);
    let history = run(&text, &["history", "--format", "json", "--database", "prod/app"]).json();
    assert_eq!((&history["databases"][0]["name"], &history["databases"][0]["server"]), (&"app".into(), &"prod".into()));
}

#[tokio::test]
async fn a_database_that_cannot_be_entered_is_named_and_the_others_are_looked_at() {
    let server = own_server();
    let mut app = create(&server, "app", ORDERS).await;
    create(&server, "locked", ORDERS).await;
    app.sql("CREATE ROLE guest LOGIN SUPERUSER; REVOKE CONNECT ON DATABASE locked FROM PUBLIC; ALTER ROLE guest NOSUPERUSER")
        .await;
    app.sql("GRANT SELECT ON orders TO guest; GRANT SELECT, USAGE ON orders_id_seq TO guest").await;
    let url = server.url("postgres").replace("user=postgres", "user=guest");
    let outcome = once(&table(&url, ""), &[]).exits(1);
    let errors: Vec<String> =
        reports(&outcome).into_iter().filter(|(_, error, _)| !error.is_null()).map(|(name, ..)| name).collect();
    assert_eq!(errors, ["locked"], "{}", outcome.stdout);
    app.wait_until(REPAIRED).await;
    let grants = run(&table(&url, ""), &["grants"]).exits(0).stdout;
    assert!(grants.contains("\\connect app\n") && grants.contains("-- Not covered:\n-- prod/locked"), "{grants}");
}

#[tokio::test]
async fn the_grants_of_a_server_are_run_by_psql_as_an_owner_who_is_no_superuser() {
    let server = own_server();
    let mut postgres = maintenance(&server).await;
    // What a provider gives its customer: a role that may create others, and owns what it made.
    postgres.sql("CREATE ROLE master LOGIN CREATEROLE CREATEDB").await;
    let names = ["app", "It's \"odd\" = \\ 7"];
    for name in names {
        let mut database = create(&server, name, "").await;
        let quoted = name.replace('"', "\"\"");
        database
            .sql(&format!("ALTER DATABASE \"{quoted}\" OWNER TO master; ALTER SCHEMA public OWNER TO master"))
            .await;
        database.sql(&format!("SET ROLE master; {ORDERS}")).await;
    }
    let as_master = server.url("postgres").replace("user=postgres", "user=master");
    let text = table(&as_master, "exclude = [\"postgres\"]\nmax_connections = 3");
    let script = run(&text, &["grants", "--role", "medic"]).exits(0).stdout;
    let file = config(&script);
    let output = std::process::Command::new("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file.path().to_str().unwrap(), &as_master])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !errors.contains("ERROR"), "{errors}\n{script}");
    let as_medic = server.url("postgres").replace("user=postgres", "user=medic");
    let outcome = once(&table(&as_medic, "exclude = [\"postgres\"]"), &[]).exits(0);
    assert_eq!(outcome.json()["summary"]["repaired"], 2, "{}", outcome.stdout);
    let one = run(&text, &["grants", "--database", "prod/app"]).exits(0).stdout;
    assert_eq!(one.matches("\\connect").count(), 1, "{one}");
}

#[tokio::test]
async fn a_printed_approval_names_the_discovered_database_and_works_as_it_stands() {
    let server = own_server();
    let mut database =
        create(&server, "my shop", "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (1000000000)").await;
    let text = table(&server.url("postgres"), "");
    let report = once(&text, &["--database", "my shop"]).exits(3).json();
    let fix = report["databases"][0]["sequences"][0]["repair"]["reason"]["fix"].as_str().map(str::to_owned);
    let file = config(&text);
    let command = fix.unwrap_or_else(|| panic!("{report:#}"));
    let run = shell(&command).env("PGMEDIC_CONFIG", file.path()).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{command}: {}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(database.nextval("t_id_seq").await, 1_000_000_001);
}

#[tokio::test]
async fn a_database_whose_name_is_not_utf8_is_reported_with_its_oid_and_the_others_are_looked_at() {
    let server = own_server();
    let mut app = create(&server, "app", ORDERS).await;
    latin1(&server, "CREATE DATABASE \"größe\" TEMPLATE template0").await;
    let text = table(&server.url("postgres"), "exclude = [\"latin\"]");
    let outcome = once(&text, &[]).exits(1);
    let errors: Vec<(String, Value)> = reports(&outcome)
        .into_iter()
        .filter(|(_, error, _)| !error.is_null())
        .map(|(name, error, _)| (name, error))
        .collect();
    let [(name, error)] = errors.as_slice() else { panic!("{}", outcome.stdout) };
    assert_eq!(name, "gr\u{fffd}\u{fffd}e");
    let error = error.to_string();
    assert!(error.contains("with OID 1") && error.contains("ALTER DATABASE … RENAME TO"), "{error}");
    app.wait_until(REPAIRED).await;
    let grants = run(&text, &["grants"]).exits(0).stdout;
    assert!(grants.contains("-- Not covered:\n-- prod/gr\u{fffd}\u{fffd}e: the name"), "{grants}");
    run(&text, &["history"]).exits(1);
    let agent = start(&text);
    agent.logs("a database of prod is not monitored: the name of the database with OID");
    agent.stop();
}

#[tokio::test]
async fn the_grants_of_a_database_with_another_encoding_are_run_by_psql() {
    let server = own_server();
    latin1(&server, "CREATE TABLE \"größ\" (id serial PRIMARY KEY)").await;
    let url = server.url("latin");
    let single = format!("[[databases]]\nname = \"latin\"\nurl = \"{url}\"\n");
    for text in [table(&url, "include = [\"latin\"]"), single] {
        let script = run(&text, &["grants", "--role", "medic"]).exits(0).stdout;
        assert!(script.contains("größ"), "{script}");
        let file = config(&script);
        let output = std::process::Command::new("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file.path().to_str().unwrap(), &url])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}\n{script}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Runs a statement in a new database with the encoding LATIN1.
async fn latin1(server: &TestServer, statement: &str) {
    let create = "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
    maintenance(server).await.sql(create).await;
    Database::at("latin", server.url("latin")).await.sql(statement).await;
}

//! Secrets are never printed, in any error and at any log level.

use super::databases::configured;
use crate::support::{Database, command, pgmedic};
use std::io::Write;

const SECRET: &str = "s3cr3t-Hunter2";

#[track_caller]
fn keeps_silent(variables: &[(&str, &str)], arguments: &[&str]) -> i32 {
    let variables = [variables, &[("PGMEDIC_LOG__LEVEL", "trace"), ("RUST_LOG", "trace")]].concat();
    let outcome = pgmedic(&variables, arguments);
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(!text.contains(SECRET), "{arguments:?}:\n{text}");
    }
    outcome.code
}

#[tokio::test]
async fn no_failed_connection_tells_the_password() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (7)").await;
    let port = crate::support::server().tcp_url("x").unwrap();
    let port = port.rsplit(':').next().unwrap().trim_end_matches("/x").to_owned();
    for (url, code) in [
        (format!("postgres://postgres:{SECRET}@127.0.0.1:{port}/{}", database.name), 0),
        (format!("postgres://app:{SECRET}@127.0.0.1:{port}/{}", database.name), 1),
        (format!("postgres://postgres:{SECRET}@127.0.0.1:{port}/nowhere"), 1),
        (format!("postgres://postgres:{SECRET}@127.0.0.1:{port}/nowhere?sslmode=require"), 1),
        (format!("postgres://postgres:{SECRET}@127.0.0.1:1/nowhere"), 1),
        (format!("postgres://postgres:{SECRET}@no-such-host.invalid/nowhere"), 1),
        (format!("postgres:///x?host=/nowhere&user=app&password={SECRET}"), 1),
        (format!("postgres://app:{SECRET}@127.0.0.1:notaport/x"), 2),
        (format!("postgres://app:{SECRET}/with/slashes@127.0.0.1/x"), 2),
        (format!("mysql://app:{SECRET}@127.0.0.1/x"), 2),
        (format!("postgres://app:{SECRET}@127.0.0.1/x?sslmode=sometimes"), 2),
        (format!("postgres://app@127.0.0.1/x?passwort={SECRET}"), 2),
    ] {
        assert_eq!(keeps_silent(&[("DATABASE_URL", &url)], &["--once"]), code, "{url}");
        let config = configured(&[("app", &url)]);
        let path = config.path().to_str().unwrap();
        assert_eq!(keeps_silent(&[], &["--once", "--format", "json", "-c", path]), code, "{url}");
        assert_eq!(keeps_silent(&[], &["check-config", "-c", path]), if code == 2 { 2 } else { 0 }, "{url}");
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(url.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(keeps_silent(&[("DATABASE_URL_FILE", path)], &["--once"]), code, "{url}");
    }
}

#[tokio::test]
async fn a_url_on_the_command_line_is_refused_and_not_repeated() {
    let url = format!("postgres://app:{SECRET}@127.0.0.1/x");
    for arguments in [&["--once", &url][..], &[&url], &["--config", &url, "check-config"], &["--database", &url]] {
        assert_eq!(keeps_silent(&[], arguments), 2, "{arguments:?}");
    }
}

#[tokio::test]
async fn the_effective_configuration_hides_passwords_and_can_be_read_again() {
    let url = format!("postgres://app:{SECRET}@db.internal/shop?sslmode=require");
    let outcome = pgmedic(&[("DATABASE_URL", &url)], &["check-config"]).exits(0);
    assert!(!outcome.stdout.contains(SECRET), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("app:***@db.internal/shop"), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "");
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(outcome.stdout.as_bytes()).unwrap();
    let again = pgmedic(&[], &["check-config", "-c", file.path().to_str().unwrap()]).exits(0);
    assert_eq!(again.stdout, outcome.stdout);
}

#[tokio::test]
async fn the_password_is_on_nobodys_process_list() {
    let url = format!("postgres://app:{SECRET}@127.0.0.1:1/x");
    let command = command(&[("DATABASE_URL", &url)], &["--once"]);
    assert!(!format!("{:?}", command.get_args().collect::<Vec<_>>()).contains(SECRET));
}

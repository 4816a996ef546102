//! The hooks of docs/frameworks/, as they stand there, against the real frameworks: fifty logins at once, several times,
//! while the sequence is behind.

use crate::support::{Database, pgmedic, server};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// Logins that a client makes at once.
const LOGINS: i64 = 50;

/// A file of `tests/clients/frameworks`.
fn client(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/frameworks").join(name)
}

/// A folder below the one into which `scripts/setup clients` installs.
fn installed(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    target.join("tools/clients").join(name)
}

/// The code of a document: its first block in this language.
fn hook(document: &str, language: &str) -> String {
    let (_, rest) = document.split_once(&format!("```{language}\n")).expect("a block of code");
    rest.split_once("```").expect("its end").0.to_owned()
}

/// Lets the client log in three times fifty users, each time behind more taken ids, and asserts that all of them succeed; and
/// that a taken id which the client chose reaches it as a duplicate, also where the repair is refused.
async fn all_log_in(mut command: impl FnMut() -> Command) {
    let mut database = Database::new().await;
    let app = database.role("app");
    database
        .sql(&format!(
            "CREATE TABLE user_sessions (session_id serial PRIMARY KEY, user_id integer NOT NULL);
             CREATE ROLE {app} LOGIN; GRANT INSERT, SELECT ON user_sessions TO {app};
             GRANT USAGE ON SEQUENCE user_sessions_session_id_seq TO {app}"
        ))
        .await;
    database.sql(&pgmedic(&[], &["sql", "install", "--grant", &app]).exits(0).stdout).await;
    let database_name = database.name.clone();
    let url = server().tcp_url(&database.name).expect("the common server listens on TCP");
    let address = url.rsplit_once('@').and_then(|(_, rest)| rest.split_once('/')).expect("an address").0;
    let (host, port) = address.rsplit_once(':').expect("a port");
    let mut run = async || {
        let mut client = command();
        client.args([host, port, &database_name, &app]).stdin(Stdio::null()).kill_on_drop(true);
        let output = client.output().await.expect("the client: run scripts/setup clients");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0", "failed logins:\n{log}");
        log
    };
    for wave in 1..=3 {
        let import = "INSERT INTO user_sessions
                      SELECT id, 0 FROM generate_series((SELECT last_value FROM user_sessions_session_id_seq) + 1,
                                                        (SELECT last_value FROM user_sessions_session_id_seq) + 200) AS id";
        database.sql(import).await;
        let before = database.number("SELECT last_value FROM user_sessions_session_id_seq").await;
        run().await;
        assert_eq!(
            database.number("SELECT count(*) FROM user_sessions WHERE session_id > 0 AND user_id > 0").await,
            // The first of them has the user 0.
            (LOGINS - 1) * wave
        );
        let after = database.number("SELECT last_value FROM user_sessions_session_id_seq").await;
        assert!(after >= before + 200, "{before} {after}");
    }
    assert!(database.number("SELECT count(*) FROM pgmedic.repair_log").await > 0, "there was nothing to repair");
    // A repair that is refused replaces no error of an insert.
    database.sql(&format!("REVOKE EXECUTE ON FUNCTION pgmedic.repair(text, text, text) FROM {app}")).await;
    let log = run().await;
    assert!(log.contains("permission denied for function repair"), "the refusal is told: {log}");
}

fn python(folder: &Path, script: &str) -> Command {
    let mut command = Command::new(installed("python/bin/python"));
    command.arg(client(script)).env("PYTHONPATH", folder).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

#[tokio::test]
async fn django_logs_in_every_user() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hook.py"), hook(include_str!("../../../docs/frameworks/django.md"), "python"))
        .unwrap();
    all_log_in(|| python(folder.path(), "django_logins.py")).await;
}

#[tokio::test]
async fn sqlalchemy_logs_in_every_user() {
    let folder = tempfile::tempdir().unwrap();
    let code = hook(include_str!("../../../docs/frameworks/sqlalchemy.md"), "python");
    fs::write(folder.path().join("hook.py"), code).unwrap();
    all_log_in(|| python(folder.path(), "sqlalchemy_logins.py")).await;
}

/// Lets the client of this name log in, with the hook of the document of this name. Node.js looks for packages beside the
/// script.
async fn node(name: &str, document: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(installed("frameworks/node_modules"), folder.path().join("node_modules")).unwrap();
    let node_postgres = hook(include_str!("../../../docs/frameworks/node-postgres.md"), "js");
    fs::write(folder.path().join("package.json"), r#"{"type": "module"}"#).unwrap();
    fs::write(folder.path().join("repairing-client.js"), node_postgres).unwrap();
    fs::write(folder.path().join("hook.js"), hook(document, "js")).unwrap();
    let script = format!("{name}.mjs");
    for file in ["logins.mjs", &script] {
        fs::copy(client(file), folder.path().join(file)).unwrap();
    }
    all_log_in(|| {
        let mut command = Command::new("node");
        command.arg(folder.path().join(&script));
        command
    })
    .await;
}

#[tokio::test]
async fn node_postgres_logs_in_every_user() {
    node("node-postgres", include_str!("../../../docs/frameworks/node-postgres.md")).await;
}

#[tokio::test]
async fn drizzle_logs_in_every_user() {
    node("drizzle", include_str!("../../../docs/frameworks/drizzle.md")).await;
}

#[tokio::test]
async fn sequelize_logs_in_every_user() {
    node("sequelize", include_str!("../../../docs/frameworks/sequelize.md")).await;
}

#[tokio::test]
async fn typeorm_logs_in_every_user() {
    node("typeorm", include_str!("../../../docs/frameworks/typeorm.md")).await;
}

#[tokio::test]
async fn activerecord_logs_in_every_user() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hook.rb");
    fs::write(&file, hook(include_str!("../../../docs/frameworks/activerecord.md"), "ruby")).unwrap();
    all_log_in(|| {
        // Only Debian's Ruby finds Debian's libraries; PATH may have another one.
        let mut command = Command::new("/usr/bin/ruby");
        command.arg(client("activerecord_logins.rb")).env("HOOK", &file);
        command
    })
    .await;
}

#[tokio::test]
async fn pdo_logs_in_every_user() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hook.php");
    fs::write(&file, hook(include_str!("../../../docs/frameworks/pdo.md"), "php")).unwrap();
    all_log_in(|| {
        let mut command = Command::new("php");
        command.arg(client("pdo_logins.php")).env("HOOK", &file);
        command
    })
    .await;
}

/// Where Debian's package installs the driver.
const JDBC_DRIVER: &str = "/usr/share/java/postgresql.jar";

#[tokio::test]
async fn jdbc_logs_in_every_user() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("RepairingInsert.java");
    fs::write(&file, hook(include_str!("../../../docs/frameworks/jdbc.md"), "java")).unwrap();
    let mut compiler = Command::new("javac");
    compiler.args(["-cp", JDBC_DRIVER, "-d"]).arg(folder.path()).arg(&file).arg(client("JdbcLogins.java"));
    let output = compiler.output().await.expect("javac: run scripts/setup clients");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    all_log_in(|| {
        let mut command = Command::new("java");
        command.args(["-cp", &format!("{JDBC_DRIVER}:{}", folder.path().display()), "JdbcLogins"]);
        command
    })
    .await;
}

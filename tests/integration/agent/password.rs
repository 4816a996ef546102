//! A password that changes while the agent runs.

use super::{EVERY_SECOND, REPAIRED, fill, leader, rewind, said_once, up};
use crate::support::{Agent, Database};
use pgmedic_testserver::{ServerOptions, TestServer};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const OLD: &str = "0ld-hush-42";
const NEW: &str = "n3w-hush-43";

/// A server that asks the role `medic` for its password.
async fn strict() -> (TestServer, Database) {
    let hba = "local all medic scram-sha-256\nlocal all all trust\n";
    let server = TestServer::start(&ServerOptions { hba: Some(hba.to_owned()), ..ServerOptions::default() }).unwrap();
    let mut database = fill(Database::on(&server).await).await;
    database
        .sql(&format!(
            "SET password_encryption = 'scram-sha-256';
             CREATE ROLE medic LOGIN PASSWORD '{OLD}'; ALTER TABLE orders OWNER TO medic"
        ))
        .await;
    (server, database)
}

fn url(database: &Database, password: &str) -> String {
    format!("{}&password={password}\n", database.url_as("medic"))
}

/// A mounted Secret: `app.url` is a link to `..data/app.url`, and `..data` a link to the folder of the day, which is
/// replaced in one step (Kubernetes documentation, Secrets, "Mounted Secrets are updated automatically").
struct Secret {
    folder: TempDir,
    versions: u32,
}

impl Secret {
    fn of(url: &str) -> Self {
        let mut secret = Self { folder: tempfile::tempdir().unwrap(), versions: 0 };
        secret.update(url);
        symlink("..data/app.url", secret.file()).unwrap();
        secret
    }

    fn file(&self) -> PathBuf {
        self.path("app.url")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn update(&mut self, url: &str) {
        self.versions += 1;
        let version = format!("..version_{}", self.versions);
        fs::create_dir(self.path(&version)).unwrap();
        fs::write(self.path(&version).join("app.url"), url).unwrap();
        symlink(&version, self.path("..data_tmp")).unwrap();
        fs::rename(self.path("..data_tmp"), self.path("..data")).unwrap();
    }
}

/// The password changes at the server; then in the file, by `rotate`; the agent works again.
async fn outlives(agent: Agent, mut database: Database, rotate: impl FnOnce(&str)) {
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    // The first one is not interrupted: that would be another reason.
    agent.passes_again(&database.name, 1.0);
    database
        .sql(&format!(
            "ALTER ROLE medic PASSWORD '{NEW}';
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'medic'"
        ))
        .await;
    agent.wait_until(&up(&database), |up| up == 0.0);
    agent.logs("password refused for user \"medic\"");
    rewind(&database).await;
    rotate(&url(&database, NEW));
    agent.wait_until(&up(&database), |up| up == 1.0);
    database.wait_until(REPAIRED).await;
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    let reports = agent.get("/api/v1/reports").1 + &agent.get("/metrics").1;
    let log = agent.stop();
    for password in [OLD, NEW] {
        assert!(!log.contains(password) && !reports.contains(password), "{log}\n{reports}");
    }
    said_once(&log);
}

/// An agent whose configuration names the file of its URL.
fn with_url_file(database: &Database, file: &Path) -> Agent {
    let config = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    let text = format!(
        "{EVERY_SECOND}\n[http]\nlisten = \"127.0.0.1:0\"\n[log]\nlevel = \"debug\"\n\
         [[databases]]\nname = \"{}\"\nurl_file = \"{}\"\n",
        database.name,
        file.display()
    );
    fs::write(config.path(), text).unwrap();
    Agent::run(config, &[])
}

#[tokio::test]
async fn a_url_file_that_is_written_anew_is_read_anew() {
    let (_server, database) = strict().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), url(&database, OLD)).unwrap();
    let agent = with_url_file(&database, file.path());
    outlives(agent, database, |url| fs::write(file.path(), url).unwrap()).await;
}

#[tokio::test]
async fn a_url_file_that_is_replaced_as_kubernetes_does_is_read_anew() {
    let (_server, database) = strict().await;
    let mut secret = Secret::of(&url(&database, OLD));
    let agent = with_url_file(&database, &secret.file());
    outlives(agent, database, |url| secret.update(url)).await;
}

#[tokio::test]
async fn the_file_that_a_variable_names_is_read_anew() {
    let (_server, database) = strict().await;
    let mut secret = Secret::of(&url(&database, OLD));
    let file = secret.file();
    let agent = Agent::of_variables(&[
        ("DATABASE_URL_FILE", file.to_str().unwrap()),
        ("PGMEDIC_SEQUENCES__SCHEDULE", "* * * * * *"),
    ]);
    outlives(agent, database, |url| secret.update(url)).await;
}

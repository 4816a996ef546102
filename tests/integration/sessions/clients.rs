//! The stores' own clients: each writes its sessions as a separate program, in several time zones, and they are swept as it
//! means them.

use crate::support::Database;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Time zones in which a client runs.
const ZONES: [&str; 3] = ["America/New_York", "UTC", "Asia/Tokyo"];

/// The folder into which `scripts/setup clients` installs the clients.
fn tools() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    target.join("tools/clients")
}

/// A store's own client.
struct Client {
    store: &'static str,
    program: PathBuf,
    script: Option<PathBuf>,
}

impl Client {
    /// Node.js finds modules beside the script only, so it is run from where they are.
    fn node(store: &'static str) -> Self {
        let script = tools().join(format!("node/{store}.mjs"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/store.mjs");
        std::fs::copy(source, &script).expect("the clients: run scripts/setup clients");
        Self { store, program: "node".into(), script: Some(script) }
    }

    fn python(store: &'static str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/store.py");
        Self { store, program: tools().join("python/bin/python"), script: Some(script) }
    }

    fn rust(store: &'static str) -> Self {
        Self { store, program: tools().join("tower/debug/tower-client"), script: None }
    }

    fn run(&self, zone: &str, url: &str, arguments: &[&str]) -> Value {
        let mut command = Command::new(&self.program);
        command.args(&self.script).args([self.store, url]).args(arguments).env("TZ", zone).stdin(Stdio::null());
        let output = command.output().expect("the clients: run scripts/setup clients");
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{} {arguments:?}: {stderr}", self.store);
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}\n{stderr}"))
    }

    /// Sessions are made in this zone, swept, and looked for. `rest` is what the preset leaves to be stated.
    async fn is_swept(&self, database: &mut Database, zone: &str, rest: &str) {
        let made = self.run(zone, database.url(), &["make"]);
        let keys = |of: &str| -> BTreeSet<String> {
            made[of].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect()
        };
        let (live, expired) = (keys("live"), keys("expired"));
        assert_eq!((live.len(), expired.len()), (5, 5));

        let settings = format!("[[sessions]]\nname = \"store\"\npreset = \"{}\"\n{rest}\n", self.store);
        let outcome = database.once_with(&settings, &[]).exits(0);
        outcome.swept("store", json!({ "expired": 5, "stale": 0, "held": null }));

        let all: Vec<&str> = live.iter().chain(&expired).map(String::as_str).collect();
        let found = self.run(zone, database.url(), &[&["find"], all.as_slice()].concat());
        let found: BTreeSet<String> =
            found.as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect();
        assert_eq!(found, live, "{} in {zone}", self.store);
        database.once_with(&settings, &[]).exits(0).swept("store", json!({ "expired": 0 }));
    }

    /// The same in one zone after another. The live sessions of all of them remain in `table`.
    async fn is_swept_in_all_zones(&self, mut database: Database, table: &str, rest: &str) {
        for zone in ZONES {
            self.is_swept(&mut database, zone, rest).await;
        }
        assert_eq!(database.number(&format!("SELECT count(*) FROM {table}")).await, 15);
    }
}

#[tokio::test]
async fn connect_pg_simple() {
    let client = Client::node("connect-pg-simple");
    for zone in ZONES {
        let mut database = Database::new().await;
        client.is_swept(&mut database, zone, &format!("time_zone = \"{zone}\"")).await;
        assert_eq!(database.number("SELECT count(*) FROM session").await, 5);
    }
}

#[tokio::test]
async fn auth_js() {
    let client = Client::node("auth.js");
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE users (id SERIAL, name VARCHAR(255), email VARCHAR(255), \"emailVerified\" TIMESTAMPTZ, image TEXT,
                                 PRIMARY KEY (id));
             CREATE TABLE sessions (id SERIAL, \"userId\" INTEGER NOT NULL, expires TIMESTAMPTZ NOT NULL,
                                    \"sessionToken\" VARCHAR(255) NOT NULL, PRIMARY KEY (id))",
        )
        .await;
    client.is_swept_in_all_zones(database, "sessions", "").await;
}

#[tokio::test]
async fn auth_js_drizzle() {
    let client = Client::node("auth.js-drizzle");
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE \"user\" (id text PRIMARY KEY, name text, email text UNIQUE, \"emailVerified\" timestamp, image text);
             CREATE TABLE \"session\" (\"sessionToken\" text PRIMARY KEY, \"userId\" text NOT NULL REFERENCES \"user\" ON DELETE CASCADE,
                                       expires timestamp NOT NULL)",
        )
        .await;
    client.is_swept_in_all_zones(database, "session", "").await;
}

#[tokio::test]
async fn connect_session_knex() {
    Client::node("connect-session-knex").is_swept_in_all_zones(Database::new().await, "sessions", "").await;
}

#[tokio::test]
async fn connect_session_sequelize() {
    Client::node("connect-session-sequelize").is_swept_in_all_zones(Database::new().await, "\"Sessions\"", "").await;
}

#[tokio::test]
async fn better_auth() {
    Client::node("better-auth")
        .is_swept_in_all_zones(Database::new().await, "session", "user = '\"userId\"'\nmax_per_user = 1")
        .await;
}

#[tokio::test]
async fn django() {
    Client::python("django").is_swept_in_all_zones(Database::new().await, "django_session", "").await;
}

#[tokio::test]
async fn django_oauth_toolkit() {
    Client::python("django-oauth-toolkit")
        .is_swept_in_all_zones(Database::new().await, "oauth2_provider_accesstoken", "")
        .await;
}

#[tokio::test]
async fn flask_session() {
    Client::python("flask-session").is_swept_in_all_zones(Database::new().await, "sessions", "").await;
}

#[tokio::test]
async fn tower_sessions() {
    Client::rust("tower-sessions").is_swept_in_all_zones(Database::new().await, "tower_sessions.session", "").await;
}

//! What the files under deploy/ rely on.

use crate::support::{Database, command, pgmedic};
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// A file of the repository.
fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// A running agent that is ended with the test.
struct Agent {
    child: Child,
    address: String,
}

impl Agent {
    /// Listens on a free port of every address, as in the image.
    fn start(database: &Database) -> Self {
        let variables = [("DATABASE_URL", database.url()), ("PGMEDIC_HTTP__LISTEN", "0.0.0.0:0")];
        let mut child = command(&variables, &[]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().find_map(|line| line.unwrap().split_once("http://").map(|(_, at)| at.to_owned()));
        // Read to the end, or the agent would wait for room in the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.expect("the log says where it listens") }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Rust files of a folder, and of those in it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// Without a container engine no other test would notice before a release.
#[test]
fn the_image_is_built_with_every_file_that_the_binary_includes() {
    let (dockerfile, ignored) = (read("Dockerfile"), read(".dockerignore"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut included = 0;
    for source in sources(&root.join("src")) {
        let text = fs::read_to_string(&source).unwrap();
        // What documents include is for the documentation only.
        for line in text.lines().filter(|line| !line.trim_start().starts_with("#[doc")) {
            let Some((_, rest)) = line.split_once("include_str!(\"../../") else { continue };
            let path = rest.split('"').next().unwrap().trim_start_matches("../");
            assert!(root.join(path).is_file(), "{}: {line}", source.display());
            let folder = Path::new(path).parent().unwrap().display().to_string();
            assert!(dockerfile.contains(&format!("\nCOPY {folder} {folder}\n")), "{path}");
            assert!(ignored.lines().any(|line| line == format!("!{folder}")), "{path}");
            included += 1;
        }
    }
    assert!(included > 1);
}

#[tokio::test]
async fn the_health_check_finds_a_running_agent_and_no_dead_one() {
    let database = Database::new().await;
    let mut agent = Agent::start(&database);
    let address = agent.address.clone();
    let variables = [("PGMEDIC_HTTP__LISTEN", address.as_str())];
    pgmedic(&variables, &["healthcheck"]).exits(0);

    agent.child.kill().unwrap();
    agent.child.wait().unwrap();
    let outcome = pgmedic(&variables, &["healthcheck"]).exits(1);
    assert!(outcome.stderr.contains("/livez"), "{}", outcome.stderr);
}

#[test]
fn the_health_check_needs_no_database_and_fails_with_1_only() {
    let variables = [("DATABASE_URL_FILE", "/no/such/file"), ("PGMEDIC_HTTP__LISTEN", "nowhere")];
    let outcome = pgmedic(&variables, &["healthcheck"]).exits(1);
    assert!(outcome.stderr.contains("PGMEDIC_HTTP__LISTEN"), "{}", outcome.stderr);
}

#[tokio::test]
async fn the_role_of_the_compose_file_may_repair_what_its_story_breaks() {
    let mut database = Database::new().await;
    let (app, pgmedic) = (database.role("app"), database.role("pgmedic"));
    // The values that psql would insert, and roles of this test.
    let mut script: String = read("deploy/postgres/init.sql")
        .lines()
        .filter(|line| !line.starts_with('\\'))
        .map(|l| l.to_owned() + "\n")
        .collect();
    for (from, to) in [(":'password'", "'secret'"), (":\"DBNAME\"", &database.name)] {
        assert!(script.contains(from));
        script = script.replace(from, to);
    }
    for word in ["ROLE", "TO"] {
        script = script.replace(&format!("{word} app"), &format!("{word} {app}"));
        script = script.replace(&format!("{word} pgmedic"), &format!("{word} {pgmedic}"));
    }
    database.sql(&script).await;

    const SEQUENCE: &str = "public.user_sessions_session_id_seq";
    let finding = database.once_as(&pgmedic, &[]).exits(0).sequence(SEQUENCE);
    assert_eq!((&finding["lag"], &finding["repair"]["next_value"]), (&json!(38), &json!(696)));
    database.sql("CALL restore_some_sessions()").await;
    let finding = database.once_as(&pgmedic, &[]).exits(0).sequence(SEQUENCE);
    assert_eq!((&finding["lag"], &finding["repair"]["outcome"]), (&json!(38), &json!("repaired")));
}

#[test]
fn the_configuration_for_kubernetes_is_valid() {
    // As mounted: the secret's key beside the configuration.
    let mounted = tempfile::tempdir().unwrap();
    let configuration = mounted.path().join("pgmedic.toml");
    fs::write(&configuration, read("deploy/kubernetes/base/pgmedic.toml")).unwrap();
    fs::write(mounted.path().join("app.url"), "postgres://pgmedic:secret@db/app").unwrap();
    let outcome = pgmedic(&[], &["check-config", "--config", configuration.to_str().unwrap()]).exits(0);
    assert!(outcome.stdout.contains("app.url"), "{}", outcome.stdout);
}

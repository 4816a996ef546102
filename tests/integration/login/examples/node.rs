//! `examples/login-node`, as a separate process.
//!
//! `LOGIN_RETRY=setval cargo test --test integration examples::node -- --nocapture` runs the same test with the retry
//! that the example replaces, to measure its cost. The test then fails, as docs/login.md says.

use super::fire::under_fire;
use super::scene::{IDLE, SEQUENCE, Scene};
use super::{ask, log_in, opens_and_ends_sessions};
use crate::support::server;
use sqlx::Connection;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// The example's hash of `secret` at a cost of 16: the cheapest, because the hash is not tested here.
const HASH: &str = "scrypt$16$c2FsdA==$DtMC/2Lur3h+/FR3+aski0Wvs2RJrYB7pfKp7l1B99s=";

/// The folder into which `scripts/setup clients` installs the packages. The scripts are copied there, because Node.js
/// looks for packages beside the script.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let folder = target.join("tools/clients/login-node");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/login-node");
    for script in ["server.js", "sessions.js"] {
        fs::copy(source.join(script), folder.join(script)).expect("the packages: run scripts/setup clients");
    }
    folder
});

fn node(scene: &Scene, arguments: &[&str]) -> Command {
    let url = server().tcp_url(&scene.database.name).expect("the common server listens on TCP");
    let mut command = Command::new("node");
    command
        .arg(FOLDER.join("server.js"))
        .args(arguments)
        .env("DATABASE_URL", url.replace("//postgres@", &format!("//{}@", scene.app)))
        .env("LISTEN", "127.0.0.1:0")
        .kill_on_drop(true);
    command
}

/// The running server, killed when dropped.
struct Node {
    _child: Child,
    address: SocketAddr,
    log: NamedTempFile,
}

impl Node {
    async fn start(scene: &Scene, retry: &str) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut command = node(scene, &[]);
        command.env("LOGIN_RETRY", retry).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.reopen().unwrap());
        let mut child = command.spawn().expect("Node.js: run scripts/setup clients");
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).await.unwrap();
        let address = first.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("{first}\n{}", fs::read_to_string(log.path()).unwrap()));
        Self { _child: child, address, log }
    }

    /// How often an insert met a taken id.
    fn taken(&self) -> usize {
        fs::read_to_string(self.log.path()).unwrap().lines().filter(|line| line.contains("id was taken")).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_login_fails_while_the_sequence_is_set_back() {
    let mut scene = Scene::new(HASH).await;
    let mut adding = node(&scene, &["add-user", "ada"]).stdin(Stdio::piped()).spawn().unwrap();
    adding.stdin.take().unwrap().write_all(b"pass phrase\n").await.unwrap();
    assert!(adding.wait().await.unwrap().success());
    let retry = std::env::var("LOGIN_RETRY").unwrap_or_else(|_| "repair".to_owned());
    if retry == "setval" {
        scene.database.sql(&format!("GRANT UPDATE ON SEQUENCE {SEQUENCE} TO {}", scene.app)).await;
    }
    let node = Node::start(&scene, &retry).await;
    let agent = scene.agent();

    let seen = under_fire(&scene, node.address).await;
    println!("{} ids were found to be taken, with retries by {retry}", node.taken());
    assert_eq!((seen.failed, seen.most_live, seen.back), (vec![], 1, vec![]));
    assert!(node.taken() > 0);
    scene.assert_in_order(&agent).await;
    agent.stop();
    opens_and_ends_sessions(&mut scene, node.address).await;
}

/// What docs/login.md says about both retries. The sequence is not set back here: an import has inserted one id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_setval_retry_hands_an_ended_sessions_id_to_another_user() {
    for (retry, is_given_again) in [("setval", true), ("repair", false)] {
        let mut scene = Scene::new(HASH).await;
        scene.database.sql(&format!("GRANT UPDATE ON SEQUENCE {SEQUENCE} TO {}", scene.app)).await;
        let node = Node::start(&scene, retry).await;
        // The import is not committed, so the first login waits to learn whether its id is taken.
        let mut import = scene.database.connect().await;
        let mut import = import.begin().await.unwrap();
        let row = "INSERT INTO user_sessions VALUES ($1, 5, '', now(), now() + interval '1 day')";
        sqlx::query(row).bind(IDLE + 1).execute(&mut *import).await.unwrap();
        let address = node.address;
        let first = tokio::spawn(async move { log_in(address, "user1", "secret").await });
        let waits = "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                                                            AND wait_event_type = 'Lock' AND query LIKE 'INSERT%')";
        scene.database.wait_for_condition(waits).await;
        let (_, cookie) = log_in(address, "user2", "secret").await;
        let ended = scene.database.number("SELECT session_id FROM user_sessions WHERE user_id = 2").await;
        assert_eq!(ask(address, "POST", "/logout", &cookie, "").await.0, 204);
        import.commit().await.unwrap();
        assert_eq!(first.await.unwrap().0, 204);
        assert_eq!(node.taken(), 1);
        let given = scene.database.number("SELECT session_id FROM user_sessions WHERE user_id = 1").await;
        assert_eq!(given == ended, is_given_again, "{retry}: {given} after {ended}");
    }
}

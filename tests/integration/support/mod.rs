//! A server for all tests, a database for each, and the binary under test.

mod agent;
mod browser;
mod certificates;
mod database;
mod findings;
mod grafana;
mod outcome;
mod pooler;
mod prometheus;
mod proxy;
mod replica;
mod running;
mod spy;

pub use agent::{Agent, eventually, within};
pub use browser::{DESK, Look, Page, picture};
pub use certificates::{Authority, Certificate, install, tls_server};
pub use database::{Database, command, pgmedic};
pub use findings::{feed, sentence};
pub use grafana::{Dashboard, Query};
pub use outcome::Outcome;
pub use pooler::Pooler;
pub use prometheus::{LONG, Prometheus, tool};
pub use proxy::Proxy;
pub use replica::{replica_of, replica_with, shut_down, until_ended};
pub use running::{PATIENT, Running, until, until_it_waits_for, waiting};

use pgmedic_testserver::{ServerOptions, TestServer};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::LazyLock;

/// Starts with the first test and goes away with the process. No test may stop it or change its settings: one that
/// must starts a server of its own.
pub fn server() -> &'static TestServer {
    static SERVER: LazyLock<TestServer> = LazyLock::new(|| {
        let settings = [("max_connections", "200"), ("autovacuum", "off")];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        TestServer::start(&ServerOptions { tcp: true, settings, ..ServerOptions::default() })
            .expect("a PostgreSQL server")
    });
    &SERVER
}

/// User and group that a server runs as: not ours, when we are root.
pub fn owner(server: &TestServer) -> (u32, u32) {
    let folder = fs::metadata(server.data_dir()).expect("the server's folder");
    (folder.uid(), folder.gid())
}

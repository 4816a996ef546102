//! Helpers of all tests: a shared server, a database for each test, and the binary under test.
//!
//! | file | content |
//! |---|---|
//! | `database`, `outcome`, `findings` | a database for one test; runs of the binary; checks of its report |
//! | `running`, `agent` | the binary as a process beside the test, and waiting for an event |
//! | `passes` | passes within the test's own process |
//! | `proxy`, `pooler`, `replica`, `certificates` | a slow or cut network, PgBouncer, a streaming replica, TLS |
//! | `browser`, `prometheus`, `grafana` | the real tools that read an agent's pages |
//! | `receiver` | a receiver of webhooks |
//! | `spy` | functions that log the role that runs them |

mod agent;
mod browser;
mod certificates;
mod database;
mod findings;
mod grafana;
mod outcome;
mod passes;
mod pooler;
mod prometheus;
mod proxy;
mod receiver;
mod replica;
mod running;
mod spy;

pub use agent::{Agent, EVERY_SECOND, wait_for, wait_for_within};
pub use browser::{DESKTOP, Look, Page, picture};
pub use certificates::{Authority, Certificate, install, tls_server};
pub use database::{Database, command, pgmedic, shell};
pub use findings::{feed, sentence};
pub use grafana::{Dashboard, Query};
pub use outcome::Outcome;
pub use passes::Passes;
pub use pooler::Pooler;
pub use prometheus::{LONG_TIMEOUT, Prometheus, tool};
pub use proxy::Proxy;
pub use receiver::{Answer, Receiver};
pub use replica::{
    end_receiver, follow, pause_receiver, replica_of, replica_with, rewind, shut_down, wait_until_ended,
};
pub use running::{LONG_TIMEOUTS, Running, wait_until, wait_until_blocked_on, waiting};

use pgmedic_testserver::{ServerOptions, TestServer};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::LazyLock;

/// The shared server. It starts with the first test and ends with the process. No test may stop it or change its
/// settings: such a test starts a separate server.
pub fn server() -> &'static TestServer {
    static SERVER: LazyLock<TestServer> = LazyLock::new(|| {
        let settings = [("max_connections", "400"), ("autovacuum", "off"), ("max_prepared_transactions", "4")];
        let options = ServerOptions { tcp: true, ..ServerOptions::default() };
        start_server(options, &settings)
    });
    &SERVER
}

/// Starts another server, with these settings. It ends when it is dropped.
pub fn server_with(settings: &[(&str, &str)]) -> TestServer {
    start_server(ServerOptions::default(), settings)
}

fn start_server(options: ServerOptions, settings: &[(&str, &str)]) -> TestServer {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    TestServer::start(&ServerOptions { settings, ..options }).expect("a PostgreSQL server")
}

/// User and group of the server's process. If the tests run as root, it is another user.
pub fn owner(server: &TestServer) -> (u32, u32) {
    let folder = fs::metadata(server.data_dir()).expect("the server's folder");
    (folder.uid(), folder.gid())
}

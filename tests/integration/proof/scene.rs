//! The servers, proxies, pooler and agents of a run: a primary and its replica, and two agents behind a proxy each, the
//! second one also behind PgBouncer, as some clients are.

use super::disk::{Disk, private_mounts};
use super::history::{Fault, History};
use super::shared::{AgentProcess, Shared};
use super::tables::{AGENT_ROLE, owners, schema};
use crate::support::{Agent, Pooler, Proxy, owner, replica_with};
use nix::sys::signal::Signal;
use pgmedic_testserver::{ServerOptions, TestServer};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

pub const DATABASE: &str = "app";

/// The library's path on Debian: `/usr/lib/<machine>-linux-gnu/faketime`.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path().join("faketime/libfaketime.so.1"));
    folders.into_iter().find(|path| path.exists())
}

pub struct Scene {
    /// The disk of each server, dropped before the servers. The error is the reason why there are none.
    pub disks: Result<[Disk; 2], String>,
    /// The first one is the primary.
    pub servers: [TestServer; 2],
    /// One proxy for each agent. The clients have another one.
    pub proxies: [Proxy; 2],
    pub clients: Proxy,
    pub pooler: Pooler,
    pub agents: [Option<Agent>; 2],
    /// libfaketime, and the file that tells it by how much to move the agents' clock. `None` without libfaketime.
    pub clock: Option<(PathBuf, NamedTempFile)>,
    pub shared: Arc<Shared>,
    numbers: usize,
    /// The logs of agents that have ended.
    pub logs: String,
}

fn options() -> ServerOptions {
    let settings = [
        ("max_connections", "60"),
        ("max_wal_size", "64MB"),
        ("min_wal_size", "32MB"),
        ("wal_keep_size", "64MB"),
        // For pg_rewind.
        ("wal_log_hints", "on"),
        ("full_page_writes", "on"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    ServerOptions { tcp: true, settings, ..ServerOptions::default() }
}

impl Scene {
    /// Starts everything. The same thread must start and stop the servers later, because only it sees the disks.
    pub async fn start(history: History) -> Self {
        let mounts = private_mounts();
        let mut primary = TestServer::start(&options()).expect("a PostgreSQL server");
        let mut standby = replica_with(&mut primary, &options());
        let disks = mounts.and_then(|()| Ok([Disk::under(&mut primary)?, Disk::under(&mut standby)?]));
        run(&primary.url("postgres"), &format!("CREATE DATABASE {DATABASE}")).await;
        run(&primary.url(DATABASE), &(schema() + &owners())).await;
        let url = primary.tcp_url(DATABASE).expect("it listens");
        let proxy = || Proxy::to(&url);
        let (proxies, clients) = ([proxy(), proxy()], proxy());
        // PgBouncer connects through the second agent's proxy.
        let port = url::Url::parse(proxies[1].url()).expect("a URL").port().expect("a port");
        let pooler = Pooler::before(
            &format!("host=127.0.0.1 port={port}"),
            owner(&primary),
            &["postgres", AGENT_ROLE],
            "pool_mode = transaction\nserver_login_retry = 1\nmax_client_conn = 100\ndefault_pool_size = 5\n",
        );
        let clock = faketime().map(|library| (library, NamedTempFile::new().expect("a file")));
        let shared = Arc::new(Shared::new(history, primary.url(DATABASE)));
        let mut scene = Self {
            disks,
            servers: [primary, standby],
            proxies,
            clients,
            pooler,
            agents: [None, None],
            clock,
            shared,
            numbers: 0,
            logs: String::new(),
        };
        scene.move_clock("+0");
        scene.start_agent(0);
        scene.start_agent(1);
        scene
    }

    /// The faults that cannot be injected on this machine, and why.
    pub fn not_made(&self) -> Vec<(Fault, String)> {
        let disk = self.disks.as_ref().err().map(|why| (Fault::DiskFull, why.clone()));
        let clock = self.clock.is_none().then(|| (Fault::ClockMoved, "no libfaketime".to_owned()));
        disk.into_iter().chain(clock).collect()
    }

    /// Moves the agents' clock, in libfaketime's notation: `+3600`.
    pub fn move_clock(&self, by: &str) {
        if let Some((_, file)) = &self.clock {
            fs::write(file.path(), by).expect("its file");
        }
    }

    pub fn start_agent(&mut self, slot: usize) {
        let url = match slot {
            0 => self.proxies[0].url().replace("postgres@", &format!("{AGENT_ROLE}@")),
            _ => self.pooler.url(DATABASE).replace("user=postgres", &format!("user={AGENT_ROLE}")),
        };
        let text = format!(
            "[[databases]]\nname = \"{DATABASE}\"\nurl = \"{url}\"\n[sequences]\nschedule = \"* * * * * *\"\n\
             [[sessions]]\nname = \"logins\"\ntable = \"public.user_sessions\"\nexpires_at = \"expires_at\"\n\
             encoding = \"timestamptz\"\nschedule = \"* * * * * *\"\n[http]\nlisten = \"127.0.0.1:0\"\n"
        );
        let config = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
        fs::write(config.path(), text).expect("a configuration");
        let agent = match &self.clock {
            None => Agent::run(config, &[]),
            Some((library, file)) => {
                let text = |path: &Path| path.to_str().expect("a UTF-8 path").to_owned();
                let (library, file) = (text(library), text(file.path()));
                let variables = [
                    ("LD_PRELOAD", library.as_str()),
                    ("FAKETIME_TIMESTAMP_FILE", file.as_str()),
                    ("FAKETIME_NO_CACHE", "1"),
                    ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
                    ("DONT_FAKE_MONOTONIC", "1"),
                ];
                Agent::run_with(config, &[], &variables)
            }
        };
        self.numbers += 1;
        self.shared.set_agent(slot, Some(AgentProcess { number: self.numbers, address: agent.address() }));
        self.agents[slot] = Some(agent);
    }

    /// Kills an agent with SIGKILL.
    pub fn kill_agent(&mut self, slot: usize) {
        if let Some(agent) = self.agents[slot].take() {
            self.shared.set_agent(slot, None);
            agent.signal(Signal::SIGKILL);
            self.logs += &agent.ended().1;
        }
    }

    pub fn agent(&self, slot: usize) -> &Agent {
        self.agents[slot].as_ref().expect("it was started")
    }

    /// Routes all proxies to the first server.
    pub fn route_to_primary(&self) {
        let primary = &self.servers[0];
        let url = primary.tcp_url(DATABASE).expect("it listens");
        for proxy in self.proxies.iter().chain([&self.clients]) {
            proxy.lead_to(&url);
        }
        self.shared.lead_to(primary.url(DATABASE));
    }

    /// Connects to the primary, without a proxy or a pooler.
    pub async fn direct(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect(&self.shared.direct()).await
    }

    /// Stops both agents by SIGTERM, and returns the logs of all agents.
    pub fn end(&mut self) -> String {
        for agent in &mut self.agents {
            if let Some(agent) = agent.take() {
                self.logs += &agent.stop();
            }
        }
        std::mem::take(&mut self.logs)
    }
}

pub async fn run(url: &str, statements: &str) {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    if let Err(error) = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await {
        panic!("{error}\nin: {statements}");
    }
}

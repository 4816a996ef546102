//! Everything that takes part, and how it is started: two servers, two agents on roads of their own, one of them through
//! PgBouncer as the clients are.

use super::disk::{Disk, own_mounts};
use super::history::{Fault, History};
use super::place::{Known, Place};
use super::tables::{KEEPER, owners, schema};
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

/// Where Debian puts it: `/usr/lib/<machine>-linux-gnu/faketime`.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path().join("faketime/libfaketime.so.1"));
    folders.into_iter().find(|path| path.exists())
}

pub struct Scene {
    /// Of each server; gone before the servers are. None where there can be none, and why.
    pub disks: Result<[Disk; 2], String>,
    /// The primary first.
    pub servers: [TestServer; 2],
    /// Each agent's, and the clients'.
    pub roads: [Proxy; 2],
    pub clients: Proxy,
    pub pooler: Pooler,
    pub agents: [Option<Agent>; 2],
    /// By how much the agents' clock is off, where it can be moved.
    pub clock: Option<(PathBuf, NamedTempFile)>,
    pub place: Arc<Place>,
    numbers: usize,
    /// What agents that are gone have logged.
    pub logs: String,
}

fn options() -> ServerOptions {
    let settings =
        [("max_connections", "60"), ("max_wal_size", "64MB"), ("min_wal_size", "32MB"), ("wal_keep_size", "64MB")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    ServerOptions { tcp: true, settings, ..ServerOptions::default() }
}

impl Scene {
    /// The thread that does this must be the one that starts and stops servers ever after: the disks are its own.
    pub async fn set(history: History) -> Self {
        let mounts = own_mounts();
        let mut primary = TestServer::start(&options()).expect("a PostgreSQL server");
        let mut standby = replica_with(&mut primary, &options());
        let disks = mounts.and_then(|()| Ok([Disk::under(&mut primary)?, Disk::under(&mut standby)?]));
        run(&primary.url("postgres"), &format!("CREATE DATABASE {DATABASE}")).await;
        run(&primary.url(DATABASE), &(schema() + &owners())).await;
        let url = primary.tcp_url(DATABASE).expect("it listens");
        let road = || Proxy::to(&url);
        let (roads, clients) = ([road(), road()], road());
        // The second agent and some clients go through it.
        let port = url::Url::parse(roads[1].url()).expect("a URL").port().expect("a port");
        let pooler = Pooler::before(
            &format!("host=127.0.0.1 port={port}"),
            owner(&primary),
            &["postgres", KEEPER],
            "pool_mode = transaction\nserver_login_retry = 1\nmax_client_conn = 100\ndefault_pool_size = 5\n",
        );
        let clock = faketime().map(|library| (library, NamedTempFile::new().expect("a file")));
        let place = Arc::new(Place::new(history, primary.url(DATABASE)));
        let mut scene = Self {
            disks,
            servers: [primary, standby],
            roads,
            clients,
            pooler,
            agents: [None, None],
            clock,
            place,
            numbers: 0,
            logs: String::new(),
        };
        scene.move_clock("+0");
        scene.start_agent(0);
        scene.start_agent(1);
        scene
    }

    /// What cannot be made here, and why.
    pub fn not_made(&self) -> Vec<(Fault, String)> {
        let disk = self.disks.as_ref().err().map(|why| (Fault::DiskFull, why.clone()));
        let clock = self.clock.is_none().then(|| (Fault::ClockMoved, "no libfaketime".to_owned()));
        disk.into_iter().chain(clock).collect()
    }

    /// As libfaketime reads it: `+3600`.
    pub fn move_clock(&self, by: &str) {
        if let Some((_, file)) = &self.clock {
            fs::write(file.path(), by).expect("its file");
        }
    }

    pub fn start_agent(&mut self, seat: usize) {
        let url = match seat {
            0 => self.roads[0].url().replace("postgres@", &format!("{KEEPER}@")),
            _ => self.pooler.url(DATABASE).replace("user=postgres", &format!("user={KEEPER}")),
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
        self.place.take_seat(seat, Some(Known { number: self.numbers, address: agent.address() }));
        self.agents[seat] = Some(agent);
    }

    /// SIGKILL.
    pub fn kill_agent(&mut self, seat: usize) {
        if let Some(agent) = self.agents[seat].take() {
            self.place.take_seat(seat, None);
            agent.signal(Signal::SIGKILL);
            self.logs += &agent.ended().1;
        }
    }

    pub fn agent(&self, seat: usize) -> &Agent {
        self.agents[seat].as_ref().expect("it was started")
    }

    /// Everybody goes to the first server.
    pub fn lead_to_primary(&self) {
        let primary = &self.servers[0];
        let url = primary.tcp_url(DATABASE).expect("it listens");
        for road in self.roads.iter().chain([&self.clients]) {
            road.lead_to(&url);
        }
        self.place.lead_to(primary.url(DATABASE));
    }

    /// A connection to the primary, through nothing.
    pub async fn direct(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect(&self.place.direct()).await
    }

    /// Ends both agents as an operator would, and returns everything that any agent logged.
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

//! Two servers that Patroni manages, with etcd, on loopback.

use super::home::{Home, free_ports, wait_for_port};
use crate::support::server;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Row};
use std::fs;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// A leader that is gone is replaced after its time to live in etcd, 8 s, and a few seconds more.
const ELECTED_WITHIN: Duration = Duration::from_secs(120);
const NAMES: [&str; 2] = ["one", "two"];

/// One server, and the Patroni that manages it.
pub struct Node {
    pub name: &'static str,
    pub port: u16,
    /// The port of Patroni's REST interface, which proxies ask for the node's role.
    pub rest_port: u16,
    patroni: Pid,
}

pub struct Cluster {
    pub home: Home,
    pub nodes: [Node; 2],
}

impl Cluster {
    /// Starts etcd and both nodes. Returns when the second one streams from the first.
    pub async fn start() -> Self {
        let mut home = Home::new();
        let [client, peer] = free_ports();
        let (data, peers) = (home.folder("etcd"), format!("http://127.0.0.1:{peer}"));
        let clients = format!("http://127.0.0.1:{client}");
        let mut etcd = home.command("etcd");
        etcd.arg("--data-dir").arg(data).args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
        etcd.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
        home.start("etcd.log", etcd.args(["--initial-cluster", &format!("default={peers}")]));
        wait_for_port("etcd", client);
        home.write("on_role_change", "");
        let [one, two] = NAMES.map(|name| {
            let [port, rest_port] = free_ports();
            home.folder(name);
            let config = home.write(&format!("{name}.yml"), &config(&home, name, [client, port, rest_port]));
            let mut command = home.command("patroni");
            let patroni = home.start(&format!("{name}.log"), command.arg(config));
            Node { name, port, rest_port, patroni }
        });
        let cluster = Self { home, nodes: [one, two] };
        let leader = cluster.leader().await;
        cluster.wait_until_streaming(leader).await;
        cluster
    }

    /// The URL of a database on one node.
    pub fn url(&self, node: usize, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.nodes[node].port)
    }

    /// Waits until one node accepts writes, and returns its index.
    pub async fn leader(&self) -> usize {
        let deadline = Instant::now() + ELECTED_WITHIN;
        loop {
            for node in 0..self.nodes.len() {
                if is_primary(&self.url(node, "postgres")).await {
                    return node;
                }
            }
            assert!(Instant::now() < deadline, "no leader:\n{}\n{}", self.log(0), self.log(1));
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until this node is promoted.
    pub async fn promoted(&self, node: usize) {
        let deadline = Instant::now() + ELECTED_WITHIN;
        while !is_primary(&self.url(node, "postgres")).await {
            assert!(Instant::now() < deadline, "not promoted:\n{}", self.log(node));
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the other node has done everything that this one has.
    pub async fn wait_until_streaming(&self, from: usize) {
        let streaming =
            "SELECT count(*) FILTER (WHERE replay_lsn >= pg_current_wal_lsn()) > 0 FROM pg_stat_replication";
        let deadline = Instant::now() + ELECTED_WITHIN;
        while ask(&self.url(from, "postgres"), streaming).await != Some(true) {
            assert!(Instant::now() < deadline, "it does not stream:\n{}", self.log(1 - from));
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Makes Patroni switch over from one node to the other.
    pub fn switch_over(&self, from: usize) {
        let mut command = self.home.command("patronictl");
        command.arg("-c").arg(self.home.path().join("one.yml")).args(["switchover", "app", "--force"]);
        let [old, new] = [&self.nodes[from], &self.nodes[1 - from]];
        let output = command.args(["--leader", old.name, "--candidate", new.name]).output().expect("patronictl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Kills a node: its Patroni and its server.
    pub fn kill(&self, node: usize) {
        self.home.kill(self.nodes[node].patroni);
        kill(self.postmaster(node), Signal::SIGKILL).expect("its server");
    }

    /// Starts Patroni again on a node that was killed.
    pub fn revive(&mut self, node: usize) {
        let name = self.nodes[node].name;
        let mut command = self.home.command("patroni");
        let config = self.home.path().join(format!("{name}.yml"));
        self.nodes[node].patroni = self.home.start(&format!("{name}-again.log"), command.arg(config));
    }

    fn postmaster(&self, node: usize) -> Pid {
        let file = self.home.path().join(self.nodes[node].name).join("data/postmaster.pid");
        let text = fs::read_to_string(file).expect("a running server");
        Pid::from_raw(text.lines().next().and_then(|line| line.parse().ok()).expect("a process id"))
    }

    /// What each Patroni and its server have written, with the node's name.
    pub fn logs(&self) -> Vec<(String, String)> {
        let files = fs::read_dir(self.home.path()).expect("its folder").flatten().map(|file| file.file_name());
        let names = files.filter_map(|name| Some(name.to_str()?.strip_suffix(".log")?.to_owned()));
        let of_nodes = names.filter(|name| NAMES.iter().any(|node| name.starts_with(node)));
        of_nodes.map(|name| (name.clone(), self.home.log(&format!("{name}.log")))).collect()
    }

    /// What the first Patroni and the server of a node have written.
    pub fn log(&self, node: usize) -> String {
        self.home.log(&format!("{}.log", self.nodes[node].name))
    }
}

/// Whether the server at this URL answers and accepts writes.
pub async fn is_primary(url: &str) -> bool {
    ask(url, "SELECT NOT pg_is_in_recovery()").await == Some(true)
}

async fn ask(url: &str, question: &str) -> Option<bool> {
    let answer = async {
        // PgBouncer refuses a parameter that the driver sends otherwise.
        let options: PgConnectOptions = url.parse().expect("a URL");
        let mut connection = options.extra_float_digits(None).connect().await.ok()?;
        let row = sqlx::raw_sql(sqlx::AssertSqlSafe(question.to_owned())).fetch_one(&mut connection).await.ok()?;
        let _ = connection.close().await;
        row.try_get(0).ok()
    };
    timeout(Duration::from_secs(2), answer).await.ok().flatten()
}

/// Patroni's configuration, with the shortest times that it accepts, and trust on loopback.
fn config(home: &Home, name: &str, [etcd, port, rest_port]: [u16; 3]) -> String {
    let (folder, programs) = (home.path().display(), server().bin_dir().display());
    format!(
        "scope: app
name: {name}
restapi: {{listen: '127.0.0.1:{rest_port}', connect_address: '127.0.0.1:{rest_port}'}}
etcd3: {{hosts: '127.0.0.1:{etcd}'}}
bootstrap:
  dcs:
    ttl: 8
    loop_wait: 1
    retry_timeout: 3
    postgresql: {{use_pg_rewind: true, parameters: {{wal_log_hints: 'on'}}}}
  initdb: [{{encoding: UTF8}}, {{locale: C}}, no-sync]
postgresql:
  listen: '127.0.0.1:{port}'
  connect_address: '127.0.0.1:{port}'
  data_dir: {folder}/{name}/data
  bin_dir: {programs}
  pgpass: {folder}/{name}/pgpass
  authentication:
    superuser: {{username: postgres, password: postgres}}
    replication: {{username: replicator, password: replicator}}
  parameters: {{unix_socket_directories: '{folder}/{name}', fsync: 'off', max_connections: 60, log_line_prefix: '%m %a '}}
  pg_hba: ['local all all trust', 'host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust']
  callbacks: {{on_role_change: /bin/sh {folder}/on_role_change {port}}}
"
    )
}

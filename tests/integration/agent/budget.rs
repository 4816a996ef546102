//! The agent opens few connections to a server, however many databases it monitors there, and also while connections fail.

use super::{EVERY_SECOND, leader, skipped, up};
use crate::support::{Agent, Database, Pooler, wait_for};
use pgmedic_testserver::{ServerOptions, TestServer};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Row};
use std::fmt::Write;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinHandle;

const ORDERS: &str = "CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 20)";
const REPAIRED: &str = "SELECT last_value = 20 FROM orders_id_seq";

/// Looks at the server's list of sessions again and again, and remembers the most that pgmedic had at once.
struct Watcher {
    task: JoinHandle<i64>,
    over: Arc<AtomicBool>,
}

impl Watcher {
    async fn start(server: &TestServer) -> Self {
        let mut connection: PgConnection =
            server.url("postgres").parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let task = tokio::spawn(async move {
            let mut most = 0;
            while !stop.load(Ordering::Relaxed) {
                let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgmedic'";
                let row = sqlx::raw_sql(sql).fetch_one(&mut connection).await.unwrap();
                most = most.max(row.get::<i64, _>(0));
            }
            most
        });
        Self { task, over }
    }

    async fn most(self) -> i64 {
        self.over.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

/// Databases of one server, all behind, and an agent over all of them.
async fn many(server: &TestServer, count: usize, settings: &str) -> (Vec<Database>, Agent) {
    let (mut databases, mut config) = (Vec::new(), String::new());
    for _ in 0..count {
        let mut database = Database::on(server).await;
        database.sql(ORDERS).await;
        // Each second one by the other way to the same server.
        let url =
            if databases.len() % 2 == 0 { database.url().to_owned() } else { server.tcp_url(&database.name).unwrap() };
        write!(config, "[[databases]]\nname = \"{}\"\nurl = \"{url}\"\n{settings}\n", database.name).unwrap();
        databases.push(database);
    }
    write!(config, "{EVERY_SECOND}[http]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(config.as_bytes()).unwrap();
    (databases, Agent::run(file, &[]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_databases_are_monitored_with_four_connections_also_while_these_are_ended() {
    let server = TestServer::start(&ServerOptions { tcp: true, ..ServerOptions::default() }).unwrap();
    let watcher = Watcher::start(&server).await;
    let (mut databases, agent) = many(&server, 20, "").await;
    for database in &mut databases {
        database.wait_until(REPAIRED).await;
    }
    for round in 0..3 {
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pgmedic'";
        databases[0].sql(end).await;
        for database in &mut databases {
            database.sql("SELECT setval('orders_id_seq', 1, false)").await;
        }
        for database in &mut databases {
            database.wait_until(REPAIRED).await;
        }
        agent.passes_again(&databases[round].name, 1.0);
    }
    let metrics = agent.get("/metrics").1;
    let max: Vec<&str> = metrics.lines().filter(|line| line.starts_with("pgmedic_server_connections_max{")).collect();
    assert_eq!(max.len(), 1, "one server by two addresses:\n{metrics}");
    assert!(max[0].ends_with(" 4"), "{max:?}");
    let page = agent.get("/").1;
    assert!(page.contains("of at most 4 connections"), "{page}");
    let log = agent.stop();
    let most = watcher.most().await;
    assert!((1..=4).contains(&most), "{most} connections at once\n{log}");
    assert!(log.contains("max_connections leaves no connection for it"), "{log}");
}

#[tokio::test]
async fn a_single_database_has_one_idle_connection_between_passes_for_the_lease_and_notify() {
    let server = TestServer::start(&ServerOptions { tcp: true, ..ServerOptions::default() }).unwrap();
    let (mut databases, agent) = many(&server, 1, "max_connections = 2").await;
    let database = &mut databases[0];
    database.wait_until(REPAIRED).await;
    agent.logs("listening for NOTIFY pgmedic");
    let standing = "SELECT count(*) = 1 AND bool_and(state = 'idle') AND bool_and(EXISTS (
            SELECT FROM pg_locks WHERE pg_locks.pid = a.pid AND locktype = 'advisory' AND granted))
        FROM pg_stat_activity a WHERE application_name = 'pgmedic'";
    database.wait_until(standing).await;
    let never =
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgmedic' AND state LIKE 'idle in%'";
    database.wait_until(never).await;
    agent.stop();
    database.wait_until("SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'").await;
}

#[tokio::test]
async fn a_role_that_may_open_two_connections_sees_its_sequences_repaired_and_its_sessions_swept() {
    let mut database = Database::new().await;
    database.sql(ORDERS).await;
    let role = format!("{}_few", database.name);
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN CONNECTION LIMIT 2;
             CREATE TABLE sessions (id text PRIMARY KEY, expires_at timestamptz NOT NULL);
             CREATE INDEX ON sessions (expires_at);
             INSERT INTO sessions SELECT n::text, now() + interval '1 hour' FROM generate_series(1, 1000) n;
             GRANT SELECT, UPDATE, DELETE ON sessions TO {role};
             GRANT SELECT ON orders TO {role}; GRANT SELECT, USAGE ON orders_id_seq TO {role}"
        ))
        .await;
    let store = "[[sessions]]\nname = \"web\"\ntable = \"public.sessions\"\nexpires_at = \"expires_at\"\n\
                 encoding = \"timestamptz\"\nschedule = \"* * * * * *\"\n";
    let agent = Agent::start_at(&database.url_as(&role), &database, &format!("{EVERY_SECOND}{store}"));
    database.wait_until(REPAIRED).await;
    agent.logs("listening for NOTIFY pgmedic");
    agent.passes_again(&database.name, 4.0);
    database.sql("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id::int <= 10").await;
    database.wait_until("SELECT count(*) = 990 FROM sessions").await;
    let log = agent.stop();
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
    database.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

/// The session's lock is not possible there, and a transaction that stays open would take the pool.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_a_pool_of_one_the_application_is_answered_and_passes_are_made() {
    let mut database = Database::new().await;
    database.sql(ORDERS).await;
    let pooler =
        Pooler::start_with(crate::support::server(), "transaction", "default_pool_size = 1\nquery_wait_timeout = 5");
    let agent = Agent::start_at(&pooler.url(&database.name), &database, EVERY_SECOND);
    database.wait_until(REPAIRED).await;
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    let options = pooler.url(&database.name).parse::<PgConnectOptions>().unwrap().extra_float_digits(None);
    let mut application: PgConnection = options.connect().await.unwrap();
    // Each would fail after five seconds in the queue.
    for _ in 0..30 {
        sqlx::raw_sql("SELECT 1").execute(&mut application).await.unwrap();
    }
    agent.passes_again(&database.name, 2.0);
    let log = agent.stop();
    assert!(!log.contains("ERROR"), "{log}");
}

/// Each of their servers might be the one that is known, and have no connection left for it.
#[tokio::test]
async fn servers_that_accept_and_never_answer_keep_no_other_server_from_its_passes() {
    let mut database = Database::new().await;
    database.sql(ORDERS).await;
    let listeners: Vec<std::net::TcpListener> =
        (0..3).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let mut settings = EVERY_SECOND.to_owned();
    for (number, listener) in listeners.iter().enumerate() {
        let address = listener.local_addr().unwrap();
        let url = format!("postgres://postgres@{address}/none?connect_timeout=600");
        write!(settings, "[[databases]]\nname = \"silent{number}\"\nurl = \"{url}\"\n").unwrap();
    }
    let agent = Agent::start_at(database.url(), &database, &settings);
    database.wait_until(REPAIRED).await;
    agent.passes_again(&database.name, 2.0);
    database.sql("SELECT setval('orders_id_seq', 1, false)").await;
    database.wait_until(REPAIRED).await;
    drop(listeners);
    agent.stop();
}

#[tokio::test]
async fn a_standby_takes_over_with_the_same_few_connections() {
    let server = TestServer::start(&ServerOptions { tcp: true, ..ServerOptions::default() }).unwrap();
    let (mut databases, first) = many(&server, 3, "").await;
    let lead = leader(&databases[2]);
    first.wait_until(&lead, |leads| leads == 1.0);
    let second = Agent::run(first.same_config(), &[]);
    let standby = skipped(&databases[2], "standby");
    second.wait_until(&standby, |ticks| ticks >= 1.0);
    second.logs("leads (application \"pgmedic\", process ");
    first.stop();
    second.wait_until(&lead, |leads| leads == 1.0);
    for database in &mut databases {
        database.sql("SELECT setval('orders_id_seq', 1, false)").await;
        database.wait_until(REPAIRED).await;
        wait_for("all are up", || (second.metric(&up(database)) == Some(1.0)).then_some(()));
    }
    second.stop();
}

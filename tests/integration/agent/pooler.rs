//! Through PgBouncer: in transaction mode right results and nothing left behind, beside others who share its server
//! connections; where it cannot be, it says why.

use super::{EVERY_SECOND, leader, orders};
use crate::support::{Agent, Database, Pooler, pgmedic, server};
use nix::sys::signal::Signal;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Row};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::task::JoinHandle;

/// Server connections that all clients share: two for the agents' leases and attempts, two for the rest.
const SMALL_POOL: &str = "default_pool_size = 4";

/// Every table is read in every pass.
const EACH_TIME: &str = "[sequences]\nschedule = \"* * * * * *\"\nfull_pass_every = 1\n";

const TABLES: i64 = 8;

/// The settings that the agent changes in its transactions, as another client sees them.
const SETTINGS: &str = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings
    WHERE name IN ('search_path', 'row_security', 'quote_all_identifiers', 'jit', 'lock_timeout', 'statement_timeout',
                   'idle_in_transaction_session_timeout', 'tcp_user_timeout', 'tcp_keepalives_idle',
                   'transaction_read_only', 'default_transaction_read_only')";

const HELD: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Other clients of the pooler, each in session after session, statement after statement.
struct Others {
    tasks: Vec<JoinHandle<()>>,
    over: Arc<AtomicBool>,
    statements: Arc<AtomicUsize>,
}

impl Others {
    async fn start(pooler: &Pooler, database: &mut Database) -> Self {
        let untouched: String = database.row(SETTINGS).await.get(0);
        // sqlx sends a parameter that PgBouncer refuses.
        let options = pooler.url(&database.name).parse::<PgConnectOptions>().unwrap().extra_float_digits(None);
        let (over, statements) = <(Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
        let one = || churn(options.clone(), untouched.clone(), Arc::clone(&over), Arc::clone(&statements));
        let tasks = (0..6).map(|_| tokio::spawn(one())).collect();
        Self { tasks, over, statements }
    }

    /// They have seen nothing that the agent left behind, and have been busy.
    async fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        let statements = self.statements.load(Ordering::Relaxed);
        assert!(statements > 100, "the others ran only {statements} statements");
    }
}

async fn churn(options: PgConnectOptions, untouched: String, over: Arc<AtomicBool>, statements: Arc<AtomicUsize>) {
    let own_locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
    while !over.load(Ordering::Relaxed) {
        let mut session: PgConnection = options.connect().await.unwrap();
        for _ in 0..5 {
            let settings = sqlx::raw_sql(SETTINGS).fetch_one(&mut session).await.unwrap();
            assert_eq!(settings.get::<String, _>(0), untouched);
            let locks = sqlx::raw_sql(own_locks).fetch_one(&mut session).await.unwrap();
            assert_eq!(locks.get::<i64, _>(0), 0, "another client's connection holds the lock");
            statements.fetch_add(2, Ordering::Relaxed);
        }
        sqlx::Connection::close(session).await.unwrap();
    }
}

/// No two tables alike: number n has the max id 101 n, and its sequence would hand out 10 n next.
async fn tables() -> Database {
    let mut database = Database::new().await;
    for n in 1..=TABLES {
        database
            .sql(&format!(
                "CREATE TABLE t{n} (id serial PRIMARY KEY); INSERT INTO t{n} VALUES (1), ({});
                 SELECT setval('t{n}_id_seq', {}, false)",
                101 * n,
                10 * n
            ))
            .await;
    }
    database
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_others_every_report_is_true_and_every_repair_right() {
    let mut database = tables().await;
    let pooler = Pooler::start_with(server(), "transaction", SMALL_POOL);
    let others = Others::start(&pooler, &mut database).await;
    let agent = Agent::start_at(&pooler.url(&database.name), &database, &format!("{EACH_TIME}repair = false\n"));
    for _ in 0..10 {
        agent.passes_again(&database.name, 1.0);
        let report = agent.report();
        let sequences = report["sequences"].as_array().unwrap_or_else(|| panic!("{report:#}\n{}", agent.log()));
        assert_eq!(sequences.len(), usize::try_from(TABLES).unwrap());
        for n in 1..=TABLES {
            let name = format!("public.t{n}_id_seq");
            let found = sequences.iter().find(|sequence| sequence["name"] == name.as_str()).unwrap();
            let numbers = ["next_value", "max_id", "lag"].map(|field| found[field].as_i64().unwrap());
            assert_eq!(numbers, [10 * n, 101 * n, 91 * n + 1], "{found:#}");
        }
    }
    agent.edit(|text| text.replace("repair = false", "repair = true"));
    agent.signal(Signal::SIGHUP);
    for n in 1..=TABLES {
        database.wait_until(&format!("SELECT last_value = {} FROM t{n}_id_seq", 101 * n)).await;
    }
    agent.passes_again(&database.name, 3.0);
    for n in 1..=TABLES {
        let next = database.nextval(&format!("t{n}_id_seq")).await;
        assert_eq!(next, 101 * n + 1);
    }
    assert_eq!(agent.advances(&database.name), Some(TABLES as f64), "one repair each");
    others.end().await;
    agent.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_leads_and_its_lock_goes_with_it() {
    let mut database = orders().await;
    let pooler = Pooler::start_with(server(), "transaction", SMALL_POOL);
    let others = Others::start(&pooler, &mut database).await;
    let start = |database: &Database| Agent::start_at(&pooler.url(&database.name), database, EVERY_SECOND);
    let agents = [start(&database), start(&database)];
    let leader = leader(&database);
    let leads = |agent: &Agent| agent.metric(&leader) == Some(1.0);
    let tick = |agent: &Agent| ["leads on", "is standby on"].iter().any(|role| agent.log().contains(role));
    crate::support::wait_for("both have ticked", || agents.iter().all(tick).then_some(()));
    let first = agents.iter().position(leads).expect("a leader");
    let [mut standby, mut leading] = agents;
    if first == 0 {
        std::mem::swap(&mut standby, &mut leading);
    }
    let skipped = super::skipped(&database, "standby");
    for _ in 0..5 {
        let ticks = standby.metric(&skipped).unwrap();
        standby.wait_until(&skipped, |skipped| skipped > ticks);
        assert_eq!((leads(&leading), leads(&standby)), (true, false));
        // Except for the moment in which it is renewed.
        database.wait_until(&format!("SELECT ({HELD}) = 1")).await;
    }
    // Stopped, it hands over; killed, it leaves no lock on the server connection that it used.
    leading.stop();
    standby.wait_until(&leader, |leads| leads == 1.0);
    database.wait_until(&format!("SELECT ({HELD}) = 1")).await;
    standby.signal(Signal::SIGKILL);
    database.wait_until(&format!("SELECT ({HELD}) = 0")).await;

    let last = start(&database);
    last.wait_until(&leader, |leads| leads == 1.0);
    last.stop();
    database.wait_until(&format!("SELECT ({HELD}) = 0")).await;
    others.end().await;
}

/// Both `--once` and the agent say all of this.
#[track_caller]
fn refused(url: &str, database: &Database, words: &[&str]) {
    let outcome = pgmedic(&[("DATABASE_URL", url)], &["--once", "--format", "json"]).exits(1);
    let error = outcome.error();
    assert!(words.iter().all(|word| error.contains(word)), "{error}");
    let agent = Agent::start_at(url, database, EVERY_SECOND);
    agent.logs("cannot be monitored");
    let log = agent.stop();
    assert!(words.iter().all(|word| log.contains(word)), "{log}");
}

#[tokio::test]
async fn a_pooler_in_statement_mode_is_named_with_the_fix() {
    let database = orders().await;
    let pooler = Pooler::start(server(), "statement");
    let words = ["a pooler in statement mode is in between", "set pool_mode = transaction (or session)"];
    refused(&pooler.url(&database.name), &database, &words);
}

#[tokio::test]
async fn a_pooler_that_takes_no_options_is_named_with_the_fix() {
    let database = orders().await;
    let pooler = Pooler::start(server(), "transaction");
    let url = format!("{}&options=-c%20geqo%3Doff", pooler.url(&database.name));
    let fix = "take it out of the URL or out of PGOPTIONS, or add it to the pooler's ignore_startup_parameters";
    refused(&url, &database, &["refused by a pooler", "unsupported startup parameter: options", fix]);
}

#[tokio::test]
async fn a_user_whom_the_pooler_does_not_know_is_named() {
    let database = orders().await;
    let pooler = Pooler::start(server(), "transaction");
    let url = pooler.url(&database.name).replace("user=postgres", "user=stranger");
    refused(&url, &database, &["refused by a pooler for user \"stranger\"", "see its configuration"]);
}

#[tokio::test]
async fn a_pool_without_a_free_connection_is_said() {
    let database = orders().await;
    let settings = "default_pool_size = 1\nquery_wait_timeout = 1";
    let pooler = Pooler::start_with(server(), "transaction", settings);
    let options = pooler.url(&database.name).parse::<PgConnectOptions>().unwrap().extra_float_digits(None);
    let mut holder = options.connect().await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT 1").execute(&mut holder).await.unwrap();
    refused(&pooler.url(&database.name), &database, &["query_wait_timeout; a pooler in between says so"]);
}

#[tokio::test]
async fn a_pooler_that_pauses_is_not_delayed_by_the_lease() {
    let mut database = orders().await;
    let pooler = Pooler::start_with(server(), "transaction", "admin_users = postgres");
    let agent = Agent::start_at(&pooler.url(&database.name), &database, EVERY_SECOND);
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    let options = pooler.url("pgbouncer").parse::<PgConnectOptions>().unwrap().extra_float_digits(None);
    let mut console = options.connect().await.unwrap();
    // PAUSE returns when no transaction is left.
    sqlx::raw_sql("PAUSE").execute(&mut console).await.unwrap();
    assert_eq!(database.number(HELD).await, 0);
    sqlx::raw_sql("RESUME").execute(&mut console).await.unwrap();
    agent.wait_until(&leader(&database), |leads| leads == 1.0);
    agent.passes_again(&database.name, 1.0);
    agent.stop();
}

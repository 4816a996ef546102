//! A failover between two servers, which the agent follows by itself: both are in its connection string, or a proxy leads to
//! another one. `failover::` has the same with the programs that elect a leader.

use super::replica::catches_up;
use super::{EVERY_SECOND, leader, series};
use crate::support::{
    Agent, Database, LONG_TIMEOUTS, Pooler, Proxy, end_receiver, follow, pause_receiver, replica_with, shut_down,
    wait_for, wait_until_blocked_on, wait_until_ended,
};
use nix::sys::signal::Signal;
use pgmedic_testserver::{ServerOptions, TestServer};
use serde_json::Value;
use url::Url;

/// Ids further away than the 32 values that a server writes ahead of a sequence.
const ORDERS: &str = "CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 200);
                      SELECT setval('orders_id_seq', 200)";
const REWIND: &str = "SELECT setval('orders_id_seq', 1, false)";
const REPAIRED: &str = "SELECT last_value = 200 FROM orders_id_seq";
const STREAMS: &str = "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'";
/// The lock of the agent that leads. Its first key is "pgmd".
const HAS_THE_LEASE: &str =
    "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 1885826404 AND granted";

/// A primary and its replica, each with a URL that the agent takes.
struct Pair {
    primary: TestServer,
    replica: TestServer,
    database: Database,
}

impl Pair {
    async fn with(table: &str) -> Self {
        let options = ServerOptions { tcp: true, ..ServerOptions::default() };
        let mut primary = TestServer::start(&options).unwrap();
        let mut database = Database::on(&primary).await;
        database.sql(table).await;
        let replica = replica_with(&mut primary, &options);
        let mut pair = Self { primary, replica, database };
        pair.database = pair.at(&pair.primary).await;
        pair.database.wait_until(STREAMS).await;
        pair
    }

    async fn at(&self, server: &TestServer) -> Database {
        Database::at(&self.database.name, server.url(&self.database.name)).await
    }

    fn tcp_url(&self, server: &TestServer) -> String {
        server.tcp_url(&self.database.name).unwrap()
    }

    /// A URL with the hosts of these.
    fn url_of(&self, [one, two]: [&str; 2]) -> String {
        let port = |url: &str| Url::parse(url).unwrap().port().unwrap();
        format!(
            "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/{}?target_session_attrs=read-write&connect_timeout=2",
            port(one),
            port(two),
            self.database.name
        )
    }

    /// The agent with both hosts in its connection string.
    fn agent(&self) -> Agent {
        let url = self.url_of([&self.tcp_url(&self.primary), &self.tcp_url(&self.replica)]);
        let agent = Agent::start_at(&url, &self.database, EVERY_SECOND);
        agent.wait_until(&leader(&self.database), |leads| leads == 1.0);
        agent.passes_again(&self.database.name, 1.0);
        agent
    }

    /// The primary ends after its replica has received everything, which is promoted and followed by the old primary.
    async fn switch_over(&mut self) {
        // It may have streamed the end of the timeline before, and not have begun with this one yet.
        let mut replica = self.at(&self.replica).await;
        catches_up(&mut self.database, &mut replica).await;
        shut_down(&self.primary, Signal::SIGINT);
        wait_until_ended(&self.primary);
        self.promote().await;
        std::mem::swap(&mut self.primary, &mut self.replica);
    }

    /// Returns when the replica accepts writes.
    async fn promote(&mut self) {
        let mut replica = self.at(&self.replica).await;
        replica.sql("SELECT pg_promote()").await;
        self.database = replica;
    }

    async fn old_primary_follows(&mut self) {
        follow(&mut self.replica, &self.primary);
        self.database.wait_until(STREAMS).await;
    }
}

/// The failures of the agent's passes so far.
fn failures(agent: &Agent, database: &Database) -> f64 {
    agent.metric(&series("pass_failures_total", database, "DATABASE,pass=\"sequences\"")).unwrap_or(0.0)
}

/// The last finding about the only sequence, of a pass that began after this was called.
fn finding(agent: &Agent, database: &Database) -> Value {
    agent.passes_again(&database.name, 2.0);
    agent.report()["sequences"][0].clone()
}

#[tokio::test]
async fn with_both_hosts_in_its_url_it_follows_a_switchover_within_an_interval_and_writes_to_no_replica() {
    let mut pair = Pair::with(ORDERS).await;
    let agent = pair.agent();
    for _ in ["there", "back"] {
        pair.switch_over().await;
        let failed = failures(&agent, &pair.database);
        pair.database.by_itself(REWIND).await;
        pair.database.wait_until(REPAIRED).await;
        // The one that had begun before the promotion.
        assert!(failures(&agent, &pair.database) <= failed + 1.0, "{}", agent.log());
        pair.database.wait_until(HAS_THE_LEASE).await;
        pair.old_primary_follows().await;
        // The old primary comes first in the connection string.
        agent.passes_again(&pair.database.name, 2.0);
    }
    agent.has_advanced(&pair.database.name, 2.0);
    for server in [&pair.primary, &pair.replica] {
        let log = std::fs::read_to_string(server.data_dir().parent().unwrap().join("server.log")).unwrap();
        assert!(!log.contains("read-only transaction") && !log.contains("during recovery"), "{log}");
    }
    agent.stop();
}

#[tokio::test]
async fn what_one_server_wrote_ahead_of_a_sequence_is_not_called_rewound_on_the_next() {
    let mut pair = Pair::with("CREATE TABLE orders (id serial PRIMARY KEY)").await;
    pair.database.by_itself("INSERT INTO orders SELECT FROM generate_series(1, 40)").await;
    let agent = pair.agent();
    assert_eq!(finding(&agent, &pair.database)["next_value"], 41);
    pair.switch_over().await;
    let ahead = finding(&agent, &pair.database);
    let next = ahead["next_value"].as_i64().unwrap();
    assert!((42..=73).contains(&next), "{ahead:#}");
    pair.old_primary_follows().await;
    // It ended in order, and stands at what it had handed out.
    pair.switch_over().await;
    let back = finding(&agent, &pair.database);
    assert_eq!((&back["next_value"], &back["verdict"]), (&41.into(), &"in_sync".into()));
    assert_eq!((&back["cause"], &back["notes"]), (&Value::Null, &Value::Array(Vec::new())), "{back:#}");

    // Further back than that it was set by a statement, or lost.
    pair.database.by_itself("SELECT nextval('orders_id_seq') FROM generate_series(1, 60)").await;
    assert_eq!(finding(&agent, &pair.database)["next_value"], 101);
    pair.old_primary_follows().await;
    pair.database.sql("SELECT setval('orders_id_seq', 41, false)").await;
    pair.switch_over().await;
    let rewound = finding(&agent, &pair.database);
    assert_eq!((&rewound["next_value"], &rewound["cause"]), (&41.into(), &"rewound".into()), "{rewound:#}");
    agent.stop();
}

#[tokio::test]
async fn ids_that_were_lost_with_the_primary_are_given_again_and_the_agent_says_so_and_repairs_nothing() {
    let mut pair = Pair::with(ORDERS).await;
    let agent = pair.agent();
    let mut replica = pair.at(&pair.replica).await;
    catches_up(&mut pair.database, &mut replica).await;
    let receiver = pause_receiver(&mut replica.connection).await;
    pair.database.by_itself("INSERT INTO orders SELECT FROM generate_series(1, 100)").await;
    assert_eq!(finding(&agent, &pair.database)["next_value"], 301);
    pair.primary.stop_hard();
    end_receiver(receiver);
    pair.promote().await;

    let rewound = finding(&agent, &pair.database);
    assert_eq!((&rewound["verdict"], &rewound["next_value"]), (&"in_sync".into(), &201.into()), "{rewound:#}");
    assert_eq!((&rewound["cause"], &rewound["reason"]["kind"]), (&"rewound".into(), &"rewound".into()));
    let fix = rewound["reason"]["fix"].as_str().unwrap().to_owned();
    assert_eq!(pair.database.number("SELECT max(id)::bigint FROM orders").await, 200, "lost with their sequence");
    pair.database.sql("INSERT INTO orders DEFAULT VALUES").await;
    assert_eq!(agent.advances(&pair.database.name).unwrap_or(0.0), 0.0);
    // What it proposes where the lost ids are known elsewhere.
    pair.database.sql(&fix).await;
    assert_eq!(pair.database.nextval("orders_id_seq").await, 301);
    agent.stop();
}

#[tokio::test]
async fn a_primary_that_hangs_is_not_waited_for_again_and_again() {
    let mut pair = Pair::with(ORDERS).await;
    let hangs = Proxy::to(&pair.tcp_url(&pair.primary));
    let url = pair.url_of([hangs.url(), &pair.tcp_url(&pair.replica)]);
    // Between two passes, so that none of them waits for an answer.
    let agent = Agent::start_at(&url, &pair.database, "[sequences]\nschedule = \"*/4 * * * * *\"\n");
    agent.wait_until(&leader(&pair.database), |leads| leads == 1.0);
    agent.passes_again(&pair.database.name, 1.0);
    hangs.cut();
    pair.promote().await;
    pair.database.by_itself(REWIND).await;
    pair.database.wait_until(REPAIRED).await;
    pair.database.wait_until(HAS_THE_LEASE).await;
    let tried = hangs.connections();
    agent.passes_again(&pair.database.name, 2.0);
    assert_eq!(hangs.connections(), tried, "the host that gave no answer is asked last");
    agent.stop();
}

#[tokio::test]
async fn a_pass_that_waits_for_a_primary_that_hangs_is_given_up_for_the_promoted_one() {
    let mut pair = Pair::with(ORDERS).await;
    let hangs = Proxy::to(&pair.tcp_url(&pair.primary));
    let url = pair.url_of([hangs.url(), &pair.tcp_url(&pair.replica)]);
    let settings = format!("{LONG_TIMEOUTS}schedule = \"* * * * * *\"\nfull_pass_every = 1\n");
    let agent = Agent::start_at(&url, &pair.database, &settings);
    agent.wait_until(&leader(&pair.database), |leads| leads == 1.0);
    agent.passes_again(&pair.database.name, 1.0);
    pair.database.sql("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await;
    let mut look = pair.database.connect().await;
    wait_until_blocked_on(&mut look, "orders").await;
    hangs.cut();
    pair.promote().await;
    pair.database.by_itself(REWIND).await;
    // Sooner than its statement times out.
    pair.database.wait_until(REPAIRED).await;
    agent.logs("another one is the primary now");
    agent.stop();
}

#[tokio::test]
async fn its_lease_moves_to_the_promoted_server_also_while_the_old_one_still_answers() {
    let mut pair = Pair::with(ORDERS).await;
    let proxy = Proxy::to(&pair.tcp_url(&pair.primary));
    let agent = Agent::start_at(proxy.url(), &pair.database, EVERY_SECOND);
    pair.database.wait_until(HAS_THE_LEASE).await;
    pair.promote().await;
    // Connections that are open stay where they are.
    proxy.lead_to(&pair.tcp_url(&pair.replica));
    pair.database.wait_until(HAS_THE_LEASE).await;
    let mut old = pair.at(&pair.primary).await;
    old.wait_until(&format!("SELECT NOT ({HAS_THE_LEASE})")).await;
    pair.database.by_itself(REWIND).await;
    pair.database.wait_until(REPAIRED).await;
    agent.stop();
}

#[tokio::test]
async fn through_a_pooler_that_leads_to_a_demoted_server_it_observes_until_that_is_promoted_again() {
    let mut pair = Pair::with(ORDERS).await;
    let pooler = Pooler::start_with(&pair.primary, "transaction", "server_login_retry = 1");
    let agent = Agent::start_at(&pooler.url(&pair.database.name), &pair.database, EVERY_SECOND);
    let in_recovery = series("database_in_recovery", &pair.database, "DATABASE");
    agent.wait_until(&leader(&pair.database), |leads| leads == 1.0);

    // The pooler keeps its clients while it has no server, unless one of them asks for something.
    agent.signal(Signal::SIGSTOP);
    pair.switch_over().await;
    pair.old_primary_follows().await;
    agent.signal(Signal::SIGCONT);
    agent.wait_until(&in_recovery, |in_recovery| in_recovery == 1.0);
    agent.wait_until(&leader(&pair.database), |leads| leads == 0.0);
    pair.database.by_itself(REWIND).await;
    wait_for("the drift, observed", || (finding(&agent, &pair.database)["verdict"] == "behind").then_some(()));
    let reason = "the server is a replica: observed only";
    assert_eq!(finding(&agent, &pair.database)["repair"]["reason"]["text"], reason);

    pair.switch_over().await;
    pair.database.wait_until(REPAIRED).await;
    agent.wait_until(&leader(&pair.database), |leads| leads == 1.0);
    agent.stop();
}

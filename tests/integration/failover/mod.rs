//! Failovers by real programs: Patroni and etcd, which elect and promote, and HAProxy, PgBouncer and Pgpool-II, which lead to
//! the leader. `scripts/setup failover` installs them. They take half a minute, so `make test` leaves them to `make proof`;
//! `agent::promotion` has what two servers alone show.
//!
//! | file | content |
//! |---|---|
//! | `home` | a folder, and the programs that run in it |
//! | `cluster` | two servers that Patroni manages |
//! | `ways` | the proxies |

mod cluster;
mod home;
mod ways;

use crate::support::{Agent, Database, wait_until};
use cluster::{Cluster, is_primary};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Ids further away than the 32 values that a server writes ahead of a sequence.
const ORDERS: &str = "CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 200);
                      SELECT setval('orders_id_seq', 200)";
const REWIND: &str = "SELECT setval('orders_id_seq', 1, false)";
const REPAIRED: &str = "SELECT last_value = 200 FROM orders_id_seq";

/// Longer than an agent behind PgBouncer takes to make sure that no other one leads.
const EVERY_THREE_SECONDS: &str = "[sequences]\nschedule = \"*/3 * * * * *\"\n";

/// Each program answers within seconds; a machine that is busy takes longer.
const LEADS_WITHIN: Duration = Duration::from_secs(60);

/// One way to the leader, and the agent that takes it. Each has a database to itself, of the same name.
struct Way {
    name: &'static str,
    /// A URL by which the test sees whether the way leads to the leader; none where it does at once.
    probe: Option<String>,
    agent: Agent,
}

impl Way {
    async fn start(cluster: &Cluster, name: &'static str, url: &str, probe: Option<String>) -> Self {
        let leader = cluster.leader().await;
        let create = format!("CREATE DATABASE {name}");
        Database::at("postgres", cluster.url(leader, "postgres")).await.sql(&create).await;
        let mut database = Database::at(name, cluster.url(leader, name)).await;
        database.sql(ORDERS).await;
        // Pgpool-II connects to both nodes for each client.
        cluster.wait_until_streaming(leader).await;
        let agent = Agent::start_at(url, &database, EVERY_THREE_SECONDS);
        let way = Self { name, probe, agent };
        way.leads();
        way.agent.passes_again(name, 1.0);
        way
    }

    fn leads(&self) {
        self.agent.wait_until(&format!("pgmedic_leader{{database=\"{}\"}}", self.name), |leads| leads == 1.0);
    }

    /// The passes that failed, and the ticks at which none was begun.
    fn missed(&self) -> f64 {
        let of = |series: &str| {
            let labels = format!("database=\"{}\",pass=\"sequences\"", self.name);
            self.agent.metric(&series.replace("LABELS", &labels)).unwrap_or(0.0)
        };
        of("pgmedic_pass_failures_total{LABELS}") + of("pgmedic_pass_skipped_total{LABELS,reason=\"running\"}")
    }

    /// After a promotion: waits until the way leads to the leader, and then until the agent has repaired there.
    async fn follows(&self, mut database: Database, (what, promoted): (&str, Instant)) {
        if let Some(probe) = &self.probe {
            while !is_primary(probe).await {
                assert!(
                    promoted.elapsed() < LEADS_WITHIN,
                    "{} does not lead to the leader:\n{}",
                    self.name,
                    self.agent.log()
                );
                sleep(Duration::from_millis(10)).await;
            }
        }
        let (leads, before) = (promoted.elapsed(), self.missed());
        wait_until(&mut database.connection, REPAIRED).await;
        let (repaired, missed) = (promoted.elapsed(), self.missed() - before);
        println!("{what}, {}: leads there after {leads:.1?}, the agent has repaired after {repaired:.1?}", self.name);
        // One that had begun before.
        assert!(missed <= 1.0, "{}: {missed} passes failed:\n{}", self.name, self.agent.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_the_leader_is_followed_within_an_interval_after_a_switchover_and_after_its_end() {
    let mut cluster = Cluster::start().await;
    let ports = [ways::haproxy(&mut cluster), ways::pgbouncer(&mut cluster).await, ways::pgpool(&mut cluster)];
    let [one, two] = [cluster.nodes[0].port, cluster.nodes[1].port];
    let hosts = format!("postgres://postgres@127.0.0.1:{one},127.0.0.1:{two}/by_hosts?target_session_attrs=primary");
    let mut ways = vec![Way::start(&cluster, "by_hosts", &hosts, None).await];
    for (name, port) in ["by_haproxy", "by_pgbouncer", "by_pgpool"].into_iter().zip(ports) {
        let url = format!("postgres://postgres@127.0.0.1:{port}/{name}");
        ways.push(Way::start(&cluster, name, &url, Some(url.clone())).await);
    }
    for what in ["switchover", "leader killed"] {
        let old = cluster.leader().await;
        let new = 1 - old;
        let began = Instant::now();
        if what == "switchover" {
            cluster.switch_over(old)
        } else {
            cluster.kill(old)
        }
        cluster.promoted(new).await;
        let promoted = Instant::now();
        println!("{what}: promoted after {:.1?}", began.elapsed());
        let mut followed = Vec::new();
        for way in &ways {
            let mut database = Database::at(way.name, cluster.url(new, way.name)).await;
            database.by_itself(REWIND).await;
            followed.push(way.follows(database, (what, promoted)));
        }
        futures_util::future::join_all(followed).await;
        if what != "switchover" {
            cluster.revive(old);
        }
        cluster.wait_until_streaming(new).await;
        // The demoted node answers again, and comes first in the hosts of one of them.
        for way in &ways {
            way.agent.passes_again(way.name, 1.0);
            way.leads();
        }
    }
    for way in ways {
        way.agent.has_advanced(way.name, 2.0);
        let log = way.agent.stop();
        assert!(!log.contains("panicked") && !log.contains("read-only"), "{}:\n{log}", way.name);
    }
    for (node, log) in cluster.logs() {
        let refused = log.lines().find(|line| line.contains(" pgmedic ERROR:") && line.contains("cannot execute"));
        assert_eq!(refused, None, "a repair was tried on node {node}");
    }
}

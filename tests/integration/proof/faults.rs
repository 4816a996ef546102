//! Injects, holds and removes each fault.

use super::director::Director;
use super::history::Fault;
use super::scene::{DATABASE, Scene};
use super::tables::TABLES;
use crate::support::{end_receiver, follow, pause_receiver, rewind, shut_down, wait_until_ended};
use nix::sys::signal::Signal;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Ends the session that holds the leader's advisory lock. Its first key is "pgmd".
const TERMINATE_LEADER: &str = "
    SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND classid = 1885826404 AND granted";

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

impl Scene {
    /// The faults that can be injected on this machine.
    pub fn possible(&self) -> Vec<Fault> {
        let not_made = self.not_made();
        Fault::ALL.into_iter().filter(|fault| !not_made.iter().any(|(other, _)| other == fault)).collect()
    }

    async fn replica(&self) -> PgConnection {
        PgConnection::connect(&self.servers[1].url("postgres")).await.expect("the replica")
    }

    /// Promotes the replica, which is the first server from then on, and routes everything to it.
    async fn promote_replica(&mut self) {
        let promoted = self.replica().await.execute("SELECT pg_promote()").await;
        promoted.expect("a promotion");
        self.servers.swap(0, 1);
        if let Ok(disks) = &mut self.disks {
            disks.swap(0, 1);
        }
        self.route_to_primary();
    }

    fn restart(&mut self) {
        self.servers[0].restart().expect("the server comes back");
        // Another program may have taken its port, so the server may have a new one.
        self.route_to_primary();
    }
}

impl Director {
    pub async fn inject(&mut self, fault: Fault) {
        let leading = self.scene.shared.leading_slot();
        match fault {
            Fault::ServerKilled => {
                self.scene.servers[0].stop_hard();
                self.hold().await;
                self.scene.restart();
            }
            Fault::ServerRestarted => {
                self.scene.restart();
                self.hold().await;
            }
            Fault::ServerPromoted => self.promote().await,
            Fault::LaggingPromoted => self.promote_lagging().await,
            Fault::DiskFull => self.fill_the_disk().await,
            Fault::TooManyConnections => {
                let mut crowd = Vec::new();
                while let Ok(Ok(one)) = timeout(RESPONSE_TIMEOUT, self.scene.direct()).await {
                    crowd.push(one);
                }
                self.hold().await;
            }
            Fault::LeaderTerminated => {
                if let Ok(mut connection) = self.scene.direct().await {
                    let _ = connection.execute(TERMINATE_LEADER).await;
                }
                self.hold().await;
            }
            Fault::LeaderKilled => {
                self.scene.kill_agent(leading);
                self.hold().await;
                self.scene.start_agent(leading);
            }
            Fault::LeaderStopped => {
                self.scene.agent(leading).signal(Signal::SIGSTOP);
                self.hold_or_longer().await;
                self.scene.agent(leading).signal(Signal::SIGCONT);
            }
            Fault::LeaderCutOff => {
                self.scene.proxies[leading].cut();
                self.hold_or_longer().await;
                // As when a firewall has lost the state of the connections, while both ends keep them open.
                if self.is_long() && self.chance.one_in(2) {
                    self.scene.proxies[leading].restore_forgetfully();
                } else {
                    self.scene.proxies[leading].restore();
                }
            }
            Fault::ClockMoved => {
                self.scene.move_clock(if self.chance.one_in(2) { "+3600" } else { "-3600" });
                self.hold().await;
                self.scene.move_clock("+0");
            }
            Fault::PoolerRestarted => {
                self.scene.pooler.stop_hard();
                self.hold().await;
                self.scene.pooler.restart();
            }
            Fault::TableLocked => {
                let table = self.chance.below(TABLES.len());
                self.locked(&format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", TABLES[table].name)).await;
            }
            Fault::SequenceLocked => {
                let table = &TABLES[self.chance.below(TABLES.len())];
                // The lock of a leap, rolled back afterwards.
                let cache = if table.name == "cached" { 10 } else { 1 };
                self.locked(&format!("ALTER SEQUENCE {} CACHE {cache}", table.sequence)).await;
            }
        }
    }

    /// Fills the disk: inserts fail, then the server cannot write its log, and ends.
    async fn fill_the_disk(&mut self) {
        if let Ok([disk, _]) = &self.scene.disks {
            disk.fill();
        }
        self.hold().await;
        if let Ok([disk, _]) = &self.scene.disks {
            disk.make_room();
        }
        if !matches!(timeout(RESPONSE_TIMEOUT, self.scene.direct()).await, Ok(Ok(_))) {
            self.scene.restart();
        }
    }

    /// Keeps a transaction open that has taken this lock.
    async fn locked(&mut self, statement: &str) {
        let connection = match self.scene.direct().await {
            Ok(mut connection) => {
                let begin = format!("BEGIN; SET LOCAL lock_timeout = '3s'; {statement}");
                let _ = timeout(RESPONSE_TIMEOUT, sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut connection)).await;
                Some(connection)
            }
            Err(_) => None,
        };
        self.hold().await;
        if let Some(connection) = connection {
            let _ = connection.close().await;
        }
    }

    /// A switchover without loss: the primary ends after its replica has received everything, the replica is promoted,
    /// and the old primary follows the new one.
    async fn promote(&mut self) {
        self.wait_until_streaming().await;
        shut_down(&self.scene.servers[0], Signal::SIGINT);
        wait_until_ended(&self.scene.servers[0]);
        self.scene.promote_replica().await;
        self.hold().await;
        let [primary, old] = &mut self.scene.servers;
        follow(old, primary);
    }

    /// A failover that loses commits: the replica receives nothing from the beginning of the fault on, the primary is
    /// killed, the replica is promoted, and the old primary is rewound and follows it.
    async fn promote_lagging(&mut self) {
        self.wait_until_replayed().await;
        let receiver = pause_receiver(&mut self.scene.replica().await).await;
        self.hold().await;
        self.scene.servers[0].stop_hard();
        end_receiver(receiver);
        self.scene.promote_replica().await;
        self.hold().await;
        // pg_rewind reads the new timeline from what the last checkpoint wrote.
        self.scene.direct().await.expect("the primary").execute("CHECKPOINT").await.expect("a checkpoint");
        let [primary, old] = &mut self.scene.servers;
        rewind(old, primary);
    }

    async fn wait_until_streaming(&self) {
        self.wait_for_replica("SELECT count(*) > 0 FROM pg_stat_replication WHERE state = 'streaming'").await;
    }

    /// Waits until the replica has done everything that was confirmed to a client before.
    async fn wait_until_replayed(&self) {
        self.wait_until_streaming().await;
        let done: String = loop {
            if let Ok(mut connection) = self.scene.direct().await
                && let Ok(done) =
                    sqlx::query_scalar("SELECT pg_current_wal_insert_lsn()::text").fetch_one(&mut connection).await
            {
                break done;
            }
        };
        let query = format!("SELECT count(*) > 0 FROM pg_stat_replication WHERE replay_lsn >= '{done}'");
        self.wait_for_replica(&query).await;
    }

    async fn wait_for_replica(&self, query: &str) {
        loop {
            if let Ok(mut connection) = self.scene.direct().await {
                let answer = sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut connection).await;
                if answer.unwrap_or(false) {
                    return;
                }
            }
            assert!(
                self.now() < self.until + Duration::from_secs(120),
                "the replica of {DATABASE} does not follow: {query}"
            );
            sleep(Duration::from_millis(50)).await;
        }
    }
}

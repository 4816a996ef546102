//! Measures two hundred agents on one database.

use crate::Result;
use crate::daemon::Daemon;
use crate::figures::Block;
use crate::server_side;
use crate::tables::{block_on, connect};
use crate::verdicts::Verdicts;
use crate::watch::{fair_share, memory};
use pgmedic_testserver::TestServer;
use sqlx::Row;
use sqlx::postgres::PgConnection;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const AGENTS: usize = 200;

/// The shortest interval whose ticks are spread over a whole second, the maximum.
const SCHEDULE: (&str, &str) = ("PGMEDIC_SEQUENCES__SCHEDULE", "*/20 * * * * *");
const INTERVAL: Duration = Duration::from_secs(20);

/// The number of intervals that are measured.
const INTERVALS: u32 = 2;
const KILLS: usize = 3;

const PAUSE: Duration = Duration::from_millis(2);

/// The longest wait for an event that comes within an interval.
const TIMEOUT: Duration = Duration::from_secs(60);

const CONNECTIONS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

/// The server process that holds the agents' lock. Its first key is "pgmd" (`src/db/lease.rs`).
const LEADER: &str = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1885826404 AND granted";

/// The load of some agents over whole intervals.
struct Load {
    peak: i64,
    mean: f64,
    /// CPU seconds per minute.
    server_cpu: Option<f64>,
    agents_cpu: Option<f64>,
    /// Resident memory of one agent in MB, and its share where memory is shared.
    resident: Option<f64>,
    share: Option<f64>,
}

pub fn block(server: &TestServer, url: &str, verdicts: &mut Verdicts) -> Result<Block> {
    println!("\n{AGENTS} agents on one database");
    let one = load(server, url, &fleet(url, 1)?)?;
    let mut agents = fleet(url, AGENTS)?;
    let many = load(server, url, &agents)?;
    let leaders = leaders(&agents)?.len();
    verdicts.at_most(format!("leaders among {AGENTS} agents"), Some(leaders as f64), 1.0, "");
    verdicts.at_most(format!("connections of {AGENTS} agents: most at once"), Some(many.peak as f64), 20.0, "");
    verdicts.at_most(format!("connections of {AGENTS} agents: mean"), Some(many.mean), 3.0, "");
    // One core has 60 CPU seconds per minute.
    verdicts.at_most(format!("the server's CPU time for {AGENTS} agents, a minute"), many.server_cpu, 6.0, "s");

    let mut takeovers = Vec::new();
    for _ in 0..KILLS {
        takeovers.push(takeover(url, &mut agents)?.as_secs_f64() / INTERVAL.as_secs_f64());
    }
    takeovers.sort_by(f64::total_cmp);
    let longest = takeovers[KILLS - 1];
    // One interval, the spread of the ticks, and the delays of a busy machine.
    verdicts.at_most("the leader killed: another leads, at worst", Some(longest), 1.25, "intervals");
    let shown: Vec<String> = takeovers.iter().map(|intervals| format!("{intervals:.2}")).collect();
    println!("  the leader killed, another leads   after {} intervals", shown.join(", "));
    for agent in agents {
        agent.stop()?;
    }
    let number =
        |figure: Option<f64>, unit: &str| figure.map_or("-".to_owned(), |figure| format!("{figure:.1} {unit}"));
    let rows = [("1".to_owned(), &one), (AGENTS.to_string(), &many)].map(|(agents, load)| {
        [
            agents,
            load.peak.to_string(),
            format!("{:.1}", load.mean),
            number(load.server_cpu, "s"),
            number(load.agents_cpu, "s"),
            number(load.resident, "MB"),
            number(load.share, "MB"),
        ]
    });
    let columns = [
        "agents",
        "connections, most at once",
        "mean",
        "server's CPU time a minute",
        "all agents' CPU time a minute",
        "one standby's resident memory",
        "its share of that",
    ];
    Ok(Block::table("scale-agents", columns, rows.into()).after(format!(
        "{leaders} of the {AGENTS} agents leads. The leader was killed {KILLS} times, just after a tick: another led \
         after {} intervals of {} s (limit 1.25).",
        shown.join(", "),
        INTERVAL.as_secs()
    )))
}

fn fleet(url: &str, number: usize) -> Result<Vec<Daemon>> {
    let agents = (0..number).map(|_| Daemon::start(url, &[SCHEDULE], &[])).collect::<Result<Vec<Daemon>>>()?;
    // Each agent has connected to the database, as leader or standby.
    for agent in &agents {
        // The series exists after the first connection.
        wait_until("an agent reaches its database", || {
            Ok(agent.metric("pgmedic_database_up{").is_ok_and(|up| up >= 1.0))
        })?;
    }
    Ok(agents)
}

fn load(server: &TestServer, url: &str, agents: &[Daemon]) -> Result<Load> {
    let over = AtomicBool::new(false);
    let started = Instant::now();
    let cpu =
        |agents: &[Daemon]| agents.iter().map(|agent| server_side::cpu_seconds_of(agent.pid())).sum::<Option<f64>>();
    let before = (server_side::cpu_seconds(server), cpu(agents));
    let (peak, mean) = thread::scope(|scope| {
        let sampler = scope.spawn(|| connections(url, &over).map_err(|error| error.to_string()));
        sleep(INTERVAL * INTERVALS);
        over.store(true, Ordering::Relaxed);
        sampler.join().unwrap_or_else(|_| Err("the sampler panicked".to_owned()))
    })?;
    let after = (server_side::cpu_seconds(server), cpu(agents));
    let minutes = started.elapsed().as_secs_f64() / 60.0;
    for agent in agents {
        if agent.metric("pgmedic_database_up{")? < 1.0 {
            return Err("an agent could not reach its database".into());
        }
    }
    let last = agents.last().ok_or("no agents")?.pid();
    let load = Load {
        peak,
        mean,
        server_cpu: server_side::each(before.0, after.0, minutes),
        agents_cpu: server_side::each(before.1, after.1, minutes),
        resident: memory(last, "VmRSS:"),
        share: fair_share(last),
    };
    println!("  {} agents: connections              at most {peak}, {mean:.2} in the mean", agents.len());
    println!("  CPU seconds a minute               server {:?}, agents {:?}", load.server_cpu, load.agents_cpu);
    println!("  memory of the last, in MB          resident {:?}, its share {:?}", load.resident, load.share);
    Ok(load)
}

/// The largest and the mean number of connections until `over`. Counting them takes CPU time of the server too.
fn connections(url: &str, over: &AtomicBool) -> Result<(i64, f64)> {
    block_on(async {
        let mut connection = connect(url).await?;
        let (mut peak, mut sum, mut samples) = (0, 0, 0_u32);
        while !over.load(Ordering::Relaxed) {
            let now: i64 = sqlx::query(CONNECTIONS).fetch_one(&mut connection).await?.try_get(0)?;
            (peak, sum, samples) = (peak.max(now), sum + now, samples + 1);
            tokio::time::sleep(PAUSE).await;
        }
        Ok((peak, sum as f64 / f64::from(samples.max(1))))
    })
}

/// The indexes of the agents that report that they lead.
fn leaders(agents: &[Daemon]) -> Result<Vec<usize>> {
    let mut indexes = Vec::new();
    for (index, agent) in agents.iter().enumerate() {
        if agent.metric("pgmedic_leader{")? >= 1.0 {
            indexes.push(index);
        }
    }
    Ok(indexes)
}

/// Kills the leader shortly after a tick, when the next one is furthest. Returns the time until another agent holds the
/// lock.
fn takeover(url: &str, agents: &mut Vec<Daemon>) -> Result<Duration> {
    let mut leader = None;
    wait_until("an agent leads", || {
        leader = leaders(agents)?.first().copied();
        Ok(leader.is_some())
    })?;
    // After the spread of the ticks. Before that, a standby whose tick is still to come would lead at once.
    let late = || Ok((INTERVAL / 10..INTERVAL / 5).contains(&since_tick()?));
    wait_until("the ticks are over", late)?;
    let victim = agents.remove(leader.ok_or("no agent leads")?);
    block_on(async {
        let mut connection = connect(url).await?;
        let before = lock_holder(&mut connection).await?.ok_or("no session holds the lock")?;
        let killed = Instant::now();
        drop(victim);
        while lock_holder(&mut connection).await?.is_none_or(|now| now == before) {
            if killed.elapsed() > TIMEOUT {
                return Err("no other agent leads".into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(killed.elapsed())
    })
}

/// Ticks follow the clock of the system.
fn since_tick() -> Result<Duration> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Duration::from_nanos(u64::try_from(now.as_nanos() % INTERVAL.as_nanos())?))
}

async fn lock_holder(connection: &mut PgConnection) -> Result<Option<i32>> {
    let row = sqlx::query(LEADER).fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

fn wait_until(what: &str, mut is_true: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !is_true()? {
        if started.elapsed() > TIMEOUT {
            return Err(format!("timed out before {what}").into());
        }
        sleep(PAUSE);
    }
    Ok(())
}

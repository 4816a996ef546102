//! Logins at a steady rate, to measure how other work on the server delays them.

use super::Result;
use super::tables::block_on;
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Clients. Together they log in 400 times a second.
const CLIENTS: u64 = 4;
/// Between two logins of a client.
const PAUSE: Duration = Duration::from_millis(10);

/// The statements of a login: look for the user's other session, and insert a new one.
const LOGIN: [&str; 2] = [
    "SELECT id FROM sessions WHERE token = $1",
    "INSERT INTO sessions (user_id, token, expires_at) VALUES (1, $1, now() + interval '1 day')",
];

/// What was measured.
#[derive(Debug, Default)]
pub struct Logins {
    /// Logins per second.
    pub rate: f64,
    /// The duration of the slowest login, in seconds.
    pub longest: f64,
    /// Logins that took more than 20 ms.
    pub late: usize,
}

/// Runs `work` beside the logins, and returns what they measured.
pub fn beside(url: &str, work: impl FnOnce() -> Result<()>) -> Result<Logins> {
    let stop = AtomicBool::new(false);
    let started = Instant::now();
    let times = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let stop = &stop;
                scope.spawn(move || log_in(url, client, stop).map_err(|error| error.to_string()))
            })
            .collect();
        let worked = work();
        stop.store(true, Ordering::Relaxed);
        let mut times = Vec::new();
        for client in clients {
            times.extend(client.join().unwrap_or_else(|_| Err("a login panicked".to_owned()))?);
        }
        worked.map(|()| times)
    })?;
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    let late = times.iter().filter(|time| **time > 0.02).count();
    Ok(Logins { rate, longest: times.into_iter().fold(0.0, f64::max), late })
}

/// Logs in until `stop`. Returns the seconds of each login, counted from the time at which it was due.
fn log_in(url: &str, client: u64, stop: &AtomicBool) -> Result<Vec<f64>> {
    block_on(async {
        let mut connection = PgConnection::connect(url).await?;
        let mut times = Vec::new();
        let mut due = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let token = format!("{client}-{}", times.len());
            for statement in LOGIN {
                sqlx::query(statement).bind(&token).execute(&mut connection).await?;
            }
            times.push(due.elapsed().as_secs_f64());
            due += PAUSE;
            tokio::time::sleep_until(due.into()).await;
        }
        Ok(times)
    })
}

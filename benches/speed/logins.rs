//! People who log in at a steady rate, whatever else the server does.

use super::Result;
use super::tables::block_on;
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Each logs in so often: together 400 a second.
const PEOPLE: u64 = 4;
const PAUSE: Duration = Duration::from_millis(10);

/// What a login is: the user's other session is looked for, and a new one made.
const LOGIN: [&str; 2] = [
    "SELECT id FROM sessions WHERE token = $1",
    "INSERT INTO sessions (user_id, token, expires_at) VALUES (1, $1, now() + interval '1 day')",
];

/// How logins fared.
#[derive(Debug, Default)]
pub struct Logins {
    /// Logins a second.
    pub rate: f64,
    /// The longest that one took, in seconds.
    pub longest: f64,
    /// How many took more than 20 ms.
    pub late: usize,
}

/// Logs in for as long as `work` takes.
pub fn beside(url: &str, work: impl FnOnce() -> Result<()>) -> Result<Logins> {
    let over = AtomicBool::new(false);
    let started = Instant::now();
    let times = thread::scope(|scope| {
        let people: Vec<_> = (0..PEOPLE)
            .map(|person| {
                let over = &over;
                scope.spawn(move || log_in(url, person, over).map_err(|error| error.to_string()))
            })
            .collect();
        let worked = work();
        over.store(true, Ordering::Relaxed);
        let mut times = Vec::new();
        for person in people {
            times.extend(person.join().unwrap_or_else(|_| Err("a login panicked".to_owned()))?);
        }
        worked.map(|()| times)
    })?;
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    let late = times.iter().filter(|time| **time > 0.02).count();
    Ok(Logins { rate, longest: times.into_iter().fold(0.0, f64::max), late })
}

/// Returns how long each login took, in seconds, from when it was due.
fn log_in(url: &str, person: u64, over: &AtomicBool) -> Result<Vec<f64>> {
    block_on(async {
        let mut connection = PgConnection::connect(url).await?;
        let mut times = Vec::new();
        let mut due = Instant::now();
        while !over.load(Ordering::Relaxed) {
            let token = format!("{person}-{}", times.len());
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

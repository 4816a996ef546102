//! Compares the sweep of very many expired sessions with a single unbounded DELETE, beside logins.

use super::Result;
use super::clients::{configured, run};
use super::logins::{Logins, beside};
use super::rounds::alternate;
use super::tables::execute;
use super::verdicts::Verdicts;
use pgmedic_testserver::TestServer;
use std::io::Write;
use std::time::{Duration, Instant};

const EXPIRED: u32 = 1_000_000;
const LIVE: u32 = 100_000;
const BACKLOG: u32 = 3_000_000;
const ROUNDS: usize = 3;
/// How long logins are measured without a sweep.
const ALONE: Duration = Duration::from_secs(8);

const DELETE: &str = "DELETE FROM sessions WHERE expires_at < now() - interval '1 minute'";

/// Sweeps and single DELETEs take turns, each on a new copy. Then each runs once more beside logins.
pub fn a_million(server: &TestServer, verdicts: &mut Verdicts) -> Result<()> {
    let started = Instant::now();
    make(server, "sessions_template", EXPIRED + LIVE)?;
    println!("\n{EXPIRED} expired sessions among {LIVE} live ones ({:.0} s to make)", started.elapsed().as_secs_f64());
    let url = server.url("sessions");
    let config = config(&url)?;
    let sweep = |competitor| match competitor {
        0 => run(configured(config.path(), &["--once"])),
        _ => execute(&url, DELETE.to_owned()),
    };
    let [own, single] = alternate(ROUNDS, |_| copy(server), sweep)?;
    println!("  pgmedic --once                     {}", own.show());
    println!("  one unbounded DELETE               {}", single.show());
    let rate = f64::from(EXPIRED) / own.median().as_secs_f64();
    println!("  sessions a second                  {rate:.0}");
    verdicts.at_most("time for a million expired sessions", Some(own.median().as_secs_f64()), 20.0, "s");

    copy(server)?;
    let alone = beside(&url, || {
        std::thread::sleep(ALONE);
        Ok(())
    })?;
    show("logins alone", &alone);
    copy(server)?;
    let swept = beside(&url, || run(configured(config.path(), &["--once"])))?;
    show("logins beside pgmedic", &swept);
    copy(server)?;
    show("logins beside the DELETE", &beside(&url, || sweep(1))?);
    verdicts.at_most("logins a second alone, against beside the sweep", Some(alone.rate / swept.rate), 1.0 / 0.9, "x");
    verdicts.at_most("the longest that a login took beside the sweep", Some(swept.longest * 1e3), 200.0, "ms");
    Ok(())
}

fn show(what: &str, logins: &Logins) {
    let Logins { rate, longest, late, .. } = logins;
    println!("  {what:<34} {rate:.0} a second, the longest {:.0} ms, {late} of more than 20 ms", longest * 1e3);
}

/// Works off a backlog of three million expired sessions, as after a sweep that was off for long.
pub fn a_backlog(server: &TestServer, verdicts: &mut Verdicts) -> Result<()> {
    let started = Instant::now();
    make(server, "backlog", BACKLOG + BACKLOG / 10)?;
    println!("\n{BACKLOG} expired sessions ({:.0} s to make)", started.elapsed().as_secs_f64());
    let config = config(&server.url("backlog"))?;
    let started = Instant::now();
    // Its exit code is 3 where some are left.
    run(configured(config.path(), &["--once"]))?;
    let rate = f64::from(BACKLOG) / started.elapsed().as_secs_f64();
    println!("  sessions a second                  {rate:.0}");
    verdicts.at_most("50 000 sessions a second, against a backlog's rate", Some(50_000.0 / rate), 1.0, "x");
    execute(&server.url("postgres"), "DROP DATABASE backlog WITH (FORCE)".to_owned())
}

/// Creates a database with so many sessions in random order, one in eleven of them live.
fn make(server: &TestServer, name: &str, sessions: u32) -> Result<()> {
    execute(&server.url("postgres"), format!("CREATE DATABASE {name}"))?;
    let fill = format!(
        "CREATE TABLE sessions (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint NOT NULL,
                                token text NOT NULL UNIQUE, expires_at timestamptz NOT NULL);
         INSERT INTO sessions (user_id, token, expires_at)
         SELECT n % 50000, md5(n::text), now() + CASE WHEN n % 11 = 0 THEN 1 ELSE -1 END
                * (interval '1 hour' + (hashint4(n) & 8388607) * interval '1 second')
         FROM generate_series(1, {sessions}) AS n;
         CREATE INDEX ON sessions (expires_at)"
    );
    let url = server.url(name);
    execute(&url, fill)?;
    execute(&url, "VACUUM (ANALYZE)".to_owned())
}

fn copy(server: &TestServer) -> Result<()> {
    let maintenance = server.url("postgres");
    execute(&maintenance, "DROP DATABASE IF EXISTS sessions WITH (FORCE)".to_owned())?;
    execute(&maintenance, "CREATE DATABASE sessions TEMPLATE sessions_template".to_owned())?;
    execute(&maintenance, "CHECKPOINT".to_owned())
}

fn config(url: &str) -> Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile()?;
    write!(
        file,
        "[[databases]]\nurl = \"{url}\"\n[[sessions]]\nname = \"logins\"\ntable = \"public.sessions\"\n\
         expires_at = \"expires_at\"\nencoding = \"timestamptz\"\n"
    )?;
    Ok(file)
}

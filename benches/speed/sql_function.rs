//! Measures `pgmedic.repair` beside few and many tables, and what `pgmedic sql follow` costs an insert.

use super::Result;
use super::rounds::alternate;
use super::tables::{block_on, connect, execute};
use super::verdicts::Verdicts;
use pgmedic_login::sql_function::{FollowedColumns, follow, install};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Barrier;

const CALL: &str = "SELECT pgmedic.repair('public.table_1', 'id')";
const CALLS: usize = 20;
const ROUNDS: usize = 21;
const LOGINS: usize = 100;
/// Ids that are taken when the logins begin.
const TAKEN: u32 = 1000;
const INSERTS: usize = 200;

const MOST_WARM_MS: f64 = 1.0;
const SLOWEST_LOGIN: f64 = 0.5;
const MOST_FOLLOWED: f64 = 1.25;

/// Measures the function in a database with `tables` tables, of which `table_1` has `rows` rows.
pub fn called(tables: &str, url: &str, verdicts: &mut Verdicts) -> Result<()> {
    execute(url, install(None, &[], None))?;
    let warm = block_on(async {
        let mut connection = connect(url).await?;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let started = Instant::now();
            for _ in 0..CALLS {
                sqlx::query(CALL).execute(&mut connection).await?;
            }
            times.push(started.elapsed() / u32::try_from(CALLS)?);
        }
        times.sort();
        Ok(times[ROUNDS / 2])
    })?;
    let warm = warm.as_secs_f64() * 1e3;
    println!("\npgmedic.repair beside {tables}: {warm:.3} ms on a warm connection");
    verdicts.at_most(format!("pgmedic.repair beside {tables}, warm"), Some(warm), MOST_WARM_MS, "ms");

    let (slowest, failed) = at_once(url)?;
    let slowest = slowest.as_secs_f64();
    println!(
        "  {LOGINS} new connections log in at once, {TAKEN} values behind: the slowest {slowest:.3} s, {failed} failed, {}",
        super::load()
    );
    verdicts.at_most(format!("{LOGINS} logins at once beside {tables}: slowest"), Some(slowest), SLOWEST_LOGIN, "s");
    verdicts.at_most(format!("{LOGINS} logins at once beside {tables}: failed"), Some(failed.into()), 0.0, "logins");
    Ok(())
}

/// The time of the slowest of many logins on new connections, after a drift, and how many failed.
fn at_once(url: &str) -> Result<(Duration, u32)> {
    execute(
        url,
        format!(
            "INSERT INTO table_1 SELECT id FROM generate_series(1, {TAKEN}) AS id ON CONFLICT DO NOTHING;
             SELECT setval('table_1_id_seq', 1, false)"
        ),
    )?;
    block_on(async {
        let start = Arc::new(Barrier::new(LOGINS));
        let mut logins = Vec::new();
        for _ in 0..LOGINS {
            let mut connection = connect(url).await?;
            let start = Arc::clone(&start);
            logins.push(tokio::spawn(async move {
                sqlx::raw_sql("SET statement_timeout = '1s'").execute(&mut connection).await?;
                start.wait().await;
                let started = Instant::now();
                for _ in 0..3 {
                    if sqlx::raw_sql("INSERT INTO table_1 (name) VALUES ('login')")
                        .execute(&mut connection)
                        .await
                        .is_ok()
                    {
                        return Ok(started.elapsed());
                    }
                    sqlx::raw_sql(CALL).execute(&mut connection).await?;
                }
                sqlx::raw_sql("INSERT INTO table_1 (name) VALUES ('login')").execute(&mut connection).await?;
                Ok::<_, sqlx::Error>(started.elapsed())
            }));
        }
        let (mut slowest, mut failed) = (Duration::ZERO, 0);
        for login in logins {
            match login.await? {
                Ok(time) => slowest = slowest.max(time),
                Err(error) => {
                    println!("  a login failed: {error}");
                    failed += 1;
                }
            }
        }
        Ok((slowest, failed))
    })
}

/// Measures an insert that draws its id, with and without the trigger.
pub fn followed(url: &str, verdicts: &mut Verdicts) -> Result<()> {
    execute(
        url,
        "CREATE TABLE plain (id serial PRIMARY KEY, name text); CREATE TABLE followed (id serial PRIMARY KEY, name text)"
            .to_owned(),
    )?;
    execute(url, follow(FollowedColumns::Named(&["public.followed.id".parse()?]), false, None))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut connection = runtime.block_on(connect(url))?;
    let mut insert = |statement: &'static str| -> Result<()> {
        for _ in 0..INSERTS {
            runtime.block_on(sqlx::query(statement).execute(&mut connection))?;
        }
        Ok(())
    };
    let [plain, followed] = alternate(
        ROUNDS,
        |_| Ok(()),
        |competitor| match competitor {
            0 => insert("INSERT INTO plain (name) VALUES ('login')"),
            _ => insert("INSERT INTO followed (name) VALUES ('login')"),
        },
    )?;
    println!("\n  {INSERTS} plain inserts          {}", plain.show());
    println!("  the same, followed         {}", followed.show());
    let ratio = followed.ratio_to(&plain);
    verdicts.at_most("an insert whose sequence follows, against a plain one", Some(ratio), MOST_FOLLOWED, "x");
    Ok(())
}

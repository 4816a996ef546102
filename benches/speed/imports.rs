//! Counts the duplicates of inserts beside imports, with and without `pgmedic sql follow`.

use super::Result;
use super::tables::{block_on, connect, execute};
use super::verdicts::Verdicts;
use pgmedic_login::sql_function::{FollowedColumns, follow};
use sqlx::AssertSqlSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Clients that insert without a retry, each 1 000 times a second.
const CLIENTS: usize = 8;
const BETWEEN_INSERTS: Duration = Duration::from_millis(1);
/// For so long, once without and once with the trigger.
const TIME: Duration = Duration::from_secs(10);
/// Between two imports, by INSERT and by COPY in turns.
const PAUSE: Duration = Duration::from_millis(50);
/// Ids of an import, right ahead of the sequence.
const IDS: i64 = 50;

/// The duplicates that the trigger leaves, of those without it.
const MOST_LEFT: f64 = 0.02;

#[derive(Default)]
struct Counts {
    inserts: u64,
    duplicates: u64,
}

/// Compares the duplicates without the trigger and with it.
pub fn duplicates(url: &str, verdicts: &mut Verdicts) -> Result<()> {
    println!("\n{CLIENTS} clients insert for {} s, with an import every {} ms", TIME.as_secs(), PAUSE.as_millis());
    let mut shares = Vec::new();
    for table in ["alone", "followed_too"] {
        execute(url, format!("CREATE TABLE {table} (id bigserial PRIMARY KEY, name text)"))?;
        if table != "alone" {
            execute(url, follow(FollowedColumns::Named(&[format!("public.{table}.id").parse()?]), false, None))?;
        }
        let Counts { inserts, duplicates } = block_on(beside_imports(url, table))?;
        #[expect(clippy::cast_precision_loss, reason = "thousands")]
        let (share, rate) = (duplicates as f64 / inserts as f64, inserts as f64 / TIME.as_secs_f64());
        println!("  {table:<14} {rate:>6.0} inserts a second, {duplicates} duplicates");
        shares.push(share);
    }
    let left = shares.last().zip(shares.first()).map(|(followed, alone)| followed / alone);
    verdicts.at_most("duplicates beside imports with follow, against without", left, MOST_LEFT, "x");
    Ok(())
}

async fn beside_imports(url: &str, table: &'static str) -> Result<Counts> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let (mut connection, stop) = (connect(url).await?, Arc::clone(&stop));
        clients.push(tokio::spawn(async move {
            let insert = format!("INSERT INTO {table} (name) VALUES ('login')");
            let mut counts = Counts::default();
            let mut ticks = tokio::time::interval(BETWEEN_INSERTS);
            while !stop.load(Ordering::Relaxed) {
                ticks.tick().await;
                counts.inserts += 1;
                match sqlx::query(AssertSqlSafe(insert.clone())).execute(&mut connection).await {
                    Ok(_) => {}
                    Err(sqlx::Error::Database(error)) if error.is_unique_violation() => counts.duplicates += 1,
                    Err(error) => return Err(error),
                }
            }
            Ok::<_, sqlx::Error>(counts)
        }));
    }
    let mut import = connect(url).await?;
    let started = Instant::now();
    let next = format!("SELECT last_value + 10 FROM {table}_id_seq");
    let mut copies = false;
    while started.elapsed() < TIME {
        let first: i64 = sqlx::query_scalar(AssertSqlSafe(next.clone())).fetch_one(&mut import).await?;
        // Ids that an insert has taken meanwhile fail the import, which is tried again by the next one.
        if copies {
            let rows: String = (first..first + IDS).map(|id| format!("{id}\timported\n")).collect();
            let mut copy = import.copy_in_raw(&format!("COPY {table} FROM STDIN")).await?;
            copy.send(rows.as_bytes()).await?;
            drop(copy.finish().await);
        } else {
            let insert = format!(
                "INSERT INTO {table} SELECT id, 'imported' FROM generate_series({first}, {}) AS id ON CONFLICT DO NOTHING",
                first + IDS - 1
            );
            sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut import).await?;
        }
        copies = !copies;
        tokio::time::sleep(PAUSE).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut sum = Counts::default();
    for client in clients {
        let counts = client.await??;
        sum.inserts += counts.inserts;
        sum.duplicates += counts.duplicates;
    }
    Ok(sum)
}

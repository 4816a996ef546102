//! Measures passes over very many tables.

use super::Result;
use super::clients::{self, in_strings, one_by_one, pgmedic, psql, script};
use super::rounds::alternate;
use super::server_side::{cpu_seconds, each};
use super::tables::{database, execute};
use super::verdicts::Verdicts;
use super::watch;
use pgmedic_testserver::TestServer;
use std::io::Write;
use std::path::Path;

pub const ROWS: u32 = 5;
const MANY: u32 = 10_000;
const ROUNDS: usize = 7;
const ROUNDS_OF_MORE: usize = 5;
/// One table in so many gets an id that no insert meets soon.
const FAR_SHARE: u32 = 100;
const FAR_ID: u32 = 1_000_000_000;
const DRY_RUN: [&str; 2] = ["--once", "--dry-run"];

/// `MAX_RELATIONS` of `src/sequences/batch.rs`.
const RELATION_BOUND: f64 = 500.0;

/// Creates the tables. Returns the URL of their database.
pub fn tables(server: &TestServer) -> Result<String> {
    database(server, "ten_thousand", MANY, ROWS)
}

/// Compares a pass with psql, in turns. Returns the URL of the database.
pub fn ten_thousand(server: &TestServer, verdicts: &mut Verdicts) -> Result<String> {
    let url = tables(server)?;
    all_are_looked_at(&url, MANY)?;
    match psql(server) {
        Some(psql) => against_psql(server, &psql, &url, verdicts)?,
        None => {
            println!(
                "  no psql in {} nor on PATH: pgmedic's own time only (Debian: apt install postgresql-client)",
                server.bin_dir().display()
            );
            verdicts.at_most(IN_STRINGS, None, 1.2, "x");
            verdicts.at_most(ONE_BY_ONE, None, 1.0 / 3.0, "x");
            let [own] = alternate(ROUNDS, |_| Ok(()), |_| clients::run(pgmedic(&url, &DRY_RUN)))?;
            println!("  pgmedic --once --dry-run           {}", own.show());
        }
    }
    let seen = watch::run(&url, pgmedic(&url, &DRY_RUN))?;
    watch::show(&seen);
    verdicts.at_most("peak resident memory, 10 000 tables", seen.peak_mb, 40.0, "MB");
    Ok(url)
}

const IN_STRINGS: &str = "time against psql, the same reads in strings of 200";
const ONE_BY_ONE: &str = "time against psql, one question at a time";
const CPU_IN_STRINGS: &str = "the server's CPU time against psql, the same reads in strings of 200";

fn against_psql(server: &TestServer, psql: &Path, url: &str, verdicts: &mut Verdicts) -> Result<()> {
    let mut naive = tempfile::NamedTempFile::new()?;
    naive.write_all(one_by_one(MANY).as_bytes())?;
    let command = |competitor| match competitor {
        0 => pgmedic(url, &DRY_RUN),
        1 => in_strings(psql, url, MANY),
        _ => script(psql, url, naive.path()),
    };
    let mut cpu = [Some(0.0); 3];
    let run = |competitor: usize| {
        let before = cpu_seconds(server);
        clients::run(command(competitor))?;
        let spent = each(before, cpu_seconds(server), 1.0);
        cpu[competitor] = cpu[competitor].zip(spent).map(|(sum, spent)| sum + spent);
        Ok(())
    };
    let [own, strings, singly] = alternate(ROUNDS, |_| Ok(()), run)?;
    println!("  pgmedic --once --dry-run           {}", own.show());
    println!("  psql, in strings of 200            {}", strings.show());
    println!("  psql, one question at a time       {}", singly.show());
    verdicts.at_most(IN_STRINGS, Some(own.ratio_to(&strings)), 1.2, "x");
    verdicts.at_most(ONE_BY_ONE, Some(own.ratio_to(&singly)), 1.0 / 3.0, "x");
    verdicts.at_most(CPU_IN_STRINGS, cpu[0].zip(cpu[1]).map(|(own, strings)| own / strings), 1.5, "x");
    Ok(())
}

/// Compares a pass over the tables where one in a hundred has an id far ahead with one where none has, in turns.
pub fn far_ids(url: &str, verdicts: &mut Verdicts) -> Result<()> {
    let change = |statement: &str| {
        let far = MANY / FAR_SHARE;
        let each = format!("EXECUTE format('{statement}', i * {FAR_SHARE}, {FAR_ID})");
        execute(url, format!("DO $$ BEGIN FOR i IN 1..{far} LOOP {each}; END LOOP; END $$"))
    };
    let prepare = |competitor| match competitor {
        0 => change("DELETE FROM table_%s WHERE id = %s"),
        _ => change("INSERT INTO table_%s (id) VALUES (%s) ON CONFLICT DO NOTHING"),
    };
    let pass = |competitor| {
        let summary = clients::report(url, &DRY_RUN)?["summary"].clone();
        let far = if competitor == 0 { 0 } else { MANY / FAR_SHARE };
        if summary["held"] == far { Ok(()) } else { Err(format!("not {far} are held: {summary}").into()) }
    };
    let [healthy, far] = alternate(ROUNDS_OF_MORE, prepare, pass)?;
    prepare(0)?;
    println!("  the same, 1 % with a far id        {}", far.show());
    println!("  without, in turns                  {}", healthy.show());
    verdicts.at_most("time with 1 % far ids, against none", Some(far.ratio_to(&healthy)), 1.5, "x");
    Ok(())
}

/// Ten times as many tables, in turns with the ten thousand, on a server with default settings.
pub fn a_hundred_thousand(server: &TestServer, ten_thousand: &str, verdicts: &mut Verdicts) -> Result<()> {
    let url = database(server, "a_hundred_thousand", 10 * MANY, ROWS)?;
    all_are_looked_at(&url, 10 * MANY)?;
    let urls = [ten_thousand, &url];
    let [less, more] = alternate(ROUNDS_OF_MORE, |_| Ok(()), |which| clients::run(pgmedic(urls[which], &DRY_RUN)))?;
    println!("  pgmedic --once --dry-run           {}", more.show());
    println!("  the same on 10 000, in turns       {}", less.show());
    let seen = watch::run(&url, pgmedic(&url, &DRY_RUN))?;
    watch::show(&seen);
    verdicts.at_most(
        "time for each of 100 000 tables, against each of 10 000",
        Some(more.ratio_to(&less) / 10.0),
        1.0,
        "x",
    );
    verdicts.at_most(
        "relations that one backend locked at once, 100 000 tables",
        Some(seen.locks_of_one),
        RELATION_BOUND,
        "",
    );
    Ok(())
}

/// Checks that a run reported every table: one that skipped some would be faster.
fn all_are_looked_at(url: &str, tables: u32) -> Result<()> {
    let summary = clients::report(url, &DRY_RUN)?["summary"].clone();
    if summary["in_sync"] == tables { Ok(()) } else { Err(format!("not all {tables} are in sync: {summary}").into()) }
}

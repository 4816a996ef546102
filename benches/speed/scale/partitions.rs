//! Measures tables with a thousand partitions each.

use super::case::{Case, Cost, seconds};
use super::sizes::RELATION_BOUND;
use crate::Result;
use crate::figures::Block;
use crate::tables::execute;
use crate::verdicts::Verdicts;
use pgmedic_testserver::TestServer;

const PARTITIONS: u32 = 1000;

/// The number of partitions created in one transaction.
const AT_A_TIME: u32 = 250;

pub fn block(server: &TestServer, verdicts: &mut Verdicts) -> Result<Block> {
    let mut rows = Vec::new();
    for tables in [1, 10] {
        let name = format!("partitions_{tables}");
        let urls = [make(server, &name, tables)?];
        println!("\n{tables} tables with {PARTITIONS} partitions each");
        let case = Case { urls: &urls, direct: &urls, sequences: tables, rounds: 5, repairs: 3 };
        let cost = case.cost(server, PARTITIONS)?;
        let what = format!("relations that one backend locked at once, {tables} x {PARTITIONS} partitions");
        verdicts.at_most(what, Some(cost.seen.locks_of_one), RELATION_BOUND, "");
        let quiet = Some(cost.quiet / cost.full);
        verdicts.at_most(
            format!("a quiet pass over {tables} x {PARTITIONS} partitions, against a full one"),
            quiet,
            0.5,
            "x",
        );
        let memory = [cost.agent_mb, cost.seen.backends_mb].map(Cost::mb);
        let [agent, backends] = memory;
        let passes = [seconds(cost.full), seconds(cost.quiet), cost.repaired()];
        let [full, quiet, repaired] = passes;
        rows.push([tables.to_string(), full, quiet, repaired, agent, backends, cost.locks()]);
    }
    let columns = [
        "tables of 1 000 partitions",
        "full pass",
        "quiet pass",
        "all repaired",
        "the agent",
        "its server processes",
        "relations locked at once",
    ];
    Ok(Block::table("scale-partitions", columns, rows))
}

/// Creates the tables, with a serial id, a primary key, and one row in every partition. Returns the URL of the
/// database.
fn make(server: &TestServer, name: &str, tables: u32) -> Result<String> {
    execute(&server.url("postgres"), format!("CREATE DATABASE {name}"))?;
    let url = server.url(name);
    for table in 1..=tables {
        let columns = "id bigserial, region integer, PRIMARY KEY (id, region)";
        execute(&url, format!("CREATE TABLE table_{table} ({columns}) PARTITION BY LIST (region)"))?;
        for first in (1..=PARTITIONS).step_by(AT_A_TIME as usize) {
            let last = PARTITIONS.min(first + AT_A_TIME - 1);
            let block = format!(
                "DO $$ BEGIN
                     FOR i IN {first}..{last} LOOP
                         EXECUTE format('CREATE TABLE table_{table}_%s PARTITION OF table_{table} FOR VALUES IN (%s)', i, i);
                         EXECUTE format('INSERT INTO table_{table}_%s VALUES (%s, %s)', i, i, i);
                     END LOOP;
                 END $$"
            );
            execute(&url, block)?;
        }
        execute(&url, format!("SELECT setval('table_{table}_id_seq', {PARTITIONS})"))?;
    }
    execute(&url, "VACUUM (ANALYZE) pg_class, pg_attribute, pg_inherits, pg_depend, pg_index".to_owned())?;
    execute(&url, "CHECKPOINT".to_owned())?;
    Ok(url)
}

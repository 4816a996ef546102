//! What was measured, written down for `scripts/figures`, which puts it into the documents.

use super::Result;
use super::peer::{PEERS, Peer};
use super::tables::{block_on, connect};
use pgmedic::demo::Server;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A table, with or without a sentence before it.
pub struct Block {
    id: &'static str,
    text: Option<String>,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Block {
    pub fn table<'a>(id: &'static str, columns: impl IntoIterator<Item = &'a str>, rows: Vec<Vec<String>>) -> Self {
        Self { id, text: None, columns: columns.into_iter().map(str::to_owned).collect(), rows }
    }

    pub fn after(self, text: String) -> Self {
        Self { text: Some(text), ..self }
    }

    fn json(&self) -> Value {
        json!({ "id": self.id, "text": self.text, "columns": self.columns, "rows": self.rows })
    }
}

pub struct Figures {
    machine: String,
    taken: String,
    blocks: Vec<Block>,
    /// One table of everything, a column for each tool.
    summary: Vec<Vec<String>>,
}

/// A row with its name before it.
pub fn labelled(name: &str, cells: impl IntoIterator<Item = String>) -> Vec<String> {
    [name.to_owned()].into_iter().chain(cells).collect()
}

impl Figures {
    pub fn of(server: &Server) -> Result<Self> {
        let cores = std::thread::available_parallelism()?;
        let memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| gigabytes(&text));
        let memory = memory.map(|gigabytes| format!(" with {gigabytes} GB")).unwrap_or_default();
        let machine = format!("PostgreSQL {} on {cores} cores{memory}", server.version());
        let taken = block_on(async {
            let mut connection = connect(&server.url("postgres")).await?;
            Ok(sqlx::query_scalar("SELECT current_date::text").fetch_one(&mut connection).await?)
        })?;
        Ok(Self { machine, taken, blocks: Vec::new(), summary: Vec::new() })
    }

    pub fn machine(&self) -> &str {
        &self.machine
    }

    pub fn add(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Adds a row to the README's table.
    pub fn summarize(&mut self, row: Vec<String>) {
        self.summary.push(row);
    }

    /// Writes a file for each document; for the README only when `whole` says that nothing was left out. Returns their
    /// folder.
    pub fn write(self, whole: bool) -> Result<PathBuf> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join("figures");
        fs::create_dir_all(&folder)?;
        let write = |file: &str, document: &str, blocks: &[Block]| -> Result<()> {
            let blocks: Vec<Value> = blocks.iter().map(Block::json).collect();
            let figures =
                json!({ "document": document, "machine": self.machine, "taken": self.taken, "blocks": blocks });
            Ok(fs::write(folder.join(file), serde_json::to_string_pretty(&figures)? + "\n")?)
        };
        write("peers.json", "comparison", &self.blocks)?;
        if whole {
            let columns = [""].into_iter().chain(PEERS.map(Peer::name));
            write("peers-readme.json", "README", &[Block::table("peers", columns, self.summary)])?;
        }
        Ok(folder)
    }
}

fn gigabytes(meminfo: &str) -> Option<u64> {
    let kilobytes: u64 =
        meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes.div_ceil(1 << 20))
}

//! Collects the figures, and writes the files from which `scripts/figures` fills the documents.

use super::cases::README_ROWS;
use super::peer::{PEERS, Peer};
use super::{Result, record};
use pgmedic_testserver::TestServer;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A table, with an optional sentence before it.
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
    blocks: Vec<Block>,
    /// The rows of the README's table, a column for each tool.
    summary: Vec<Vec<String>>,
}

/// A row that begins with its name.
pub fn labelled(name: &str, cells: impl IntoIterator<Item = String>) -> Vec<String> {
    [name.to_owned()].into_iter().chain(cells).collect()
}

impl Figures {
    pub fn of(server: &TestServer) -> Result<Self> {
        let cores = std::thread::available_parallelism()?;
        let memory = record::memory().map(|gigabytes| format!(" with {gigabytes} GB")).unwrap_or_default();
        let machine = format!("PostgreSQL {} on {cores} cores{memory}", server.version());
        Ok(Self { machine, blocks: Vec::new(), summary: Vec::new() })
    }

    pub fn machine(&self) -> &str {
        &self.machine
    }

    pub fn add(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Adds a row to the README's table if its name is one of [`README_ROWS`].
    pub fn summarize(&mut self, row: Vec<String>) {
        if row.first().is_some_and(|name| README_ROWS.contains(&name.as_str())) {
            self.summary.push(row);
        }
    }

    /// Writes a file of figures for `docs/comparison.md`, and one for the README if `whole`: every part was measured.
    /// Returns the path of the first.
    pub fn write(self, server: &TestServer, whole: bool) -> Result<PathBuf> {
        let write = |name: &str, document: &str, blocks: &[Block]| {
            let blocks: Vec<Value> = blocks.iter().map(Block::json).collect();
            record::write(server, &self.machine, name, document, &blocks)
        };
        let path = write("peers", "comparison", &self.blocks)?;
        if whole {
            let names: Vec<&str> = self.summary.iter().map(|row| row[0].as_str()).collect();
            if names != README_ROWS {
                return Err(format!("the README's rows are {README_ROWS:?}; measured were {names:?}").into());
            }
            let columns = [""].into_iter().chain(PEERS.map(Peer::name));
            write("peers-readme", "README", &[Block::table("peers", columns, self.summary.clone())])?;
        }
        Ok(path)
    }
}

//! Writes the measured figures into the file from which `scripts/figures` fills the documents.

use super::{Result, record};
use pgmedic_testserver::TestServer;
use serde_json::{Value, json};

/// The content of one block of a document.
#[derive(Default)]
pub struct Block {
    id: &'static str,
    text: Option<String>,
    table: Option<(Vec<String>, Vec<Vec<String>>)>,
    plot: Option<Value>,
}

impl Block {
    pub fn table<const N: usize>(id: &'static str, columns: [&str; N], rows: Vec<[String; N]>) -> Self {
        let columns = columns.iter().map(ToString::to_string).collect();
        Self { id, table: Some((columns, rows.into_iter().map(Vec::from).collect())), ..Self::default() }
    }

    /// Sets the text before the table.
    pub fn after(self, text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..self }
    }

    pub fn plot(self, plot: &Plot<'_>) -> Self {
        let axis = |(label, log): (&str, bool)| json!({ "label": label, "log": log });
        let series: Vec<Value> =
            plot.series.iter().map(|(name, x, y)| json!({ "name": name, "x": x, "y": y })).collect();
        let (x, y) = (axis(plot.x), axis(plot.y));
        let plot = json!({ "title": plot.title, "kind": plot.kind, "x": x, "y": y, "series": series });
        Self { plot: Some(plot), ..self }
    }

    fn json(&self) -> Value {
        let (columns, rows) = self.table.clone().unzip();
        json!({ "id": self.id, "text": self.text, "columns": columns, "rows": rows, "plot": self.plot })
    }
}

/// A plot in the format of `scripts/plots.py`. An axis has a label, and is logarithmic or not.
pub struct Plot<'a> {
    pub title: &'a str,
    pub kind: &'a str,
    pub x: (&'a str, bool),
    pub y: (&'a str, bool),
    pub series: Vec<Series<'a>>,
}

/// A name, and as many x values as y values.
pub type Series<'a> = (&'a str, Vec<Value>, Vec<f64>);

/// Writes `target/figures/{name}.json`, for `docs/performance.md`.
pub fn write(server: &TestServer, name: &str, blocks: &[Block]) -> Result<()> {
    let blocks: Vec<Value> = blocks.iter().map(Block::json).collect();
    let path = record::write(server, &machine(server)?, name, "performance", &blocks)?;
    println!("\nwritten: {}, which scripts/figures puts into docs/performance.md", path.display());
    Ok(())
}

fn machine(server: &TestServer) -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let memory = record::memory().map(|gigabytes| format!(", {gigabytes} GB")).unwrap_or_default();
    Ok(format!("{cores} cores{memory}, PostgreSQL {}, fsync off", server.version()))
}

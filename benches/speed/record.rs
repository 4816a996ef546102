//! Writes the file for `scripts/figures`, with a description of the machine.

use super::Result;
use super::tables::{block_on, connect};
use pgmedic_testserver::TestServer;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes `target/figures/{name}.json`, for one document. Returns its path.
pub fn write(server: &TestServer, machine: &str, name: &str, document: &str, blocks: &[Value]) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join("figures");
    fs::create_dir_all(&folder)?;
    let taken: String = block_on(async {
        let mut connection = connect(&server.url("postgres")).await?;
        Ok(sqlx::query_scalar("SELECT current_date::text").fetch_one(&mut connection).await?)
    })?;
    let figures = json!({ "document": document, "machine": machine, "taken": taken, "blocks": blocks });
    let path = folder.join(format!("{name}.json"));
    fs::write(&path, serde_json::to_string_pretty(&figures)? + "\n")?;
    Ok(path)
}

/// The memory of the machine in GB, on Linux.
pub fn memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()?.div_ceil(1 << 20))
}

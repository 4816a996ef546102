//! `pgmedic history`: reads its arguments, runs it, and renders its report.

use crate::cli::{HistoryArguments, ListFormat};
use crate::config::{ConfigError, Settings};
use crate::history::{SequenceFilter, UnusableName, history, render};
use crate::report::TableOptions;

/// Why it has no report.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error(transparent)]
    Name(#[from] UnusableName),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the report could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The report as it is to be printed, and whether every log could be read.
pub(super) async fn print_history(
    settings: &Settings,
    arguments: &HistoryArguments,
) -> Result<(String, bool), HistoryError> {
    let filter = SequenceFilter::parse(arguments.sequence.as_deref())?;
    let report = history(settings, &filter, arguments.limit).await?;
    let text = match arguments.format {
        ListFormat::Table => render(&report, arguments.limit, TableOptions::for_stdout(false).color),
        ListFormat::Json => serde_json::to_string(&report)? + "\n",
    };
    Ok((text, report.is_complete()))
}

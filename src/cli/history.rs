//! The options of `pgmedic history`.

use super::ListFormat;
use clap::Args;

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct HistoryArguments {
    /// Only this sequence, as the report spells it or as a pattern, such as 'public.*' (default: all)
    #[arg(value_name = "SEQUENCE")]
    pub sequence: Option<String>,
    /// Only this database, by its configured name (repeatable)
    #[arg(long = "database", id = "of_database", value_name = "NAME")]
    pub database: Vec<String>,
    /// How many entries of each database to print at most, the newest
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// How to print them
    #[arg(long = "format", id = "of_format", value_enum, default_value = "table")]
    pub format: ListFormat,
}

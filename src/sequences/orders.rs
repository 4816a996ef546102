//! What the options of a pass mean for repairs.

use super::repair::RepairContext;
use crate::config::{Pattern, Sequences};
use crate::pass_options::PassOptions;
use pgmedic_core::TableName;
use pgmedic_core::Timeouts;
use pgmedic_core::sequence::model::Sequence;

impl PassOptions {
    pub(super) fn repair_context(&self, settings: &Sequences, timeouts: Timeouts) -> RepairContext {
        let look_only = match (self.dry_run, settings.repair) {
            (true, _) => Some("dry run"),
            (false, false) => Some("sequences.repair is false"),
            (false, true) => None,
        };
        RepairContext { headroom: self.headroom, timeouts, look_only }
    }

    /// Whether `--approve` names `sequence`: as the report spells it, in any way that SQL reads the same, or by a pattern.
    pub(super) fn approves(&self, sequence: &Sequence) -> bool {
        let (schema, name) = sequence.name_parts();
        self.approvals.iter().any(|approved| {
            **approved == *sequence.name
                || approved.parse::<TableName>().is_ok_and(|parsed| parsed.schema == schema && parsed.name == name)
                || approved.parse::<Pattern>().is_ok_and(|pattern| pattern.matches(&schema, &name))
        })
    }

    /// Whether `sequence` feeds a declared session store.
    pub(super) fn feeds_store(&self, sequence: &Sequence) -> bool {
        let is_store = |table: TableName| self.session_tables.contains(&table);
        sequence.sources().any(|source| source.table().parse().is_ok_and(is_store))
    }
}

//! What the options of a pass mean for repairs.

use super::repair::RepairContext;
use crate::config::Sequences;
use crate::pass_options::PassOptions;
use pgmedic_core::TableName;
use pgmedic_core::Timeouts;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::plan::RepairLimits;

impl PassOptions {
    pub(super) fn repair_context(&self, settings: &Sequences, timeouts: Timeouts) -> RepairContext {
        let limits = RepairLimits {
            // The headroom of the run replaces the configured one: `RepairContext::headroom` has it.
            headroom: if self.headroom == 0 { settings.headroom } else { 0 },
            advance_limit: settings.advance_limit,
            max_repair_ratio: settings.max_repair_ratio,
        };
        let look_only = match (self.dry_run, settings.repair) {
            (true, _) => Some("dry run"),
            (false, false) => Some("sequences.repair is false"),
            (false, true) => None,
        };
        RepairContext { limits, headroom: self.headroom, timeouts, look_only }
    }

    /// Whether `--approve` names `sequence`, as the report spells it or in any way that SQL reads the same.
    pub(super) fn approves(&self, sequence: &Sequence) -> bool {
        let (schema, name) = &sequence.name_parts;
        self.approvals.iter().any(|approved| {
            *approved == sequence.name
                || approved.parse::<TableName>().is_ok_and(|parsed| parsed.schema == *schema && parsed.name == *name)
        })
    }
}

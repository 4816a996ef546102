//! What a run's orders mean for repairs.

use super::repair::RepairContext;
use crate::config::Sequences;
use crate::pass_options::PassOptions;
use pgmedic_core::TableName;
use pgmedic_core::Timeouts;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::plan::RepairLimits;

impl PassOptions {
    pub(super) fn repair_context(&self, settings: &Sequences, bounds: Timeouts) -> RepairContext {
        let policy = RepairLimits {
            // What the run asks for stands for what is configured.
            headroom: if self.headroom == 0 { settings.headroom } else { 0 },
            advance_limit: settings.advance_limit,
            max_repair_ratio: settings.max_repair_ratio,
        };
        let look_only = match (self.dry_run, settings.repair) {
            (true, _) => Some("dry run"),
            (false, false) => Some("sequences.repair is false"),
            (false, true) => None,
        };
        RepairContext { policy, keep: self.headroom, bounds, look_only }
    }

    /// Whether what is held of `sequence` is let through, however its name was spelled: as reported, or any way SQL would
    /// read the same.
    pub(super) fn approves(&self, sequence: &Sequence) -> bool {
        let (schema, name) = &sequence.name_parts;
        self.approvals.iter().any(|approved| {
            *approved == sequence.name
                || approved.parse::<TableName>().is_ok_and(|parsed| parsed.schema == *schema && parsed.name == *name)
        })
    }
}

//! What the options of a pass mean for repairs.

use super::moves::Headroom;
use super::repair::RepairContext;
use crate::config::Sequences;
use crate::pass_options::PassOptions;
use pgmedic_core::TableName;
use pgmedic_core::Timeouts;
use pgmedic_core::sequence::model::Sequence;

impl PassOptions {
    pub(super) fn repair_context(&self, settings: &Sequences, timeouts: Timeouts) -> RepairContext {
        // The headroom of the run replaces the configured one.
        let headroom = Headroom { configured: settings.headroom, of_run: self.headroom };
        let look_only = match (self.dry_run, settings.repair) {
            (true, _) => Some("dry run"),
            (false, false) => Some("sequences.repair is false"),
            (false, true) => None,
        };
        RepairContext { headroom, timeouts, look_only }
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

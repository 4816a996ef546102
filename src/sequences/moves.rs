//! The next move of a sequence, by its judgement and the headroom that is wanted. Pure.

use pgmedic_core::sequence::ahead::{Basis, Looked};
use pgmedic_core::sequence::judgement::{Decision, Hold, RepairKind};
use pgmedic_core::sequence::position::ForwardMove;

/// Values to leave unused beyond the ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headroom {
    /// By the configuration, when a sequence is repaired; fewer where the range is small.
    pub configured: u32,
    /// By `--headroom`, also for a sequence that is in sync; instead of the configured one.
    pub of_run: u32,
}

/// What is to be done with a sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NextMove {
    Exhausted,
    Nothing {
        /// So many values will be handed out again: memory knows a further next value.
        rewound: Option<i128>,
    },
    Step(Step),
    Held(Hold),
}

/// A move, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    pub to: ForwardMove,
    /// Values that the allowance pays for.
    pub charged: u128,
    /// A block that was not soon met.
    pub early: bool,
    /// What it leaves in the way, and why.
    pub rest: Option<Hold>,
}

/// Judges what was seen, and adds the headroom.
pub fn next_move(looked: &Looked, basis: &Basis, headroom: Headroom) -> NextMove {
    let position = &looked.seen.position;
    let judged = basis.judge(looked);
    match judged.decision {
        Decision::Exhausted => NextMove::Exhausted,
        Decision::Held(hold) => NextMove::Held(hold),
        Decision::Repair { repair, rest } => {
            if let Some(held) = no_room(looked, repair.past, headroom.of_run) {
                return NextMove::Held(held);
            }
            let share = (judged.terms.range as f64 * basis.settings.max_repair_ratio) as u32;
            let extra = if headroom.of_run > 0 { headroom.of_run } else { headroom.configured.min(share) };
            match position.move_past(repair.past, extra) {
                Some(to) => {
                    let early = repair.kind == RepairKind::Early;
                    NextMove::Step(Step { to, charged: repair.charged, early, rest })
                }
                None => NextMove::Nothing { rewound: None },
            }
        }
        Decision::InSync { rewound, .. } => {
            let origin = looked.seen.origin().filter(|_| headroom.of_run > 0 && looked.seen.lag() > 0);
            let past = origin.map(|origin| position.numbering().at_or_before(origin.into()));
            if let Some(held) = past.and_then(|past| no_room(looked, past, headroom.of_run)) {
                return NextMove::Held(held);
            }
            match past.and_then(|past| position.move_past(past, headroom.of_run)) {
                Some(to) => NextMove::Step(Step { to, charged: 0, early: false, rest: None }),
                None => NextMove::Nothing { rewound },
            }
        }
    }
}

/// Where the headroom of the run would leave no value.
fn no_room(looked: &Looked, past: i128, headroom: u32) -> Option<Hold> {
    let limit = looked.seen.position.limit_number();
    let past = past + i128::from(headroom);
    (headroom > 0 && past >= limit).then_some(Hold::Limit { past, limit })
}

//! The distances and amounts that a judgement goes by, all in values of the sequence.

use super::ValueNumber;

/// A longer range counts as so many values.
const LONGEST_RANGE: i128 = 1 << 31;
/// `soon` is at least so many values, where the range allows it.
const LEAST_SOON: i128 = 1000;
/// `soon` is so many times the most that was handed out between two passes.
const SOON_FACTOR: i128 = 4;
/// What repairs may burn in sum is the range divided by this: 5 %.
const ALLOWANCE_DIVISOR: i128 = 20;

/// The operator's limits, from `[sequences]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Longest step, in values.
    pub advance_limit: u32,
    /// Largest share of the range that a step, `soon` or an early pass may span, 0 to 1.
    pub max_repair_ratio: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { advance_limit: 100_000, max_repair_ratio: 0.01 }
    }
}

/// What is remembered of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// A running agent's, or that of `pgmedic.repair_log`.
    Lasting(History),
    /// One run without either.
    RunOnly {
        /// Values charged by this run so far.
        charged: u128,
    },
}

/// What a lasting memory tells of a sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    /// The most values that it handed out between two passes since the start; what repairs passed is not counted.
    pub most_handed_out: u64,
    /// Values that repairs were charged with so far.
    pub charged: u128,
    /// Whether a block was already passed early, without approval.
    pub passed_early: bool,
}

/// The terms of a judgement, in values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// From the first bound to the limit, at most 2^31.
    pub range: i128,
    /// A block goes on where the next id lies within so many values.
    pub step: i128,
    /// An id nearer than so many values is soon met.
    pub soon: i128,
    /// What repairs may still burn.
    pub allowance: i128,
    /// A block at most so far away may be passed early; 0 where one was already.
    pub early: i128,
}

impl Terms {
    /// `limit` is the number of the last value that can be used.
    ///
    /// ```
    /// use pgmedic_core::sequence::judgement::{History, Memory, Settings, Terms};
    ///
    /// let int4 = i128::from(i32::MAX) - 1;
    /// let agent = Terms::new(int4, &Settings::default(), &Memory::Lasting(History::default()));
    /// assert_eq!((agent.step, agent.soon, agent.allowance), (100_000, 1000, 107_374_182));
    /// let once = Terms::new(int4, &Settings::default(), &Memory::RunOnly { charged: 0 });
    /// assert_eq!((once.step, once.soon, once.allowance), (100_000, 100_000, 100_000));
    /// ```
    #[must_use]
    pub fn new(limit: ValueNumber, settings: &Settings, memory: &Memory) -> Self {
        let range = limit.saturating_add(1).clamp(1, LONGEST_RANGE);
        // At most 2^31, which a float holds exactly.
        let share = ((range as f64 * settings.max_repair_ratio) as i128).clamp(1, range);
        let step = i128::from(settings.advance_limit).clamp(1, share);
        let (soon, allowance, passed_early) = match memory {
            Memory::Lasting(history) => {
                let soon = (SOON_FACTOR * i128::from(history.most_handed_out)).max(LEAST_SOON).min(share);
                (soon, left(range / ALLOWANCE_DIVISOR, history.charged), history.passed_early)
            }
            Memory::RunOnly { charged } => (step, left(step, *charged), false),
        };
        Self { range, step, soon, allowance, early: if passed_early { 0 } else { share } }
    }
}

/// What is left of `whole` after `charged`.
fn left(whole: i128, charged: u128) -> i128 {
    whole.saturating_sub_unsigned(charged).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT4: i128 = i32::MAX as i128 - 1;

    fn lasting(history: History) -> Terms {
        Terms::new(INT4, &Settings::default(), &Memory::Lasting(history))
    }

    #[test]
    fn soon_follows_the_pace_within_one_percent_of_the_range() {
        let at = |most_handed_out| lasting(History { most_handed_out, ..History::default() }).soon;
        assert_eq!([at(0), at(250), at(300), at(2_100_000), at(u64::MAX)], [1000, 1000, 1200, 8_400_000, 21_474_836]);
    }

    #[test]
    fn what_was_charged_leaves_the_allowance_and_never_makes_it_negative() {
        let at = |charged| lasting(History { charged, ..History::default() }).allowance;
        assert_eq!([at(0), at(7), at(107_374_182), at(u128::MAX)], [107_374_182, 107_374_175, 0, 0]);
        let run = |charged| Terms::new(INT4, &Settings::default(), &Memory::RunOnly { charged }).allowance;
        assert_eq!([run(0), run(99_999), run(100_001)], [100_000, 1, 0]);
    }

    #[test]
    fn small_ranges_have_small_steps_and_long_ones_count_as_2_to_31() {
        let small = Terms::new(99, &Settings::default(), &Memory::Lasting(History::default()));
        assert_eq!((small.range, small.step, small.soon, small.allowance, small.early), (100, 1, 1, 5, 1));
        let int2 = Terms::new(32_766, &Settings::default(), &Memory::RunOnly { charged: 0 });
        assert_eq!((int2.step, int2.soon, int2.allowance), (327, 327, 327));
        let widest = Terms::new(u64::MAX.into(), &Settings::default(), &Memory::Lasting(History::default()));
        assert_eq!((widest.range, widest.allowance), (1 << 31, 107_374_182));
    }

    #[test]
    fn a_block_is_passed_early_once_a_memory() {
        assert_eq!(lasting(History::default()).early, 21_474_836);
        assert_eq!(lasting(History { passed_early: true, ..History::default() }).early, 0);
    }

    #[test]
    fn odd_settings_make_no_odd_terms() {
        for max_repair_ratio in [0.0, -1.0, f64::NAN, f64::INFINITY, 1.0] {
            for advance_limit in [0, u32::MAX] {
                let settings = Settings { advance_limit, max_repair_ratio };
                let terms = Terms::new(INT4, &settings, &Memory::RunOnly { charged: 0 });
                assert!((1..=terms.range).contains(&terms.step), "{settings:?}: {terms:?}");
                assert!((1..=terms.range).contains(&terms.soon), "{settings:?}: {terms:?}");
            }
        }
    }
}

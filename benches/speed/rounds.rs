//! Runs competitors in turns, A B C, C B A, …, so that other load on the machine, and what the one before left behind, affect
//! all of them alike.

use super::Result;
use std::time::{Duration, Instant};

/// The times of one competitor, round by round.
pub struct Times(Vec<Duration>);

impl Times {
    pub fn median(&self) -> Duration {
        let mut times = self.0.clone();
        times.sort();
        times[times.len() / 2]
    }

    /// `1.234 s (1.201 to 1.401)`.
    pub fn show(&self) -> String {
        let seconds = |time: Option<&Duration>| time.map_or(0.0, Duration::as_secs_f64);
        let (low, high) = (seconds(self.0.iter().min()), seconds(self.0.iter().max()));
        format!("{:.4} s ({low:.4} to {high:.4})", self.median().as_secs_f64())
    }

    /// The median of the ratios within each round: a machine that is slow for a while is slow for both.
    pub fn ratio_to(&self, other: &Self) -> f64 {
        let mut ratios: Vec<f64> =
            self.0.iter().zip(&other.0).map(|(own, other)| own.as_secs_f64() / other.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }
}

/// Runs the competitors in turns, after one round that is not measured. Each turn is a preparation, which is not timed,
/// and a run.
pub fn alternate<const N: usize>(
    rounds: usize,
    mut prepare: impl FnMut(usize) -> Result<()>,
    mut run: impl FnMut(usize) -> Result<()>,
) -> Result<[Times; N]> {
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::new());
    for round in 0..=rounds {
        for turn in 0..N {
            let competitor = if round % 2 == 0 { turn } else { N - 1 - turn };
            prepare(competitor)?;
            let started = Instant::now();
            run(competitor)?;
            if round > 0 {
                times[competitor].push(started.elapsed());
            }
        }
    }
    Ok(times.map(Times))
}

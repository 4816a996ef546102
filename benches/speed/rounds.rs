//! Runs competitors in turns, A B C, A B C, …, so that other load on the machine affects all of them alike.

use super::Result;
use std::time::{Duration, Instant};

/// The times of one competitor's rounds, sorted.
pub struct Times(Vec<Duration>);

impl Times {
    pub fn median(&self) -> Duration {
        self.0[self.0.len() / 2]
    }

    /// `1.234 s (1.201 to 1.401)`.
    pub fn show(&self) -> String {
        let seconds = |time: Option<&Duration>| time.map_or(0.0, Duration::as_secs_f64);
        let (low, high) = (seconds(self.0.first()), seconds(self.0.last()));
        format!("{:.4} s ({low:.4} to {high:.4})", self.median().as_secs_f64())
    }

    /// The ratio of the medians.
    pub fn ratio_to(&self, other: &Self) -> f64 {
        self.median().as_secs_f64() / other.median().as_secs_f64()
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
        for (competitor, times) in times.iter_mut().enumerate() {
            prepare(competitor)?;
            let started = Instant::now();
            run(competitor)?;
            if round > 0 {
                times.push(started.elapsed());
            }
        }
    }
    Ok(times.map(|mut times| {
        times.sort();
        Times(times)
    }))
}

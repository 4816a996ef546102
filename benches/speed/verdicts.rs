//! Compares figures with their limits.

use std::fmt;

#[derive(Default)]
pub struct Verdicts(Vec<Verdict>);

struct Verdict {
    what: String,
    /// `None` where it could not be measured.
    figure: Option<f64>,
    limit: f64,
    unit: &'static str,
}

impl Verdicts {
    /// Adds a figure that may be at most `limit`.
    pub fn at_most(&mut self, what: impl Into<String>, figure: Option<f64>, limit: f64, unit: &'static str) {
        self.0.push(Verdict { what: what.into(), figure, limit, unit });
    }

    pub fn all_pass(&self) -> bool {
        self.0.iter().all(Verdict::passes)
    }
}

impl Verdict {
    fn passes(&self) -> bool {
        self.figure.is_some_and(|figure| figure <= self.limit)
    }
}

impl fmt::Display for Verdicts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for verdict in &self.0 {
            let Verdict { what, figure, limit, unit } = verdict;
            let (word, figure) = match figure {
                None => ("NOT MEASURED", "-".to_owned()),
                Some(figure) if verdict.passes() => ("PASS", format!("{figure:.3}")),
                Some(figure) => ("FALLS SHORT", format!("{figure:.3}")),
            };
            writeln!(out, "{word:<12} {what:<64} {figure:>8} {unit} (at most {limit:.2})")?;
        }
        Ok(())
    }
}

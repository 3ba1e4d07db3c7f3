//! What is promised of the figures, and whether it holds.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use anyhow::{Result, bail};
use serde_json::json;

/// CPU seconds that psql's pipe took for a million rows on the machine on which the absolute figures were set.
const REFERENCE: f64 = 6.3;

/// A figure and the most it may be.
#[derive(Clone, Debug)]
pub struct Promise {
    of: String,
    figure: f64,
    most: f64,
}

impl Promise {
    /// Promises that a figure is no more than `most`.
    pub fn new(of: impl Into<String>, figure: f64, most: f64) -> Self {
        Self { of: of.into(), figure, most }
    }
}

/// How many times slower this machine is than the one on which the absolute figures were set, as psql's pipe needs so
/// many CPU seconds here for so many rows.
pub fn slower(psql_cpu: f64, rows: i64) -> f64 {
    psql_cpu / (REFERENCE * rows as f64 / 1_000_000.0)
}

/// Prints each promise with its figure.
///
/// # Errors
/// When one is not kept, with all that are not.
pub fn judge(promises: &[Promise]) -> Result<()> {
    let mut broken = Vec::new();
    for Promise { of, figure, most } in promises {
        let kept = figure <= most;
        let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
        println!("{}", json!({"promise": of, "figure": round(*figure), "most": round(*most), "kept": kept}));
        if !kept {
            broken.push(of.as_str());
        }
    }
    if broken.is_empty() { Ok(()) } else { bail!("not kept: {}", broken.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_above_its_most_is_a_promise_broken() {
        let kept = Promise::new("kept", 1.0, 1.0);
        assert!(judge(std::slice::from_ref(&kept)).is_ok());
        let broken = judge(&[kept, Promise::new("too much", 1.01, 1.0)]).expect_err("1.01 is more than 1");
        assert_eq!(broken.to_string(), "not kept: too much");
    }
}

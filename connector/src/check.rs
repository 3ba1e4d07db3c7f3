//! The named steps of a connection test.

use std::time::Duration;

use crate::ConnectorError;

/// One step that was tried.
#[derive(Clone, Debug)]
pub struct Step {
    /// What was tried, such as `sign in` or `read cursor column`.
    pub name: &'static str,
    /// How long it took.
    pub took: Duration,
    /// What was learnt, for people, such as a version or a clock offset.
    pub note: Option<String>,
    /// What went wrong; later steps were then not tried.
    pub error: Option<ConnectorError>,
}

/// The steps in order; the test passed when none failed.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// The steps tried.
    pub steps: Vec<Step>,
}

impl Check {
    /// Tells whether every step succeeded.
    pub fn passed(&self) -> bool {
        self.steps.iter().all(|step| step.error.is_none())
    }
}

impl Check {
    /// Tries one step unless an earlier one failed, noting its time; gives its result when it succeeded.
    ///
    /// The future gives a value for later steps and what was learnt, for people.
    #[expect(
        clippy::disallowed_methods,
        reason = "the length of a step is shown to people; no decision hangs on it"
    )]
    pub async fn step<T>(
        &mut self,
        name: &'static str,
        attempt: impl Future<Output = crate::Result<(T, Option<String>)>>,
    ) -> Option<T> {
        if !self.passed() {
            return None;
        }
        let start = std::time::Instant::now();
        let outcome = attempt.await;
        let took = start.elapsed();
        let (value, note, error) = match outcome {
            Ok((value, note)) => (Some(value), note, None),
            Err(error) => (None, None, Some(error)),
        };
        self.steps.push(Step { name, took, note, error });
        value
    }
}

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

//! The named steps of a connection test.

use std::time::{Duration, SystemTime};

use crate::{Cell, ConnectorError, ErrorKind, Moment, patience};

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

/// When the machine behind a system goes to sleep, which is what it costs to ask often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// After so much time without work.
    After(Duration),
    /// Never by itself.
    Never,
}

/// The steps in order; the test passed when none failed.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// The steps tried.
    pub steps: Vec<Step>,
    /// When what computes goes to sleep, where the system has such a thing and told it.
    pub rest: Option<Rest>,
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
    /// The future gives a value for later steps and what was learnt, for people. It is given up when whoever waits has no
    /// more [patience](crate::patience), and the step has then failed.
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
        let outcome = match patience::left() {
            Some(left) => tokio::time::timeout(left, attempt).await.unwrap_or_else(|_| Err(silent(start))),
            None => attempt.await,
        };
        let took = start.elapsed();
        let (value, note, error) = match outcome {
            Ok((value, note)) => (Some(value), note, None),
            Err(error) => (None, None, Some(error)),
        };
        self.steps.push(Step { name, took, note, error });
        value
    }
}

/// The error of a step that nobody waits for any longer.
fn silent(start: std::time::Instant) -> ConnectorError {
    let message = format!("there was no answer within {:.0} s", start.elapsed().as_secs_f64().max(1.0));
    ConnectorError::new(ErrorKind::Timeout, message).hint(
        "it may be waking up: try again in a moment; if it stays so, see that firewalls and access lists let Weir's \
         addresses in",
    )
}

/// What a system's clock tells, for people: its time, and how far it is from this machine's when that can be told.
#[expect(clippy::disallowed_methods, reason = "two real clocks are compared; no decision hangs on it")]
pub(crate) fn clock_note(theirs: Moment) -> String {
    let text = Cell::Zoned(theirs).to_string();
    let Ok(ours) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) else { return text };
    match theirs.seconds - ours.as_secs().cast_signed() {
        // A second is what asking takes.
        -1..=1 => format!("{text}, as here"),
        ahead @ 2.. => format!("{text}, {ahead} seconds ahead of this machine"),
        behind => format!("{text}, {} seconds behind this machine", -behind),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_step_ends_with_the_patience_and_the_steps_before_it_are_kept() {
        let check = patience::within(Duration::from_millis(30), async {
            let mut check = Check::default();
            check.step("resolve host", async { Ok(((), Some("127.0.0.1".to_owned()))) }).await;
            check.step("connect", std::future::pending::<crate::Result<((), Option<String>)>>()).await;
            check.step("sign in", async { Ok(((), None)) }).await;
            check
        })
        .await;
        let steps: Vec<_> = check.steps.iter().map(|step| (step.name, step.error.is_none())).collect();
        assert_eq!(steps, [("resolve host", true), ("connect", false)]);
        let error = check.steps[1].error.as_ref().expect("it failed");
        assert_eq!(error.message(), "there was no answer within 1 s");
        assert!(error.action().is_some_and(|action| action.contains("access lists")));
    }
}

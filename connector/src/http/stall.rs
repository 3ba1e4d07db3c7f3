//! Hosts that never fall silent and never send what was asked for either. How long a host may send nothing is a matter of
//! each client; here is how long it may go on without a row or an answer's end, so that no host holds a worker for ever.

use std::time::Duration;

use crate::guard::Policy;
use crate::{ConnectorError, ErrorKind, Result, wall};

/// The longest that one answer may take from its head to its end, where it is taken whole, and that an answer of rows may
/// bring none. The largest that is taken whole, of 96 MiB, needs 110 kB a second.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// How much longer than a statement may take its first row is waited for, where statements may take long.
const GRACE: Duration = Duration::from_secs(60);
/// The longest that an answer may take which tells an error: what has come by then has to do.
pub(crate) const ERROR_TIME: Duration = Duration::from_secs(60);
/// The most bytes of an answer that tells an error.
pub(crate) const ERROR_BYTES: usize = 16 << 20;

/// How long one answer has brought nothing. Only time spent waiting for the host counts, not what is done with its rows.
#[derive(Clone, Debug)]
pub(crate) struct Stall {
    limit: Duration,
    waited: Duration,
    rows: u64,
}

impl Stall {
    /// For an answer that is taken whole: it may take 15 minutes.
    pub fn whole() -> Self {
        Self::after(LONGEST)
    }

    /// For an answer of rows, which may bring none for 15 minutes, or for as long as a statement may take and a minute.
    pub fn of_rows(policy: &Policy) -> Self {
        Self::after(LONGEST.max(policy.statement_timeout.saturating_add(GRACE)))
    }

    /// For an answer that may bring nothing for that long.
    pub fn after(limit: Duration) -> Self {
        Self { limit, waited: Duration::ZERO, rows: 0 }
    }

    /// Notes how many rows have come in all; more than before begin the time anew.
    pub fn came(&mut self, rows: u64) {
        if rows > self.rows {
            (self.rows, self.waited) = (rows, Duration::ZERO);
        }
    }

    /// Waits for more of an answer from `host`.
    ///
    /// # Errors
    /// `Timeout` when it has brought nothing for too long, which is left to the scheduler.
    pub async fn within<T>(&mut self, host: &str, more: impl Future<Output = T>) -> Result<T> {
        let begun = wall::moment();
        let outcome = tokio::time::timeout(self.limit.saturating_sub(self.waited), more).await;
        self.waited += begun.elapsed();
        outcome.map_err(|_| {
            let minutes = self.limit.as_secs().div_ceil(60);
            let message =
                format!("{host:?} went on answering for {minutes} minutes without bringing anything");
            ConnectorError::new(ErrorKind::Timeout, message)
                .hint("what stands between Weir and the system may pass its answers on too slowly")
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, stream};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(200);

    /// Something every now and then, for ever.
    fn drip() -> impl futures::Stream<Item = u8> + Unpin {
        let dripping = stream::repeat(7).then(async |byte| {
            tokio::time::sleep(LIMIT / 20).await;
            byte
        });
        Box::pin(dripping)
    }

    #[tokio::test]
    async fn a_host_that_drips_without_a_row_is_given_up() {
        let (mut stall, mut drip) = (Stall::after(LIMIT), drip());
        let error = loop {
            match stall.within("db", drip.next()).await {
                Ok(byte) => assert_eq!(byte, Some(7)),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        assert!(matches!(error.retry(), crate::Retry::Later(None)), "{error:?}");
        assert!(error.message().contains("\"db\""), "{error}");
    }

    #[tokio::test]
    async fn rows_begin_the_time_anew_and_what_is_done_with_them_does_not_count() {
        let (mut stall, mut drip) = (Stall::after(LIMIT), drip());
        stall.waited = LIMIT - LIMIT / 100;
        stall.came(1);
        assert!(stall.within("db", drip.next()).await.is_ok());
        let waited = stall.waited;
        tokio::time::sleep(LIMIT * 2).await;
        assert_eq!(stall.waited, waited);
        // The same rows again are none.
        stall.waited = LIMIT;
        stall.came(1);
        assert!(stall.within("db", std::future::pending::<()>()).await.is_err());
    }

    #[test]
    fn a_statement_that_may_take_long_may_be_silent_for_as_long() {
        let limit = |seconds| {
            let statement_timeout = Duration::from_secs(seconds);
            Stall::of_rows(&Policy { statement_timeout, ..Policy::default() }).limit
        };
        assert_eq!(limit(600), LONGEST);
        assert_eq!(limit(7_200), Duration::from_secs(7_260));
    }
}

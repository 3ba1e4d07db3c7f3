//! How long to wait before trying again.

use std::time::Duration;

use crate::clock::{Micros, SECOND};

/// Waits that double from one to the next, up to a limit, each a little shorter or longer than the rule says, so that
/// what failed together does not come back together.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Micros,
    /// The longest wait.
    pub most: Micros,
}

impl Backoff {
    /// Waits of whole seconds.
    pub fn seconds(first: u32, most: u32) -> Self {
        Self { first: i64::from(first) * SECOND, most: i64::from(most) * SECOND }
    }

    /// The wait after failed attempt number `attempt`, counted from 1, and never less than the wait `named` by the
    /// system that failed.
    pub fn wait(&self, attempt: i32, named: Option<Duration>) -> Micros {
        let doublings = attempt.clamp(1, 40).unsigned_abs() - 1;
        let rule = self.first.saturating_mul(1 << doublings).min(self.most);
        let named = named.map_or(0, |wait| i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
        // Between 80 % and 120 % of the rule; 120 % of nothing is nothing.
        let share = i64::from(getrandom::u32().unwrap_or(0) % 401);
        (rule / 1000 * 800).saturating_add(rule / 1000 * share).max(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_honor_a_named_wait() {
        let backoff = Backoff::seconds(10, 900);
        for (attempt, rule) in [(1, 10), (2, 20), (3, 40), (7, 640), (8, 900), (40, 900), (1000, 900)] {
            for _ in 0..50 {
                let wait = backoff.wait(attempt, None);
                assert!(
                    wait >= rule * SECOND * 8 / 10 && wait <= rule * SECOND * 12 / 10,
                    "{attempt}: {wait}"
                );
            }
        }
        assert!(backoff.wait(1, Some(Duration::from_secs(300))) == 300 * SECOND);
        assert!(backoff.wait(8, Some(Duration::from_secs(1))) >= 720 * SECOND);
        let waits: std::collections::HashSet<_> = (0..50).map(|_| backoff.wait(3, None)).collect();
        assert!(waits.len() > 1, "what failed together must not come back together");
    }
}

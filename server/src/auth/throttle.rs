//! Slows down those who try too often.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;

/// Keys held before those at rest are forgotten.
const MOST_KEYS: usize = 20_000;

/// Lets each key do something in bursts, then at a steady pace.
#[derive(Clone)]
pub struct Throttle {
    limiter: Arc<RateLimiter<String, HashMapStateStore<String>, Ticks, NoOpMiddleware<Nanos>>>,
    ticks: Ticks,
}

impl Throttle {
    /// A throttle that lets each key go `burst` times at once and then once every `pace`.
    pub fn new(clock: &Clock, burst: NonZeroU32, pace: Duration) -> Self {
        let ticks = Ticks(clock.clone());
        // A pace of nothing would mean no limit; one nanosecond comes near enough.
        let pace = pace.max(Duration::from_nanos(1));
        let quota = Quota::with_period(pace).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        Self { limiter: Arc::new(RateLimiter::hashmap_with_clock(quota, ticks.clone())), ticks }
    }

    /// Counts one attempt of `key`.
    ///
    /// # Errors
    /// How long to wait, when it has had its share.
    pub fn attempt(&self, key: &str) -> Result<(), Duration> {
        if self.limiter.len() > MOST_KEYS {
            self.limiter.retain_recent();
        }
        let attempt = self.limiter.check_key(&key.to_owned());
        attempt.map_err(|refusal| refusal.wait_time_from(self.ticks.now()))
    }
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle").field("keys", &self.limiter.len()).finish()
    }
}

/// The App's clock as a throttle reads it.
#[derive(Clone, Debug)]
struct Ticks(Clock);

impl governor::clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let micros = u64::try_from(self.0.now()).unwrap_or_default();
        Nanos::from(micros.saturating_mul(1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    #[test]
    fn a_burst_then_a_pace_for_each_key() {
        let clock = Clock::fixed(1_000_000 * SECOND);
        let burst = NonZeroU32::new(3).expect("three");
        let throttle = Throttle::new(&clock, burst, Duration::from_secs(10));
        for _ in 0..3 {
            assert!(throttle.attempt("ann").is_ok());
        }
        let wait = throttle.attempt("ann").expect_err("the burst is used up");
        assert!(wait <= Duration::from_secs(10) && wait > Duration::from_secs(8), "{wait:?}");
        assert!(throttle.attempt("bob").is_ok());
        clock.advance(10 * SECOND);
        assert!(throttle.attempt("ann").is_ok());
        assert!(throttle.attempt("ann").is_err());
    }
}

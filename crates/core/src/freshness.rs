//! How long what the index knows may be relied on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::store::Sharing;

/// Since when the index is known to be complete.
///
/// Fresh means that at most `max_staleness` has passed, by the monotonic *and* by the real-time clock, since a
/// moment taken *before* the read which found nothing newer than what is applied. A process that was paused or
/// suspended therefore finds itself stale when it wakes.
#[derive(Debug)]
pub(crate) struct Freshness {
    /// None if nobody else writes to the store.
    limit: Option<Duration>,
    /// When it was last confirmed, in nanoseconds and 1 more; 0 for never.
    monotonic: AtomicU64,
    realtime: AtomicU64,
}

/// A moment by both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    monotonic: u64,
    realtime: u64,
}

impl Moment {
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        Self {
            monotonic: nanos(clock.monotonic()),
            realtime: clock.now().nanos(),
        }
    }
}

impl Freshness {
    pub(crate) fn new(sharing: Sharing, max_staleness: Duration) -> Self {
        Self {
            limit: (sharing == Sharing::Shared).then_some(max_staleness),
            monotonic: AtomicU64::new(0),
            realtime: AtomicU64::new(0),
        }
    }

    /// How often the store must be asked so that the index stays fresh; none if it need not be.
    pub(crate) fn heartbeat(&self) -> Option<Duration> {
        self.limit.map(|limit| limit / 3)
    }

    /// All that was written before `moment` is applied.
    pub(crate) fn confirm(&self, moment: Moment) {
        self.realtime.store(moment.realtime + 1, Ordering::Release);
        self.monotonic
            .store(moment.monotonic + 1, Ordering::Release);
    }

    pub(crate) fn is_fresh(&self, clock: &dyn Clock) -> bool {
        let confirmed = self.monotonic.load(Ordering::Acquire);
        let Some(limit) = self.limit else {
            return confirmed != 0;
        };
        let limit = nanos(limit);
        let within = |since: u64, now: u64| since != 0 && now <= (since - 1).saturating_add(limit);
        within(confirmed, nanos(clock.monotonic()))
            && within(self.realtime.load(Ordering::Acquire), clock.now().nanos())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::time::Timestamp;

    const LIMIT: Duration = Duration::from_secs(10);
    const MS: Duration = Duration::from_millis(1);

    fn clock() -> ManualClock {
        ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn stale_before_the_first_confirmation_and_past_the_limit() {
        let (clock, fresh) = (clock(), Freshness::new(Sharing::Shared, LIMIT));
        assert!(!fresh.is_fresh(&clock));
        fresh.confirm(Moment::now(&clock));
        clock.advance(LIMIT);
        assert!(fresh.is_fresh(&clock));
        clock.advance(MS);
        assert!(!fresh.is_fresh(&clock));
    }

    #[test]
    fn either_clock_alone_makes_it_stale() {
        let (clock, fresh) = (clock(), Freshness::new(Sharing::Shared, LIMIT));
        fresh.confirm(Moment::now(&clock));
        let start = clock.now();
        // Suspended: the monotonic clock stood still.
        clock.set(start.saturating_add(LIMIT + MS));
        assert!(!fresh.is_fresh(&clock));
        // Set back: the time of day is of no help, the monotonic clock goes on.
        clock.set(Timestamp::MIN);
        assert!(fresh.is_fresh(&clock));
        clock.advance(LIMIT + MS);
        clock.set(start);
        assert!(!fresh.is_fresh(&clock));
    }

    #[test]
    fn an_exclusive_store_needs_one_confirmation() {
        let (clock, fresh) = (clock(), Freshness::new(Sharing::Exclusive, LIMIT));
        assert!(!fresh.is_fresh(&clock));
        fresh.confirm(Moment::now(&clock));
        clock.advance(LIMIT * 1000);
        assert!(fresh.is_fresh(&clock));
        assert_eq!(fresh.heartbeat(), None);
    }
}

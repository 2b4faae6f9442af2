//! Tracks how long the index may be relied on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::store::Sharing;
use crate::time::Timestamp;

/// The time until which the index counts as complete.
///
/// The index is fresh if at most `max_staleness` has passed, by the monotonic *and* by the
/// real-time clock, since a moment *before* the last read that reached the end of the store. A
/// process that was paused or suspended for longer is therefore stale when it resumes.
///
/// Stored as a deadline for each clock, so that a check only compares.
#[derive(Debug)]
pub(crate) struct Freshness {
    /// None if no other process writes to the store.
    limit: Option<Duration>,
    /// First nanosecond at which the index is stale, by each clock: 0 before the first
    /// confirmation, [`NEVER_STALE`] if no clock must be read.
    monotonic: AtomicU64,
    realtime: AtomicU64,
}

/// Later than any deadline.
const NEVER_STALE: u64 = u64::MAX;

/// One reading of both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockReading {
    monotonic: u64,
    realtime: u64,
}

impl ClockReading {
    #[inline]
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        let (realtime, monotonic) = clock.both();
        Self { monotonic: nanos(monotonic), realtime: realtime.nanos() }
    }
}

/// The time of day during one check, read at most once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now<'c> {
    clock: &'c dyn Clock,
    read: Option<Timestamp>,
}

impl<'c> Now<'c> {
    #[cfg(test)]
    pub(crate) fn of(clock: &'c dyn Clock) -> Self {
        Self { clock, read: None }
    }

    #[inline]
    pub(crate) fn get(self) -> Timestamp {
        self.read.unwrap_or_else(|| self.clock.now())
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

    /// Returns how often the store must be read to keep the index fresh; none if there is no limit.
    pub(crate) fn heartbeat(&self) -> Option<Duration> {
        self.limit.map(|limit| limit / 3)
    }

    /// Confirms that everything written before `moment` is applied.
    pub(crate) fn confirm(&self, moment: ClockReading) {
        let limit = self.limit.map_or(NEVER_STALE, nanos);
        let end = |since: u64| since.saturating_add(limit).saturating_add(1);
        self.realtime.store(end(moment.realtime), Ordering::Release);
        self.monotonic.store(end(moment.monotonic), Ordering::Release);
    }

    /// Returns the time if the index is fresh. If no other process writes to the store, no clock is
    /// read until the time is needed.
    #[inline]
    pub(crate) fn fresh<'c>(&self, clock: &'c dyn Clock) -> Option<Now<'c>> {
        let monotonic = self.monotonic.load(Ordering::Acquire);
        if monotonic == NEVER_STALE {
            return Some(Now { clock, read: None });
        }
        if monotonic == 0 {
            return None;
        }
        let realtime = self.realtime.load(Ordering::Acquire);
        let (now, passed) = clock.both();
        let fresh = nanos(passed) < monotonic && now.nanos() < realtime;
        fresh.then_some(Now { clock, read: Some(now) })
    }

    #[cfg(test)]
    pub(crate) fn is_fresh(&self, clock: &dyn Clock) -> bool {
        self.fresh(clock).is_some()
    }
}

#[inline]
fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(duration.subsec_nanos().into()).min(NEVER_STALE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const LIMIT: Duration = Duration::from_secs(10);
    const MS: Duration = Duration::from_millis(1);

    fn clock() -> ManualClock {
        ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_index_is_stale_before_its_first_confirmation_and_past_the_limit() {
        let (clock, fresh) = (clock(), Freshness::new(Sharing::Shared, LIMIT));
        assert!(!fresh.is_fresh(&clock));
        fresh.confirm(ClockReading::now(&clock));
        clock.advance(LIMIT);
        assert!(fresh.is_fresh(&clock));
        clock.advance(MS);
        assert!(!fresh.is_fresh(&clock));
    }

    #[test]
    fn either_clock_alone_can_mark_the_index_stale() {
        let (clock, fresh) = (clock(), Freshness::new(Sharing::Shared, LIMIT));
        fresh.confirm(ClockReading::now(&clock));
        let start = clock.now();
        // Suspended: the monotonic clock stood still.
        clock.set(start.saturating_add(LIMIT + MS));
        assert!(!fresh.is_fresh(&clock));
        // Clock set back: the real-time clock cannot show the staleness, the monotonic clock still
        // does.
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
        fresh.confirm(ClockReading::now(&clock));
        clock.advance(LIMIT * 1000);
        assert!(fresh.is_fresh(&clock));
        assert_eq!(fresh.heartbeat(), None);
    }

    /// A clock that panics when it is read.
    #[derive(Debug)]
    struct PanickingClock;

    impl Clock for PanickingClock {
        fn now(&self) -> Timestamp {
            panic!("unexpected read of the real-time clock")
        }

        fn monotonic(&self) -> Duration {
            panic!("unexpected read of the monotonic clock")
        }
    }

    #[test]
    fn an_exclusive_store_reads_no_clock() {
        let fresh = Freshness::new(Sharing::Exclusive, LIMIT);
        assert!(fresh.fresh(&PanickingClock).is_none());
        fresh.confirm(ClockReading::now(&clock()));
        assert!(fresh.fresh(&PanickingClock).is_some());
    }

    #[test]
    fn a_shared_store_reads_the_time_of_day_once() {
        let (clock, fresh) = (clock(), Freshness::new(Sharing::Shared, LIMIT));
        fresh.confirm(ClockReading::now(&clock));
        let start = clock.now();
        let now = fresh.fresh(&clock).unwrap();
        clock.advance(MS);
        assert_eq!(now.get(), start);
    }

    #[test]
    fn an_exclusive_store_reads_the_time_of_day_when_it_matters() {
        let (clock, fresh) = (clock(), Freshness::new(Sharing::Exclusive, LIMIT));
        fresh.confirm(ClockReading::now(&clock));
        let now = fresh.fresh(&clock).unwrap();
        clock.advance(MS);
        assert_eq!(now.get(), clock.now());
    }

    #[test]
    fn unlimited_staleness_stays_fresh() {
        let (clock, fresh) = (clock(), Freshness::new(Sharing::Shared, Duration::MAX));
        assert!(!fresh.is_fresh(&clock));
        fresh.confirm(ClockReading::now(&clock));
        clock.advance(Duration::from_secs(1 << 33));
        assert!(fresh.is_fresh(&clock));
    }

    #[test]
    fn staleness_is_exact_to_a_nanosecond() {
        let (clock, fresh) = (clock(), Freshness::new(Sharing::Shared, LIMIT));
        fresh.confirm(ClockReading::now(&clock));
        let start = clock.now();
        clock.advance(LIMIT);
        clock.set(start);
        assert!(fresh.is_fresh(&clock));
        clock.advance(Duration::from_nanos(1));
        clock.set(start);
        assert!(!fresh.is_fresh(&clock));
        let (clock, fresh) = (self::clock(), Freshness::new(Sharing::Shared, LIMIT));
        fresh.confirm(ClockReading::now(&clock));
        clock.set(start.saturating_add(LIMIT));
        assert!(fresh.is_fresh(&clock));
        clock.set(start.saturating_add(LIMIT + Duration::from_nanos(1)));
        assert!(!fresh.is_fresh(&clock));
    }
}

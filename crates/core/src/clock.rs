//! Reads the clock. No other module does.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::time::Timestamp;

/// A source of time for the engine. Tests use a [`ManualClock`].
pub trait Clock: Debug + Send + Sync + 'static {
    /// Returns the time of day.
    fn now(&self) -> Timestamp;

    /// Returns the time since a fixed point, unaffected by changes to the system clock.
    fn monotonic(&self) -> Duration;

    /// Returns both times, as needed by every check on a shared store. An override must return the
    /// same values, faster.
    fn both(&self) -> (Timestamp, Duration) {
        (self.now(), self.monotonic())
    }
}

/// The coarse clocks of the kernel: the time of the last tick. Reading them takes a few nanoseconds
/// and no system call.
///
/// A tick occurs every 1 to 10 ms (`CONFIG_HZ`; 4 ms at the usual 250 Hz; `clock_getres` of
/// `CLOCK_REALTIME_COARSE` returns it). The time may be late by one tick: a token is refused up to
/// one tick after its expiry, and an engine detects up to one tick late that it is stale. On
/// platforms without these clocks, the standard library is used.
///
/// The time of day never decreases within one process: an expired token stays expired when the
/// system clock is set back.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicU64,
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let read = coarse::realtime();
        // Written at most once per tick, so that readers share the cache line.
        let latest = self.latest.load(Ordering::Relaxed);
        if read > latest {
            self.latest.fetch_max(read, Ordering::Relaxed);
        }
        Timestamp::from_nanos(read.max(latest)).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        coarse::monotonic()
    }
}

#[cfg(target_os = "linux")]
mod coarse {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    /// Returns the nanoseconds since 1970.
    #[inline]
    pub(super) fn realtime() -> u64 {
        let read = clock_gettime(ClockId::RealtimeCoarse);
        let seconds = u64::try_from(read.tv_sec).unwrap_or(0);
        let nanos = u64::try_from(read.tv_nsec).unwrap_or(0);
        seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
    }

    #[inline]
    pub(super) fn monotonic() -> Duration {
        let read = clock_gettime(ClockId::MonotonicCoarse);
        let seconds = u64::try_from(read.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(read.tv_nsec).unwrap_or(0);
        Duration::new(seconds, nanos)
    }
}

#[cfg(not(target_os = "linux"))]
mod coarse {
    use std::sync::LazyLock;
    use std::time::{Duration, Instant, SystemTime};

    pub(super) fn realtime() -> u64 {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    pub(super) fn monotonic() -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// A clock that only moves when a test advances it. Clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<ManualTime>);

#[derive(Debug)]
struct ManualTime {
    now: AtomicU64,
    monotonic: AtomicU64,
}

impl ManualClock {
    /// Creates a clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(ManualTime {
            now: AtomicU64::new(now.nanos()),
            monotonic: AtomicU64::new(0),
        }))
    }

    /// Advances both times by `duration`.
    pub fn advance(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.0.now.fetch_add(nanos, Ordering::SeqCst);
        self.0.monotonic.fetch_add(nanos, Ordering::SeqCst);
    }

    /// Sets the time of day without advancing the monotonic time.
    pub fn set(&self, now: Timestamp) {
        self.0.now.store(now.nanos(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.now.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.0.monotonic.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_never_runs_backwards() {
        let clock = SystemClock::default();
        let future = clock.now().saturating_add(Duration::from_secs(60));
        clock.latest.fetch_max(future.nanos(), Ordering::Relaxed);
        assert_eq!(clock.now(), future);
    }

    #[test]
    fn the_system_clock_tells_the_time() {
        let exact = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let coarse = Duration::from_nanos(SystemClock::default().now().nanos());
        assert!(coarse.abs_diff(exact) < Duration::from_millis(50));
    }
}

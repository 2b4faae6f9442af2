//! The one place where the clock is read.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::time::Timestamp;

/// What the engine takes for the time; replaced in tests by a [`ManualClock`].
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// Time since some fixed point, which no setting of the clock moves.
    fn monotonic(&self) -> Duration;

    /// Both; what every check on a shared store asks. An override may be faster, and must answer the same.
    fn both(&self) -> (Timestamp, Duration) {
        (self.now(), self.monotonic())
    }
}

/// The kernel's coarse clocks: the time of its last tick, which costs a few nanoseconds and no system call to read.
///
/// A tick comes every 1 to 10 ms (`CONFIG_HZ`; 4 ms at the usual 250 Hz, `clock_getres` of `CLOCK_REALTIME_COARSE` tells). So
/// the time may lie that far behind: a token is refused up to one tick after it has expired, and an engine finds itself
/// stale up to one tick late. Where there are no such clocks, those of the standard library are read.
///
/// The time of day never runs backwards within one process: a token that has expired stays expired when the
/// clock is set back.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicU64,
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let read = coarse::realtime();
        // Written at most once a tick, so that readers share the line.
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

    /// Nanoseconds since 1970.
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

/// A clock that is moved by hand; clones share it.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<ManualTime>);

#[derive(Debug)]
struct ManualTime {
    now: AtomicU64,
    monotonic: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(ManualTime {
            now: AtomicU64::new(now.nanos()),
            monotonic: AtomicU64::new(0),
        }))
    }

    /// Lets `duration` pass.
    pub fn advance(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.0.now.fetch_add(nanos, Ordering::SeqCst);
        self.0.monotonic.fetch_add(nanos, Ordering::SeqCst);
    }

    /// Sets the time of day, without any time passing.
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

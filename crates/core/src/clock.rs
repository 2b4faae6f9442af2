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
}

/// The kernel's coarse clocks: 4 ms steps on most Linux machines, a few nanoseconds to read.
///
/// The time of day never runs backwards within one process: a token that has expired stays expired when the
/// clock is set back.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicU64,
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let read = coarse(CoarseClock::Realtime);
        let nanos = u64::try_from(read.as_nanos()).unwrap_or(u64::MAX);
        let now = Timestamp::from_nanos(nanos).unwrap_or(Timestamp::MAX);
        // Written at most once a step of the clock, so that readers share the line.
        let latest = self.latest.load(Ordering::Relaxed);
        if now.nanos() > latest {
            self.latest.fetch_max(now.nanos(), Ordering::Relaxed);
            return now;
        }
        Timestamp::from_nanos(latest).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        coarse(CoarseClock::Monotonic)
    }
}

enum CoarseClock {
    Realtime,
    Monotonic,
}

#[cfg(target_os = "linux")]
fn coarse(clock: CoarseClock) -> Duration {
    let id = match clock {
        CoarseClock::Realtime => rustix::time::ClockId::RealtimeCoarse,
        CoarseClock::Monotonic => rustix::time::ClockId::MonotonicCoarse,
    };
    let read = rustix::time::clock_gettime(id);
    let seconds = u64::try_from(read.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(read.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}

#[cfg(not(target_os = "linux"))]
fn coarse(clock: CoarseClock) -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    match clock {
        CoarseClock::Realtime => std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default(),
        CoarseClock::Monotonic => START.elapsed(),
    }
}

/// A clock that is moved by hand; clones share it.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    now: AtomicU64,
    monotonic: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Hands {
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

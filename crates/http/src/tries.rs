//! How often passwords may be tried, and how many are computed at once: each takes Argon2 its time and 19 MiB.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::PasswordLimit;
use crate::failure::{Code, Failure};

/// So many are computed at once at most, on however many processors.
const MOST_TURNS: usize = 8;
/// So many requests wait for their turn.
const MOST_WAITING: usize = 64;
/// So many names are remembered.
const MOST_NAMES: usize = 10_000;

/// The failed tries of each user name, whether there is such a user or not; and whose turn it is.
pub(crate) struct Tries {
    limit: PasswordLimit,
    turns: Arc<Semaphore>,
    waiting: Semaphore,
    /// By hashes of the names under a secret of this process, for a name may be as long as a header.
    names: Mutex<Names>,
    hasher: RandomState,
}

type Names = HashMap<u64, Failed>;

/// Who has it may compute a password's hash. It goes to the thread that does, and is given back when that is done, also if
/// nobody waits for the answer any more.
#[derive(Debug)]
pub(crate) struct Turn {
    _turn: OwnedSemaphorePermit,
}

#[derive(Debug, Clone, Copy)]
struct Failed {
    times: u32,
    since: Instant,
}

impl fmt::Debug for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tries")
    }
}

impl Tries {
    pub(crate) fn new(limit: PasswordLimit) -> Self {
        // The other half is for those who come with tokens.
        let turns = available_parallelism().map_or(1, |all| all.get() / 2);
        Self::with(limit, turns.clamp(1, MOST_TURNS))
    }

    fn with(limit: PasswordLimit, turns: usize) -> Self {
        Self {
            limit,
            turns: Arc::new(Semaphore::new(turns)),
            waiting: Semaphore::new(MOST_WAITING),
            names: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    ///
    /// 503 if too many wait already.
    pub(crate) async fn turn(&self) -> Result<Turn, Failure> {
        let busy = || {
            let message = "too many passwords are being computed; try again in a moment";
            Failure::new(Code::Unavailable, message).after(1)
        };
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        turn.map(|turn| Turn { _turn: turn }).map_err(|_| busy())
    }

    /// Waits for a turn to try the password of the user with this name. The try counts as failed until [`Tries::fitted`].
    ///
    /// # Errors
    ///
    /// 429 if too many have failed; as [`Tries::turn`].
    pub(crate) async fn turn_of(&self, user: &str) -> Result<Turn, Failure> {
        let user = self.hasher.hash_one(user);
        self.check(user, Instant::now())?;
        let turn = self.turn().await?;
        self.count(user, Instant::now())?;
        Ok(turn)
    }

    /// The password was right: what had failed before is forgotten.
    pub(crate) fn fitted(&self, user: &str) {
        self.names().remove(&self.hasher.hash_one(user));
    }

    fn check(&self, user: u64, now: Instant) -> Result<(), Failure> {
        self.check_in(&self.names(), user, now)
    }

    fn check_in(&self, names: &Names, user: u64, now: Instant) -> Result<(), Failure> {
        let failed = names.get(&user);
        match failed.map(|failed| (failed.times, self.left(*failed, now))) {
            Some((times, Some(left))) if times >= self.limit.failures => Err(too_many(left)),
            _ => Ok(()),
        }
    }

    fn count(&self, user: u64, now: Instant) -> Result<(), Failure> {
        let mut names = self.names();
        self.check_in(&names, user, now)?;
        if names.len() >= MOST_NAMES && !names.contains_key(&user) {
            names.retain(|_, failed| self.left(*failed, now).is_some());
            // Whoever tries many names pushes out those that were tried least.
            let least = names
                .iter()
                .min_by_key(|(_, failed)| (failed.times, failed.since));
            if let Some(least) = least.map(|(name, _)| *name)
                && names.len() >= MOST_NAMES
            {
                names.remove(&least);
            }
        }
        let begun = Failed {
            times: 0,
            since: now,
        };
        let failed = names.entry(user).or_insert(begun);
        if self.left(*failed, now).is_none() {
            *failed = begun;
        }
        failed.times += 1;
        Ok(())
    }

    /// For how long it still counts; none if it does not any more.
    fn left(&self, failed: Failed, now: Instant) -> Option<Duration> {
        let passed = now.saturating_duration_since(failed.since);
        let left = self.limit.window.checked_sub(passed)?;
        (!left.is_zero()).then_some(left)
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same words whether there is such a user or not.
fn too_many(left: Duration) -> Failure {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let message =
        format!("too many wrong passwords were given under this name; try again in {seconds} s");
    Failure::new(Code::TooMany, message).after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: PasswordLimit = PasswordLimit {
        failures: 3,
        window: Duration::from_secs(10),
    };

    #[test]
    fn after_some_failures_a_name_waits_until_the_window_is_over() {
        let tries = Tries::with(LIMIT, 1);
        let begun = Instant::now();
        let at = |seconds: f64| begun + Duration::from_secs_f64(seconds);
        for second in [0.0, 1.0, 8.0] {
            assert_eq!(tries.count(1, at(second)), Ok(()));
        }
        for (second, left) in [(8.0, "2 s"), (9.5, "1 s"), (9.999, "1 s")] {
            let refused = tries.count(1, at(second)).unwrap_err();
            assert_eq!(refused.code, Code::TooMany);
            assert!(refused.message.ends_with(left), "{}", refused.message);
            assert_eq!(tries.check(1, at(second)), Err(refused));
        }
        // What is refused is not counted, and another name has its own tries.
        assert_eq!(tries.count(2, at(9.0)), Ok(()));
        for _ in 0..3 {
            assert_eq!(tries.count(1, at(10.0)), Ok(()));
        }
        assert!(tries.count(1, at(10.0)).is_err());
    }

    #[test]
    fn a_right_password_forgets_the_wrong_ones() {
        let tries = Tries::with(LIMIT, 1);
        let (anna, now) = (tries.hasher.hash_one("anna"), Instant::now());
        for _ in 0..5 {
            tries.count(anna, now).unwrap();
            tries.count(anna, now).unwrap();
            tries.fitted("anna");
        }
        assert!(tries.names().is_empty());
    }

    #[test]
    fn the_names_are_bounded_and_who_was_tried_most_stays() {
        let tries = Tries::with(LIMIT, 1);
        let now = Instant::now();
        for _ in 0..3 {
            tries.count(0, now).unwrap();
        }
        for name in 1..=MOST_NAMES as u64 + 300 {
            tries.count(name, now).unwrap();
            assert!(tries.names().len() <= MOST_NAMES);
        }
        assert!(tries.check(0, now).is_err());
        // Those that do not count any more go first.
        let later = now + LIMIT.window;
        tries.count(u64::MAX, later).unwrap();
        assert_eq!(tries.names().len(), 1);
    }

    #[tokio::test]
    async fn few_are_computed_at_once_and_not_too_many_wait() {
        let tries = Arc::new(Tries::with(LIMIT, 2));
        let (first, _second) = (tries.turn().await.unwrap(), tries.turn().await.unwrap());
        let waiting: Vec<_> = (0..MOST_WAITING)
            .map(|_| {
                let tries = Arc::clone(&tries);
                tokio::spawn(async move { tries.turn().await.map(drop) })
            })
            .collect();
        while tries.waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = tries.turn_of("anna").await.unwrap_err();
        assert_eq!(refused.code, Code::Unavailable);
        assert!(tries.names().is_empty(), "a try that was not made is none");
        assert!(waiting.iter().all(|one| !one.is_finished()));
        drop(first);
        for one in waiting {
            assert_eq!(one.await.unwrap(), Ok(()));
        }
        assert!(tries.turn_of("anna").await.is_ok());
    }
}

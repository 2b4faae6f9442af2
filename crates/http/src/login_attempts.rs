//! Limits on password attempts and on concurrent password hashing: Argon2 uses 19 MiB for each
//! hash.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::{Code, Failure};
use crate::settings::PasswordLimit;

/// Maximum number of passwords hashed at once, regardless of the number of processors.
const MAX_CONCURRENT_HASHES: usize = 8;
/// Maximum number of requests that wait to hash a password.
const MAX_WAITING: usize = 64;
/// Maximum number of user names whose failures are counted.
const MAX_NAMES: usize = 10_000;

/// Failed attempts for each user name, existing or not, and the queue for password hashing.
pub(crate) struct LoginAttempts {
    limit: PasswordLimit,
    turns: Arc<Semaphore>,
    waiting: Semaphore,
    /// By a hash of the name under a secret of this process: a name may be as long as a header.
    names: Mutex<Names>,
    hasher: RandomState,
}

type Names = HashMap<u64, Failed>;

/// Permission to hash a password. The hashing thread holds it until it has finished, even if the
/// request is cancelled.
#[derive(Debug)]
pub(crate) struct HashingPermit {
    _turn: OwnedSemaphorePermit,
}

#[derive(Debug, Clone, Copy)]
struct Failed {
    times: u32,
    since: Instant,
}

impl fmt::Debug for LoginAttempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginAttempts")
    }
}

impl LoginAttempts {
    pub(crate) fn new(limit: PasswordLimit) -> Self {
        // The other half of the processors stays free for requests with tokens.
        let turns = available_parallelism().map_or(1, |all| all.get() / 2);
        Self::with(limit, turns.clamp(1, MAX_CONCURRENT_HASHES))
    }

    fn with(limit: PasswordLimit, turns: usize) -> Self {
        Self {
            limit,
            turns: Arc::new(Semaphore::new(turns)),
            waiting: Semaphore::new(MAX_WAITING),
            names: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Waits for a permit to hash a password.
    ///
    /// # Errors
    ///
    /// 503 if too many requests wait already.
    pub(crate) async fn permit(&self) -> Result<HashingPermit, Failure> {
        let busy = || {
            let message = "too many passwords are being hashed; try again in a moment";
            Failure::new(Code::Unavailable, message).after(1)
        };
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let permit = Arc::clone(&self.turns).acquire_owned().await;
        permit.map(|permit| HashingPermit { _turn: permit }).map_err(|_| busy())
    }

    /// Waits for a permit to verify the password of the user with this name. The attempt counts as
    /// failed until [`LoginAttempts::reset_failures`] is called.
    ///
    /// # Errors
    ///
    /// 429 after too many failures; those of [`LoginAttempts::permit`].
    pub(crate) async fn permit_for(&self, user: &str) -> Result<HashingPermit, Failure> {
        let user = self.hasher.hash_one(user);
        self.check(user, Instant::now())?;
        let permit = self.permit().await?;
        self.count(user, Instant::now())?;
        Ok(permit)
    }

    /// Resets the failure count of a user name, after a correct password.
    pub(crate) fn reset_failures(&self, user: &str) {
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
        if names.len() >= MAX_NAMES && !names.contains_key(&user) {
            names.retain(|_, failed| self.left(*failed, now).is_some());
            // A client that tries many names displaces the names with the fewest attempts.
            let least = names.iter().min_by_key(|(_, failed)| (failed.times, failed.since));
            if let Some(least) = least.map(|(name, _)| *name)
                && names.len() >= MAX_NAMES
            {
                names.remove(&least);
            }
        }
        let begun = Failed { times: 0, since: now };
        let failed = names.entry(user).or_insert(begun);
        if self.left(*failed, now).is_none() {
            *failed = begun;
        }
        failed.times += 1;
        Ok(())
    }

    /// Returns the remaining time of the window, or `None` if it is over.
    fn left(&self, failed: Failed, now: Instant) -> Option<Duration> {
        let passed = now.saturating_duration_since(failed.since);
        let left = self.limit.window.checked_sub(passed)?;
        (!left.is_zero()).then_some(left)
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Creates the refusal, with the same text whether the user exists or not.
fn too_many(left: Duration) -> Failure {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let message =
        format!("too many wrong passwords were given under this name; try again in {seconds} s");
    Failure::new(Code::TooMany, message).after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: PasswordLimit = PasswordLimit { failures: 3, window: Duration::from_secs(10) };

    #[test]
    fn a_name_is_locked_after_repeated_failures() {
        let login_attempts = LoginAttempts::with(LIMIT, 1);
        let begun = Instant::now();
        let at = |seconds: f64| begun + Duration::from_secs_f64(seconds);
        for second in [0.0, 1.0, 8.0] {
            assert_eq!(login_attempts.count(1, at(second)), Ok(()));
        }
        for (second, left) in [(8.0, "2 s"), (9.5, "1 s"), (9.999, "1 s")] {
            let refused = login_attempts.count(1, at(second)).unwrap_err();
            assert_eq!(refused.code, Code::TooMany);
            assert!(refused.message.ends_with(left), "{}", refused.message);
            assert_eq!(login_attempts.check(1, at(second)), Err(refused));
        }
        // Refused attempts are not counted, and each name is counted separately.
        assert_eq!(login_attempts.count(2, at(9.0)), Ok(()));
        for _ in 0..3 {
            assert_eq!(login_attempts.count(1, at(10.0)), Ok(()));
        }
        assert!(login_attempts.count(1, at(10.0)).is_err());
    }

    #[test]
    fn a_correct_password_resets_the_failure_count() {
        let login_attempts = LoginAttempts::with(LIMIT, 1);
        let (anna, now) = (login_attempts.hasher.hash_one("anna"), Instant::now());
        for _ in 0..5 {
            login_attempts.count(anna, now).unwrap();
            login_attempts.count(anna, now).unwrap();
            login_attempts.reset_failures("anna");
        }
        assert!(login_attempts.names().is_empty());
    }

    #[test]
    fn remembered_names_are_bounded_and_keep_the_most_tried() {
        let login_attempts = LoginAttempts::with(LIMIT, 1);
        let now = Instant::now();
        for _ in 0..3 {
            login_attempts.count(0, now).unwrap();
        }
        for name in 1..=MAX_NAMES as u64 + 300 {
            login_attempts.count(name, now).unwrap();
            assert!(login_attempts.names().len() <= MAX_NAMES);
        }
        assert!(login_attempts.check(0, now).is_err());
        // Expired entries are removed first.
        let later = now + LIMIT.window;
        login_attempts.count(u64::MAX, later).unwrap();
        assert_eq!(login_attempts.names().len(), 1);
    }

    #[tokio::test]
    async fn password_hashing_and_its_queue_are_bounded() {
        let login_attempts = Arc::new(LoginAttempts::with(LIMIT, 2));
        let (first, _second) =
            (login_attempts.permit().await.unwrap(), login_attempts.permit().await.unwrap());
        let waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| {
                let login_attempts = Arc::clone(&login_attempts);
                tokio::spawn(async move { login_attempts.permit().await.map(drop) })
            })
            .collect();
        while login_attempts.waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = login_attempts.permit_for("anna").await.unwrap_err();
        assert_eq!(refused.code, Code::Unavailable);
        assert!(login_attempts.names().is_empty(), "an attempt without a permit was counted");
        assert!(waiting.iter().all(|one| !one.is_finished()));
        drop(first);
        for one in waiting {
            assert_eq!(one.await.unwrap(), Ok(()));
        }
        assert!(login_attempts.permit_for("anna").await.is_ok());
    }
}

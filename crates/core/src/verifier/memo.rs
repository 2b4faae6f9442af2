//! Cache of the last allowed request of a connection, valid until the index changes.

use crate::freshness::Now;
use crate::index::IndexVersion;
use crate::permission::Request;
use crate::primitives::seqlock::SeqLock;
use crate::primitives::sync::{AtomicU64, Ordering};
use crate::time::Timestamp;

/// An allowed request and the index version that allowed it. Threads may share it; a thread that
/// finds another one writing skips its own write.
#[derive(Debug, Default)]
pub(super) struct Memo {
    lock: SeqLock,
    version: AtomicU64,
    /// Expiry of the token, in nanoseconds since 1970; [`NEVER`] if it does not expire.
    until: AtomicU64,
    /// All 0 while the cache is empty; a cached request has [`NOTED`] set in its first word.
    request: [AtomicU64; 3],
}

const NEVER: u64 = u64::MAX;
/// Set in the first word of every cached request, so that none is all zeroes.
const NOTED: u64 = 1 << 63;

impl Memo {
    /// Returns true if this version allowed this request and the token has not expired.
    #[inline(always)]
    pub(super) fn allows(
        &self,
        version: IndexVersion,
        now: Now<'_>,
        request: &Request<'_>,
    ) -> bool {
        let Some([head, organization, id]) = request.numbers() else {
            return false;
        };
        let start = self.lock.begin_read();
        let [held_head, held_organization, held_id] = &self.request;
        let same = self.version.load(Ordering::Relaxed) == version.0
            && held_head.load(Ordering::Relaxed) == head | NOTED
            && held_organization.load(Ordering::Relaxed) == organization
            && held_id.load(Ordering::Relaxed) == id;
        let until = self.until.load(Ordering::Relaxed);
        self.lock.end_read();
        same && self.lock.is_unchanged(start) && (until == NEVER || now.get().nanos() < until)
    }

    /// Caches that this version allowed this request, for a token with this expiry.
    pub(super) fn note(
        &self,
        version: IndexVersion,
        expires: Option<Timestamp>,
        request: &Request<'_>,
    ) {
        let Some([head, organization, id]) = request.numbers() else {
            return;
        };
        self.lock.try_write(|| {
            self.version.store(version.0, Ordering::Relaxed);
            let until = expires.map_or(NEVER, Timestamp::nanos);
            self.until.store(until, Ordering::Relaxed);
            let numbers = [head | NOTED, organization, id];
            for (to, from) in self.request.iter().zip(numbers) {
                to.store(from, Ordering::Relaxed);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock as _, ManualClock};
    use crate::primitives::sync::AtomicBool;
    use crate::{Action, Id, ResourceType};
    use std::time::Duration;

    #[test]
    fn the_memo_allows_only_its_request_and_version() {
        let id = |number| Id::new(number).unwrap();
        let read = Request::new(Action::READ, ResourceType::BUCKETS);
        let requests = [
            read,
            Request::new(Action::WRITE, ResourceType::BUCKETS),
            Request::new(Action::READ, ResourceType::USERS),
            read.organization(id(1)),
            read.id(id(1)),
            read.organization(id(2)).id(id(1)),
            read.organization(id(1)).id(id(2)),
        ];
        let memo = Memo::default();
        let clock = clock();
        let allows =
            |version, request: &Request<'_>| memo.allows(version, Now::of(&clock), request);
        assert!(requests.iter().all(|one| !allows(IndexVersion(0), one)));
        for (at, noted) in requests.iter().enumerate() {
            let version = IndexVersion(at as u64);
            memo.note(version, None, noted);
            for (other, request) in requests.iter().enumerate() {
                assert_eq!(allows(version, request), other == at, "{request}");
                assert!(!allows(IndexVersion(99), request));
            }
        }
        let custom = Request::new(Action::new("drop").unwrap(), ResourceType::BUCKETS);
        for request in [custom, read.name("a")] {
            memo.note(IndexVersion(7), None, &request);
            assert!(!allows(IndexVersion(7), &request));
        }
    }

    #[test]
    fn the_memo_allows_until_the_exact_expiry() {
        let (clock, memo) = (clock(), Memo::default());
        let read = Request::new(Action::READ, ResourceType::BUCKETS);
        let end = clock.now().saturating_add(Duration::from_nanos(2));
        memo.note(IndexVersion(1), Some(end), &read);
        let allows = || memo.allows(IndexVersion(1), Now::of(&clock), &read);
        assert!(allows());
        clock.advance(Duration::from_nanos(1));
        assert!(allows());
        clock.advance(Duration::from_nanos(1));
        assert!(!allows());
    }

    fn clock() -> ManualClock {
        ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap())
    }

    /// Two threads cache requests that differ in every part: no mixture of them is ever allowed.
    #[test]
    fn threads_sharing_a_memo_do_not_mix_entries() {
        let memo = &Memo::default();
        let done = &AtomicBool::new(false);
        let request = |organization: u64, id: u64| {
            Request::new(Action::READ, ResourceType::BUCKETS)
                .organization(Id::new(organization).unwrap())
                .id(Id::new(id).unwrap())
        };
        std::thread::scope(|scope| {
            let writers = [1, 2].map(|number| {
                scope.spawn(move || {
                    for _ in 0..200_000 {
                        memo.note(IndexVersion(number), None, &request(number, number));
                    }
                })
            });
            scope.spawn(move || {
                let clock = clock();
                let allows =
                    |version, request: &Request<'_>| memo.allows(version, Now::of(&clock), request);
                while !done.load(Ordering::Acquire) {
                    assert!(!allows(IndexVersion(1), &request(1, 2)));
                    assert!(!allows(IndexVersion(1), &request(2, 1)));
                    assert!(!allows(IndexVersion(1), &request(2, 2)));
                    assert!(!allows(IndexVersion(2), &request(1, 1)));
                }
            });
            for writer in writers {
                writer.join().unwrap();
            }
            done.store(true, Ordering::Release);
        });
    }
}

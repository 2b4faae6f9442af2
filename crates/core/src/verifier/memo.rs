//! The last answer of a connection, which holds until anything changes.

use std::sync::atomic::{AtomicU64, Ordering, fence};

use crate::index::Version;
use crate::permission::Request;

/// A request that was allowed, and the version of the index that allowed it. Threads may share it: whoever meets
/// another that writes it goes without.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Odd while it is being written.
    turn: AtomicU64,
    version: AtomicU64,
    /// 0 while nothing is noted; no request has a head of 0 here.
    request: [AtomicU64; 3],
}

/// So that the numbers of no request are all 0.
const NOTED: u64 = 1 << 63;

impl Memo {
    /// Whether this request was allowed by this version.
    #[inline(always)]
    pub(super) fn allows(&self, version: Version, request: &Request<'_>) -> bool {
        let Some([head, organization, id]) = request.numbers() else {
            return false;
        };
        let turn = self.turn.load(Ordering::Acquire);
        let [held_head, held_organization, held_id] = &self.request;
        let same = self.version.load(Ordering::Relaxed) == version.0
            && held_head.load(Ordering::Relaxed) == head | NOTED
            && held_organization.load(Ordering::Relaxed) == organization
            && held_id.load(Ordering::Relaxed) == id;
        fence(Ordering::Acquire);
        same && turn & 1 == 0 && self.turn.load(Ordering::Relaxed) == turn
    }

    /// Notes that this request was allowed by this version.
    pub(super) fn note(&self, version: Version, request: &Request<'_>) {
        let Some([head, organization, id]) = request.numbers() else {
            return;
        };
        let turn = self.turn.load(Ordering::Relaxed) & !1;
        let (ours, order) = (turn | 1, Ordering::Acquire);
        if (self
            .turn
            .compare_exchange(turn, ours, order, Ordering::Relaxed))
        .is_err()
        {
            return;
        }
        // After the turn, before what follows, for those that see any of it.
        fence(Ordering::Release);
        self.version.store(version.0, Ordering::Relaxed);
        let numbers = [head | NOTED, organization, id];
        for (to, from) in self.request.iter().zip(numbers) {
            to.store(from, Ordering::Relaxed);
        }
        self.turn.store(turn + 2, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, Id, ResourceType};
    use std::sync::atomic::AtomicBool;

    #[test]
    fn only_the_noted_request_under_its_version_is_allowed() {
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
        assert!(requests.iter().all(|one| !memo.allows(Version(0), one)));
        for (at, noted) in requests.iter().enumerate() {
            let version = Version(at as u64);
            memo.note(version, noted);
            for (other, request) in requests.iter().enumerate() {
                assert_eq!(memo.allows(version, request), other == at, "{request}");
                assert!(!memo.allows(Version(99), request));
            }
        }
        let custom = Request::new(Action::new("drop").unwrap(), ResourceType::BUCKETS);
        for request in [custom, read.name("a")] {
            memo.note(Version(7), &request);
            assert!(!memo.allows(Version(7), &request));
        }
    }

    /// Two threads note requests that differ in every part: no mixture of them is ever allowed.
    #[test]
    fn threads_that_share_it_mix_nothing() {
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
                        memo.note(Version(number), &request(number, number));
                    }
                })
            });
            scope.spawn(move || {
                while !done.load(Ordering::Acquire) {
                    assert!(!memo.allows(Version(1), &request(1, 2)));
                    assert!(!memo.allows(Version(1), &request(2, 1)));
                    assert!(!memo.allows(Version(1), &request(2, 2)));
                    assert!(!memo.allows(Version(2), &request(1, 1)));
                }
            });
            for writer in writers {
                writer.join().unwrap();
            }
            done.store(true, Ordering::Release);
        });
    }
}

//! Last uses of tokens: checks record them in the index, and once a minute they are written to the
//! store.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::id::Id;
use crate::index::{Index, LastUsed};
use crate::store::TokenStore;
use crate::time::{Minute, Timestamp};

/// The minute that checks record. Set periodically, so that a check does not have to read the
/// clock.
#[derive(Debug, Default)]
pub(crate) struct UsageTracker {
    /// 0 before the first minute.
    minute: AtomicU32,
}

/// Tokens per write to the store.
const CHUNK: usize = 1000;

impl UsageTracker {
    /// Returns the minute that a check records now.
    #[inline]
    pub(crate) fn minute(&self) -> LastUsed {
        LastUsed(self.minute.load(Ordering::Relaxed))
    }

    /// Starts the minute of `now`. When the minute changes, the uses of the previous one are
    /// written to the store.
    pub(crate) fn begin(&self, now: Timestamp, index: &Index, store: &dyn TokenStore) {
        let Minute(now) = now.into();
        let last = self.minute.swap(now, Ordering::Relaxed);
        if last != now {
            // Invalidates cached decisions, so that the next check of each connection records its
            // use.
            index.renew_version();
            Self::flush(last, index, store);
        }
    }

    /// Writes the uses of the current minute to the store. Called when the engine shuts down.
    pub(crate) fn end(&self, index: &Index, store: &dyn TokenStore) {
        Self::flush(self.minute.load(Ordering::Relaxed), index, store);
    }

    /// Errors of the store are ignored: the next use records the token again.
    fn flush(last: u32, index: &Index, store: &dyn TokenStore) {
        let (noted, minute) = (LastUsed(last), Minute(last));
        if noted == LastUsed::default() {
            return;
        }
        let mut used: Vec<(Id, Minute)> = Vec::new();
        index.read(|view| {
            view.used_in(noted, |id| {
                used.push((id, minute));
                if used.len() == CHUNK {
                    let _ = store.touch(&used);
                    used.clear();
                }
            });
        });
        if !used.is_empty() {
            let _ = store.touch(&used);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::NewOrganization;
    use std::sync::Arc;
    use std::time::Duration;

    use crate::clock::ManualClock;
    use crate::store::{Cursor, Query};
    use crate::{
        Action, AuthorizationEdit, AuthorizationFilter, Caller, Engine, ListOptions, MemoryStore,
        Minute, NewAuthorization, Options, Permission, Request, ResourceType, Schema, StoreKey,
        TokenStore, record::Kind,
    };

    /// Every kind of use reaches the store when its minute is over, or when the engine shuts down,
    /// and is stored under the minute of the use.
    #[test]
    fn last_uses_are_stored_after_their_minute() {
        let clock = ManualClock::at("2026-01-01T00:00:59Z".parse().unwrap());
        let options =
            Options { clock: Arc::new(clock.clone()), ..Options::new(Schema::influxdb_v2()) };
        let store = Arc::new(MemoryStore::new());
        let open = || {
            let key = StoreKey::from_bytes([7; 32]);
            Engine::create(Arc::clone(&store) as _, key, options.clone()).unwrap()
        };
        let engine = open();
        let root = &Caller::Root;
        let org =
            engine.admin(*root).organizations().create(NewOrganization::named("org")).unwrap().id;
        let read = Permission::new(Action::READ, ResourceType::BUCKETS);
        let made = [(); 4].map(|()| {
            let new = NewAuthorization::new(org, [read.clone()]);
            engine.admin(*root).authorizations().create(new).unwrap()
        });
        let used = || {
            let found = store.find(&Query::all(Kind::AUTHORIZATION)).unwrap();
            found.iter().map(|one| one.last_used).collect::<Vec<_>>()
        };
        let head = || {
            let page = store.scan(&Cursor::start(), 100).unwrap();
            page.end.map(|end| end.head)
        };
        let first = Minute(29_453_760);
        let verifier = engine.verifier();
        let [request, forbidden] = [Action::READ, Action::WRITE]
            .map(|action| Request::new(action, ResourceType::BUCKETS).organization(org));
        let [one, two, three, _] = made.each_ref().map(|(token, _)| token.reveal());
        verifier.check(one, &request).unwrap();
        let grant = verifier.authenticate(two).unwrap();
        verifier.check(three, &forbidden).unwrap_err();
        engine.maintenance().changes.flush_last_uses();
        assert_eq!(used(), [None; 4]);
        let shown_is = |wanted: [Option<Minute>; 4]| {
            let listed = engine
                .admin(*root)
                .authorizations()
                .list(&AuthorizationFilter::default(), ListOptions::default())
                .all()
                .unwrap();
            let listed: Vec<_> = listed.iter().map(|one| one.last_used).collect();
            assert_eq!(listed, wanted);
            let each = made.iter().map(|(_, one)| {
                let read = engine.admin(*root).authorizations().get(one.id).unwrap().last_used;
                let edited = engine
                    .admin(*root)
                    .authorizations()
                    .edit(one.id, AuthorizationEdit::default())
                    .unwrap();
                let explained =
                    engine.admin(*root).authorizations().explain(one.id, &request).unwrap();
                assert_eq!(edited.last_used, read);
                assert_eq!(explained.authorization.last_used, read);
                read
            });
            assert_eq!(each.collect::<Vec<_>>(), wanted);
        };
        // Readers see the use before it is written to the store.
        let before = head();
        shown_is([Some(first), Some(first), Some(first), None]);
        assert_eq!(head(), before);
        clock.advance(Duration::from_secs(1));
        engine.maintenance().changes.flush_last_uses();
        let noted = [Some(first), Some(first), Some(first), None];
        assert_eq!(used(), noted);
        shown_is(noted);
        clock.advance(Duration::from_secs(180));
        engine.maintenance().changes.flush_last_uses();
        assert_eq!(used(), noted);
        grant.check(&request).unwrap();
        let mut answers = Vec::new();
        verifier.check_many(&[(three, request)], &mut answers);
        drop(engine);
        let last = Some(Minute(first.0 + 4));
        assert_eq!(used(), [Some(first), last, last, None]);
        let listed = open()
            .admin(*root)
            .authorizations()
            .list(&AuthorizationFilter::default(), ListOptions::default())
            .all();
        let listed = listed.unwrap().into_iter().map(|one| one.last_used);
        assert_eq!(listed.collect::<Vec<_>>(), used());
    }
}

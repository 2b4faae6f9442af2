//! Compare and set: a write takes effect only over the revision that it expects.

use symbolon::store::Revision;

use crate::fresh_store::StoreFactory;
use crate::pages::dump;
use crate::sample::{
    NEVER, Refusal, TOKEN, USER, commit, get, guard, insert, key, purge, put, record, refused,
    replace, stored,
};

/// Inserting an existing record is refused.
pub fn an_insert_over_a_record_conflicts(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    commit(store, &[insert(&record(TOKEN, 1, "first"))]);
    let before = dump(store);
    let again = insert(&record(TOKEN, 1, "second"));
    assert_eq!(refused(store, &[again]), Refusal::Conflict(0));
    assert_eq!(dump(store), before);
}

/// A replacement is refused unless it expects the current revision: an older one, that of another
/// record, and a future one are refused.
pub fn a_replacement_of_another_revision_conflicts(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let old = put(store, &record(TOKEN, 1, "old"));
    let now = put(store, &record(TOKEN, 1, "now"));
    let other = put(store, &record(TOKEN, 2, "other"));
    let before = dump(store);
    let next = record(TOKEN, 1, "next");
    for wrong in [old, other, other.next(), NEVER, Revision::ABSENT] {
        let write = replace(&next, wrong);
        assert_eq!(refused(store, &[write]), Refusal::Conflict(0));
        assert_eq!(dump(store), before, "expecting {wrong:?}");
    }
    commit(store, &[replace(&next, now)]);
    assert_eq!(stored(store, next.key).record, next);
}

/// Replacing an absent record is refused.
pub fn a_replacement_of_an_absent_record_conflicts(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let elsewhere = put(store, &record(TOKEN, 2, "elsewhere"));
    for wrong in [elsewhere, NEVER] {
        let write = replace(&record(TOKEN, 1, ""), wrong);
        assert_eq!(refused(store, &[write]), Refusal::Conflict(0));
    }
    assert_eq!(get(store, key(TOKEN, 1)), None);
}

/// A guard refuses the whole commit if the record has another revision or is absent.
pub fn a_guard_of_another_revision_conflicts(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let old = put(store, &record(USER, 1, "old"));
    let now = put(store, &record(USER, 1, "now"));
    let user = key(USER, 1);
    let child = insert(&record(TOKEN, 9, "child"));
    for wrong in [old, now.next(), NEVER, Revision::ABSENT] {
        let writes = [child.clone(), guard(user, wrong)];
        assert_eq!(refused(store, &writes), Refusal::Conflict(1), "{wrong:?}");
        assert_eq!(refused(store, &writes[1..]), Refusal::Conflict(0));
    }
    let absent = [guard(key(USER, 2), now), child.clone()];
    assert_eq!(refused(store, &absent), Refusal::Conflict(0));
    assert_eq!(get(store, key(TOKEN, 9)), None);
    commit(store, &[guard(user, now), child]);
}

/// A guard can require that a record is absent.
pub fn a_guard_of_absence_passes_only_then(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let absent = guard(key(USER, 1), Revision::ABSENT);
    commit(store, &[absent.clone(), insert(&record(TOKEN, 9, "child"))]);
    commit(store, &[insert(&record(USER, 1, ""))]);
    assert_eq!(refused(store, &[absent]), Refusal::Conflict(0));
}

/// A purge is refused unless it expects the current revision.
pub fn a_purge_of_another_revision_conflicts(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let old = put(store, &record(TOKEN, 1, "old"));
    let now = put(store, &record(TOKEN, 1, "now"));
    let before = dump(store);
    for wrong in [old, now.next(), NEVER] {
        let write = purge(key(TOKEN, 1), wrong);
        assert_eq!(refused(store, &[write]), Refusal::Conflict(0));
    }
    let nothing = purge(key(TOKEN, 2), now);
    assert_eq!(refused(store, &[nothing]), Refusal::Conflict(0));
    assert_eq!(dump(store), before);
    commit(store, &[purge(key(TOKEN, 1), now)]);
    assert_eq!(get(store, key(TOKEN, 1)), None);
}

/// A purged record is absent: its last revision is refused, and it can be inserted again.
pub fn a_purged_record_is_absent(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let last = put(store, &record(TOKEN, 1, "first"));
    let purged = commit(store, &[purge(key(TOKEN, 1), last)]);
    assert_eq!(get(store, key(TOKEN, 1)), None);
    assert!(dump(store).records.is_empty());
    let again = record(TOKEN, 1, "second");
    for wrong in [last, purged] {
        assert_eq!(refused(store, &[replace(&again, wrong)]), Refusal::Conflict(0));
        assert_eq!(refused(store, &[purge(again.key, wrong)]), Refusal::Conflict(0));
    }
    let revision = commit(store, &[insert(&again)]);
    assert!(revision > purged);
    assert_eq!(stored(store, again.key).record, again);
}

//! Commits are atomic: all writes or none.

use symbolon::record::MAX_RECORD;
use symbolon::store::{TokenStore, Write};

use crate::fresh_store::StoreFactory;
use crate::pages::dump;
use crate::sample::{
    NEVER, Refusal, TOKEN, USER, commit, guard, insert, key, named, purge, put, record, refused,
    replace, sized,
};

/// A conflict anywhere in a commit leaves the store unchanged; the error names the write.
pub fn a_conflict_anywhere_leaves_nothing(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let good = prepare(store);
    put(store, &record(TOKEN, 50, "in the way"));
    let bad = [
        insert(&record(TOKEN, 50, "over it")),
        replace(&record(TOKEN, 50, "over it"), NEVER),
        purge(key(TOKEN, 50), NEVER),
        guard(key(TOKEN, 50), NEVER),
    ];
    for bad in &bad {
        refuse_everywhere(store, &good, bad, Refusal::Conflict);
    }
    commit(store, &good);
}

/// A taken unique key anywhere in a commit leaves the store unchanged; the error names the write.
pub fn a_duplicate_anywhere_leaves_nothing(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let good = prepare(store);
    put(store, &named(TOKEN, 50, "taken"));
    let bad = insert(&named(TOKEN, 51, "taken"));
    refuse_everywhere(store, &good, &bad, Refusal::Duplicate);
    commit(store, &good);
}

/// A record that is too large, anywhere in a commit, leaves the store unchanged.
pub fn a_record_too_large_anywhere_leaves_nothing(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let good = prepare(store);
    let bad = insert(&sized(51, MAX_RECORD + 1));
    refuse_everywhere(store, &good, &bad, |_| Refusal::TooLarge);
    commit(store, &good);
}

/// If several writes fail in the same way, the error names the first.
pub fn the_first_failing_write_is_named(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &named(TOKEN, 1, "one"));
    put(store, &named(TOKEN, 2, "two"));
    let fine = insert(&named(TOKEN, 8, "fine"));
    // The keys are in descending order, so that a store that sorts them names another write.
    let conflicts = [
        fine.clone(),
        purge(key(TOKEN, 2), NEVER),
        guard(key(USER, 1), NEVER),
        insert(&record(TOKEN, 1, "")),
    ];
    assert_eq!(refused(store, &conflicts), Refusal::Conflict(1));
    // Inserts are checked in the same pass as guards and purges.
    let inserted_first =
        [insert(&record(TOKEN, 1, "")), purge(key(TOKEN, 2), NEVER), guard(key(USER, 1), NEVER)];
    assert_eq!(refused(store, &inserted_first), Refusal::Conflict(0));
    let duplicates = [
        fine,
        insert(&named(TOKEN, 4, "two")),
        insert(&named(TOKEN, 3, "one")),
        insert(&named(TOKEN, 9, "one")),
    ];
    assert_eq!(refused(store, &duplicates), Refusal::Duplicate(1));
}

/// All expected revisions are compared before any unique key.
pub fn conflicts_are_reported_before_duplicates(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &named(TOKEN, 1, "one"));
    let writes = [
        insert(&named(TOKEN, 2, "one")),
        insert(&named(TOKEN, 3, "three")),
        guard(key(USER, 1), NEVER),
    ];
    assert_eq!(refused(store, &writes), Refusal::Conflict(2));
    assert_eq!(refused(store, &writes[..2]), Refusal::Duplicate(0));
    let inserted = [insert(&named(TOKEN, 2, "one")), insert(&record(TOKEN, 1, ""))];
    assert_eq!(refused(store, &inserted), Refusal::Conflict(1));
}

/// Limits are checked before expected revisions and unique keys.
pub fn limits_are_reported_before_conflicts(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &named(TOKEN, 1, "one"));
    let writes = [
        guard(key(USER, 1), NEVER),
        insert(&named(TOKEN, 2, "one")),
        insert(&sized(3, MAX_RECORD + 1)),
    ];
    assert_eq!(refused(store, &writes), Refusal::TooLarge);
    assert_eq!(refused(store, &writes[..2]), Refusal::Conflict(0));
}

/// A refused commit releases no unique key.
pub fn a_refused_commit_gives_no_unique_key_up(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let held = put(store, &named(TOKEN, 1, "held"));
    let writes = [replace(&record(TOKEN, 1, "without"), held), guard(key(USER, 1), NEVER)];
    assert_eq!(refused(store, &writes), Refusal::Conflict(1));
    let taken = insert(&named(TOKEN, 2, "held"));
    assert_eq!(refused(store, &[taken]), Refusal::Duplicate(0));
}

/// Returns writes of every type that the store accepts in its current state.
fn prepare(store: &dyn TokenStore) -> Vec<Write> {
    let replaced = put(store, &named(TOKEN, 1, "before"));
    let purged = put(store, &named(TOKEN, 2, "purged"));
    let guarded = put(store, &record(USER, 1, "guarded"));
    vec![
        insert(&named(TOKEN, 3, "new")),
        replace(&named(TOKEN, 1, "after"), replaced),
        guard(key(USER, 1), guarded),
        purge(key(TOKEN, 2), purged),
        insert(&record(USER, 3, "also new")),
    ]
}

/// Inserts `bad` at every position of `good` and checks that the store stays unchanged.
fn refuse_everywhere(
    store: &dyn TokenStore,
    good: &[Write],
    bad: &Write,
    refusal: impl Fn(usize) -> Refusal,
) {
    let before = dump(store);
    for at in 0..=good.len() {
        let mut writes = good.to_vec();
        writes.insert(at, bad.clone());
        assert_eq!(refused(store, &writes), refusal(at));
        assert_eq!(dump(store), before, "the bad write was at index {at}");
        for write in &writes {
            let found = store.get(&write.key()).expect("get works");
            assert_eq!(found.as_ref(), before.records.get(&write.key()));
        }
    }
}

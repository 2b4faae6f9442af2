//! Unique keys.

use symbolon::record::{Kind, Record};
use symbolon::store::{Query, TokenStore};

use crate::fresh_store::StoreFactory;
use crate::sample::{
    Refusal, TOKEN, USER, commit, guard, insert, key, named, purge, put, record, refused, replace,
    revision_of, stored,
};

/// Neither an insert nor a replacement gives two records of a kind the same unique key.
pub fn a_taken_unique_key_is_refused(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    commit(store, &[insert(&named(TOKEN, 1, "taken"))]);
    let other = put(store, &named(TOKEN, 2, "other"));
    let insert = insert(&named(TOKEN, 3, "taken"));
    let replace = replace(&named(TOKEN, 2, "taken"), other);
    assert_eq!(refused(store, &[insert]), Refusal::Duplicate(0));
    assert_eq!(refused(store, &[replace]), Refusal::Duplicate(0));
    assert_eq!(holder(store, "taken"), Some(1));
}

/// Records of different kinds may share a unique key, and any number of records may have none.
pub fn a_unique_key_is_unique_within_its_kind(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    for kind in [TOKEN, USER, Kind::ORGANIZATION, Kind(0), Kind(255)] {
        commit(store, &[insert(&named(kind, 1, "same"))]);
    }
    commit(store, &[insert(&record(TOKEN, 2, "without"))]);
    commit(store, &[insert(&record(TOKEN, 3, "without"))]);
    let found = store.find(&Query::unique(USER, b"same")).expect("find works");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].record.key, key(USER, 1));
}

/// Unique keys are compared byte for byte: prefixes and other letter cases are different keys.
pub fn unique_keys_are_compared_whole(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let keys: [&[u8]; 9] = [b"", b"\0", b"\0\0", b"a", b"a\0", b"A", b"aa", b"\xff", b"\xff\xff"];
    for (number, unique) in (1..).zip(keys) {
        let named = Record { unique: Some(unique.into()), ..record(TOKEN, number, "") };
        commit(store, &[insert(&named)]);
    }
    for (number, unique) in (1..).zip(keys) {
        let found = store.find(&Query::unique(TOKEN, unique)).expect("find works");
        assert_eq!(found.len(), 1, "{unique:?}");
        assert_eq!(found[0].record.key, key(TOKEN, number));
    }
}

/// A replacement may keep the record's own unique key.
pub fn a_replacement_may_keep_its_unique_key(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let first = put(store, &named(TOKEN, 1, "mine"));
    let mut next = named(TOKEN, 1, "mine");
    next.bytes = b"changed".as_slice().into();
    commit(store, &[replace(&next, first)]);
    assert_eq!(holder(store, "mine"), Some(1));
    let other = insert(&named(TOKEN, 2, "mine"));
    assert_eq!(refused(store, &[other]), Refusal::Duplicate(0));
}

/// A unique key that another write of the commit releases, by replacement or purge, is free, in
/// either order of the two writes. It is taken after the commit.
pub fn a_unique_key_given_up_in_the_same_commit_is_free(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let taker = 100;
    let mut holds = 1;
    put(store, &named(TOKEN, holds, "moving"));
    for giver_first in [true, false] {
        for how in [GiveUp::Rename, GiveUp::Clear, GiveUp::Purge] {
            let next = taker + holds;
            let revision = revision_of(store, key(TOKEN, holds));
            let give = match how {
                GiveUp::Rename => replace(&named(TOKEN, holds, &format!("old {holds}")), revision),
                GiveUp::Clear => replace(&record(TOKEN, holds, ""), revision),
                GiveUp::Purge => purge(key(TOKEN, holds), revision),
            };
            let mut writes = vec![give, insert(&named(TOKEN, next, "moving"))];
            if !giver_first {
                writes.reverse();
            }
            commit(store, &writes);
            assert_eq!(holder(store, "moving"), Some(next));
            let another = insert(&named(TOKEN, 9, "moving"));
            assert_eq!(refused(store, &[another]), Refusal::Duplicate(0));
            holds = next;
        }
    }
}

/// Records can exchange their unique keys in one commit, in any order, and in a cycle.
pub fn unique_keys_can_be_exchanged(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let names = ["a", "b", "c"];
    for (number, name) in (1..).zip(names) {
        put(store, &named(TOKEN, number, name));
    }
    let rounds: [&[(u64, &str)]; 4] = [
        &[(1, "b"), (2, "a")],
        &[(2, "b"), (1, "a")],
        &[(1, "b"), (2, "c"), (3, "a")],
        &[(3, "b"), (2, "a"), (1, "c")],
    ];
    for round in rounds {
        let writes: Vec<_> = round
            .iter()
            .map(|(number, name)| {
                let revision = revision_of(store, key(TOKEN, *number));
                replace(&named(TOKEN, *number, name), revision)
            })
            .collect();
        commit(store, &writes);
        for (number, name) in round {
            assert_eq!(holder(store, name), Some(*number), "{round:?}");
            let found = stored(store, key(TOKEN, *number));
            assert_eq!(found.record, named(TOKEN, *number, name));
        }
        // All three keys are still taken.
        for name in names {
            let again = insert(&named(TOKEN, 9, name));
            assert_eq!(refused(store, &[again]), Refusal::Duplicate(0));
        }
    }
}

/// A unique key is free after its record was purged, or replaced by one without this key.
pub fn a_unique_key_given_up_earlier_is_free(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    for (number, how) in (1..).zip([GiveUp::Rename, GiveUp::Clear, GiveUp::Purge]) {
        let name = format!("freed {number}");
        let revision = put(store, &named(TOKEN, number, &name));
        let give = match how {
            GiveUp::Rename => replace(&named(TOKEN, number, "renamed"), revision),
            GiveUp::Clear => replace(&record(TOKEN, number, ""), revision),
            GiveUp::Purge => purge(key(TOKEN, number), revision),
        };
        commit(store, &[give]);
        assert_eq!(holder(store, &name), None);
        commit(store, &[insert(&named(TOKEN, number + 10, &name))]);
        assert_eq!(holder(store, &name), Some(number + 10));
    }
}

/// Two writes of a commit cannot take the same unique key; the error names the later write.
pub fn a_unique_key_twice_in_a_commit_is_refused(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let twice = [
        insert(&named(TOKEN, 2, "twice")),
        insert(&named(USER, 2, "twice")),
        insert(&named(TOKEN, 1, "twice")),
    ];
    assert_eq!(refused(store, &twice), Refusal::Duplicate(2));
    let held = put(store, &named(TOKEN, 5, "given up"));
    let both_take_it = [
        replace(&named(TOKEN, 5, "left"), held),
        insert(&named(TOKEN, 6, "given up")),
        insert(&named(TOKEN, 7, "given up")),
    ];
    assert_eq!(refused(store, &both_take_it), Refusal::Duplicate(2));
    assert_eq!(holder(store, "given up"), Some(5));
}

/// A guard does not release the unique key of the guarded record.
pub fn a_guarded_record_holds_its_unique_key(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let revision = put(store, &named(TOKEN, 1, "held"));
    let writes = [guard(key(TOKEN, 1), revision), insert(&named(TOKEN, 2, "held"))];
    assert_eq!(refused(store, &writes), Refusal::Duplicate(1));
}

#[derive(Clone, Copy)]
enum GiveUp {
    Rename,
    Clear,
    Purge,
}

/// Returns the number of the authorization with this unique key.
fn holder(store: &dyn TokenStore, unique: &str) -> Option<u64> {
    let found = store.find(&Query::unique(TOKEN, unique.as_bytes())).expect("find works");
    assert!(found.len() <= 1, "{unique} has {} holders", found.len());
    found.first().map(|stored| stored.record.key.id.number())
}

//! Concurrent runs of `symbolon key rotate`.

use std::process::Stdio;

use crate::common::{Home, STORES, out, token};

/// Each run rotates the key that the previous one left, or fails because the store is in use; no
/// run loses the key of another.
#[test]
fn concurrent_rotations_lose_no_key() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        for _ in 0..4 {
            let started: Vec<_> = (0..6)
                .map(|_| {
                    let mut process = home.process(&["key", "rotate", "--store", store]);
                    process.stdout(Stdio::null()).stderr(Stdio::piped());
                    process.spawn().unwrap()
                })
                .collect();
            let done = started.into_iter().map(|one| one.wait_with_output());
            let succeeded = done.filter(|one| one.as_ref().unwrap().status.success());
            assert!(succeeded.count() > 0);
        }
        assert_eq!(home.reads(&token(1)), "allow", "{store}");
        let shown = out(&home.operate(&["key", "show"]).success());
        assert!(!shown.contains("still seals"), "{shown}");
        home.operate(&["fsck"]).success();
    }
}

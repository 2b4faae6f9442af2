//! `import`.

use predicates::str::contains;
use serde_json::{Value, json};

use crate::world::{BACKENDS, ORGANIZATION, World, id, refused, row, token};

#[test]
fn every_form_of_influxdb_is_taken_and_tokens_keep_their_ids() {
    let bare = json!({"links": {"self": "/api/v2/authorizations"}, "authorizations": [row(0)]});
    let whole = json!({
        "authorizations": [row(0)],
        "orgs": [{"id": ORGANIZATION, "name": "named", "links": {}}],
        "users": [],
        "buckets": [{"id": id(50), "orgID": ORGANIZATION, "name": "metrics"}],
    });
    let permission = format!("read:orgs/{ORGANIZATION}/buckets");
    let listed = json!([{
        "id": id(0), "description": "x", "token": token(0), "status": "active",
        "userName": "grafana", "userID": id(70), "permissions": [permission],
    }]);
    for store in BACKENDS {
        for (file, words) in [
            (&bare, None),
            (&whole, None),
            (&listed, Some(["--org", ORGANIZATION])),
        ] {
            let world = World::empty(store);
            world
                .import(file)
                .args(words.iter().flatten())
                .assert()
                .success();
            let (code, answer) = world.check(&token(0));
            assert_eq!((code, &answer["id"]), (0, &json!(id(0))));
            assert_eq!(answer["permission"], json!(permission));
            // Again: nothing new.
            let again = world
                .import(file)
                .args(words.iter().flatten())
                .output()
                .unwrap();
            let said = [again.stdout, again.stderr].concat();
            assert!(
                String::from_utf8(said)
                    .unwrap()
                    .to_lowercase()
                    .contains("nothing new")
            );
            world.run(&["fsck"]).assert().success();
        }
    }
    // Without `--org` such a row is bad.
    let error = refused(&mut World::empty(BACKENDS[0]).import(&listed));
    assert!(error.contains("--org"), "{error}");
}

#[test]
fn stored_hashes_are_found_by_their_tokens() {
    // The SHA-256 of `token(0)`, worked out with Python.
    let mut hashed = row(0);
    hashed.as_object_mut().unwrap().remove("token");
    hashed["hashedToken"] = json!("$influxdb2-sha256$zH8mWZyLmRwSKjkR1fFoIpeSJf2hMvMS39-okwZgACg=");
    let world = World::with(BACKENDS[0], &[hashed]);
    assert_eq!(world.check(&token(0)).0, 0);
    let stored = "$influxdb2-sha256$zH8mWZyLmRwSKjkR1fFoIpeSJf2hMvMS39-okwZgACg=";
    assert_eq!(
        world.check(stored).1,
        json!({"allow": false, "reason": "unknown"})
    );
}

/// A row with something wrong.
fn bad(edit: impl Fn(&mut Value)) -> Value {
    let mut changed = row(1);
    edit(&mut changed);
    changed
}

#[test]
fn bad_rows_are_named_and_nothing_is_written() {
    let cases = [
        (bad(|row| row["id"] = json!("xyz")), "16 bytes"),
        (bad(|row| row["id"] = json!(id(0))), "authorizations[0]"),
        (
            bad(|row| row["token"] = json!(token(0))),
            "authorizations[0]",
        ),
        (bad(|row| row["token"] = json!("")), "hashedToken"),
        (bad(|row| row["token"] = json!("redacted")), "hashedToken"),
        (bad(|row| row["token"] = json!("short")), "32 to 255"),
        (
            bad(|row| row["token"] = json!(format!("\u{0}{}", token(1)))),
            "32 to 255",
        ),
        (
            bad(|row| row["token"] = json!(format!("é{}", token(1)))),
            "32 to 255",
        ),
        (bad(|row| row["status"] = json!("gone")), "status"),
        (bad(|row| row["permissions"] = json!([])), "permissions"),
        (
            bad(|row| row["permissions"][0]["action"] = json!("fly")),
            "unknown action `fly`",
        ),
        (
            bad(|row| row["permissions"][0]["resource"]["type"] = json!("cows")),
            "unknown resource type `cows`",
        ),
        (
            bad(|row| row["permissions"][0]["resource"]["orgID"] = json!(id(99))),
            "is not for org id",
        ),
        (
            bad(|row| row["description"] = json!("x".repeat(1 << 20))),
            "1048576 bytes",
        ),
        (bad(|row| row["description"] = json!("a\u{7}b")), "U+0007"),
        (
            bad(|row| row["createdAt"] = json!("1969-12-31T23:59:59Z")),
            "1970",
        ),
        (
            bad(|row| row["expiresAt"] = json!("2300-01-01T00:00:00Z")),
            "2262",
        ),
        (bad(|row| row["expiresAt"] = json!("tomorrow")), "RFC 3339"),
    ];
    for (row_1, word) in cases {
        let world = World::empty(BACKENDS[0]);
        let file = json!({"authorizations": [row(0), row_1]});
        let error = refused(&mut world.import(&file));
        assert!(
            error.contains("authorizations[1]") && error.contains(word),
            "{word}: {error}"
        );
        assert!(
            !error.contains(&token(1)) && !error.contains(&token(0)),
            "{error}"
        );
        assert_ne!(world.check(&token(0)).0, 0, "{word}: something was written");
        world.import(&file).arg("--skip-invalid").assert().success();
        assert_eq!(world.check(&token(0)).0, 0);
    }
}

#[test]
fn files_that_are_none_are_told() {
    let world = World::empty(BACKENDS[0]);
    for file in [
        "",
        "{",
        "[1]",
        "{}",
        "\"x\"",
        "null x",
        "{\"authorizations\": 5}",
    ] {
        let error = refused(world.run(&["import", "-"]).write_stdin(file));
        assert!(error.contains("Error: "), "{file}: {error}");
    }
    let error = refused(&mut world.run(&["import", "missing.json"]));
    assert!(error.contains("`missing.json`"), "{error}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let world = World::new(BACKENDS[0]);
    let file = json!({"authorizations": [row(0)]});
    world.import(&file).arg("--dry-run").assert().success();
    assert_ne!(world.check(&token(0)).0, 0);
    world.import(&file).assert().success().stdout(contains("1"));
    assert_eq!(world.check(&token(0)).0, 0);
}

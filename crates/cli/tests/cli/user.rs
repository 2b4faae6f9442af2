//! `user`: administration of users on a store.

use crate::common::{Home, ORG, STORES, USER, err, out, token};

#[test]
fn from_creation_to_deletion() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        let made = home.operate_json(&["user", "create", "--name=bob"]);
        let id = made["id"].as_str().unwrap();
        assert_eq!(
            (&made["name"], &made["status"]),
            (&"bob".into(), &"active".into())
        );
        let table = out(&home.operate(&["user", "list"]).success());
        assert_eq!(
            table,
            format!("ID                Name  Status\n{USER}  me    active\n{id}  bob   active\n")
        );
        let renamed = home.operate_json(&["user", "update", "--id", id, "--name=robert"]);
        assert_eq!(renamed["name"], "robert");
        let one = home.operate_json(&["user", "list", "--name=robert"]);
        assert_eq!(one[0]["id"], id);
        let gone = out(&home.operate(&["user", "delete", "robert"]).success());
        assert!(gone.contains("Deleted") && gone.contains("true"), "{gone}");
        let left = home.operate_json(&["user", "list"]);
        assert_eq!(left.as_array().unwrap().len(), 1);
        // Its name is free again, its id is not.
        let next = home.operate_json(&["user", "create", "--name=robert"]);
        assert_ne!(next["id"], id);
        home.run(&["fsck"]).success();
    }
}

#[test]
fn switching_a_user_off_stops_its_tokens() {
    let home = Home::with_sample();
    for (command, decision) in [
        ("inactive", "owner_inactive"),
        ("active", "allow"),
        ("delete", "revoked"),
    ] {
        home.operate(&["user", command, "me"]).success();
        assert_eq!(home.reads(&token(1)), decision);
    }
}

#[test]
fn a_new_user_may_belong_to_an_organization() {
    let home = Home::with_sample();
    let made = home.operate_json(&["user", "create", "--name=bob", "--org=my-org"]);
    assert_eq!(made["memberships"][0]["orgID"], ORG);
    assert_eq!(made["memberships"][0]["role"], "member");
    // One that cannot belong to it is not made.
    let refused = home
        .operate(&["user", "create", "--name=eve", "--org=none"])
        .code(1);
    assert!(err(&refused).contains("unknown organization `none`"));
    home.operate(&["user", "list", "--name=eve"]).code(1);
}

#[test]
fn user_names_that_look_like_ids_are_found() {
    let home = Home::with_sample();
    let name = "00000000000000ff";
    let made = home.operate_json(&["user", "create", "--name", name]);
    let found = home.operate_json(&["user", "inactive", name]);
    assert_eq!(found["id"], made["id"]);
    // An id that is one comes first.
    home.operate(&["user", "create", "--name", USER]).success();
    assert_eq!(home.operate_json(&["user", "inactive", USER])["name"], "me");
}

#[test]
fn errors() {
    let home = Home::with_sample();
    home.operate(&["user", "create", "--name=bob"]).success();
    for (arguments, told) in [
        (&["create", "--name=me"][..], "there is a user `me` already"),
        (
            &["update", "bob", "--name=me"],
            "there is a user `me` already",
        ),
        (&["create", "--name="], "user name is empty"),
        (&["create"], "--name <NAME>"),
        (
            &["create", "--name=x", "--password=y"],
            "unexpected argument '--password'",
        ),
        (
            &["update", "none", "--name=x"],
            "unknown user `none`; `symbolon user list`",
        ),
        (&["update", "bob"], "--name <NAME>"),
        (
            &["delete", "--id=0000000000000fff"],
            "unknown user `0000000000000fff`",
        ),
        (&["delete"], "required"),
        (&["active", "me", "--id", USER], "cannot be used with"),
    ] {
        let refused = home
            .operate(&[&["user"], arguments].concat())
            .code(1)
            .stdout("");
        assert!(err(&refused).contains(told), "{}", err(&refused));
    }
    home.operate(&["user", "delete", "bob"]).success();
    let ended = home.operate(&["user", "active", "bob"]).code(1);
    assert!(err(&ended).contains("unknown user `bob`"));
}

//! `symbolon user`.

use crate::common::{Home, ORG, STORES, USER, err, out, token};

#[test]
fn a_user_is_created_listed_renamed_and_deleted() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        let made = home.operate_json(&["user", "create", "--name=bob"]);
        let id = made["id"].as_str().unwrap();
        assert_eq!((&made["name"], &made["status"]), (&"bob".into(), &"active".into()));
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
        // The name can be used again, the id cannot.
        let next = home.operate_json(&["user", "create", "--name=robert"]);
        assert_ne!(next["id"], id);
        home.run(&["fsck"]).success();
    }
}

#[test]
fn deactivating_a_user_stops_its_tokens() {
    let home = Home::with_sample();
    for (command, decision) in
        [("inactive", "owner_inactive"), ("active", "allow"), ("delete", "revoked")]
    {
        home.operate(&["user", command, "me"]).success();
        assert_eq!(home.reads(&token(1)), decision);
    }
}

#[test]
fn a_user_can_be_created_as_a_member_of_an_organization() {
    let home = Home::with_sample();
    let made = home.operate_json(&["user", "create", "--name=bob", "--org=my-org"]);
    assert_eq!(made["memberships"][0]["orgID"], ORG);
    assert_eq!(made["memberships"][0]["role"], "member");
    // No user is created for an unknown organization.
    let refused = home.operate(&["user", "create", "--name=eve", "--org=none"]).code(1);
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
    // An id takes precedence over a name.
    home.operate(&["user", "create", "--name", USER]).success();
    assert_eq!(home.operate_json(&["user", "inactive", USER])["name"], "me");
}

#[test]
fn invalid_user_commands_fail_with_a_reason() {
    let home = Home::with_sample();
    home.operate(&["user", "create", "--name=bob"]).success();
    for (arguments, expected) in [
        (&["create", "--name=me"][..], "user `me` exists already"),
        (&["update", "bob", "--name=me"], "user `me` exists already"),
        (&["create", "--name="], "user name is empty"),
        (&["create"], "--name <NAME>"),
        (&["create", "--name=x", "--password=y"], "unexpected argument '--password'"),
        (&["update", "none", "--name=x"], "unknown user `none`; see `symbolon user list`"),
        (&["update", "bob"], "--name <NAME>"),
        (&["delete", "--id=0000000000000fff"], "unknown user `0000000000000fff`"),
        (&["delete"], "required"),
        (&["active", "me", "--id", USER], "cannot be used with"),
    ] {
        let refused = home.operate(&[&["user"], arguments].concat()).code(1).stdout("");
        assert!(err(&refused).contains(expected), "{}", err(&refused));
    }
    home.operate(&["user", "delete", "bob"]).success();
    let ended = home.operate(&["user", "active", "bob"]).code(1);
    assert!(err(&ended).contains("unknown user `bob`"));
}

//! `symbolon org`.

use crate::common::{Home, ORG, STORES, USER, err, out, token};

#[test]
fn an_organization_is_created_listed_renamed_and_deleted() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        let made = home.operate_json(&["org", "create", "--name=ours", "--description=of us"]);
        let id = made["id"].as_str().unwrap();
        let table = out(&home.operate(&["org", "list", "--name=ours"]).success());
        assert_eq!(
            table,
            format!("ID                Name  Status  Description\n{id}  ours  active  of us\n")
        );
        let changed = home.operate_json(&["org", "update", "ours", "--description="]);
        assert_eq!((&changed["name"], &changed["description"]), (&"ours".into(), &"".into()));
        let changed = home.operate_json(&["org", "update", "--id", id, "--name=theirs"]);
        assert_eq!(changed["name"], "theirs");
        home.operate(&["org", "delete", "theirs"]).success();
        let left = home.operate_json(&["org", "list"]);
        assert_eq!(left.as_array().unwrap().len(), 2);
        home.run(&["fsck"]).success();
    }
}

#[test]
fn deleting_an_organization_revokes_its_tokens() {
    let home = Home::with_sample();
    assert_eq!(home.reads(&token(1)), "allow");
    let gone = out(&home.operate(&["org", "delete", "--id", ORG]).success());
    assert!(gone.contains("Deleted"), "{gone}");
    assert_eq!(home.reads(&token(1)), "revoked");
}

#[test]
fn members_are_added_listed_and_removed() {
    let home = Home::with_sample();
    let list =
        || out(&home.operate(&["org", "members", "list", "my-org", "--hide-headers"]).success());
    assert_eq!(list(), "");
    home.operate(&["user", "create", "--name=bob"]).success();
    let add = ["org", "members", "add", "my-org", "--member"];
    home.operate(&[&add[..], &["me", "--owner"]].concat()).success();
    let added = home.operate_json(&[&add[..], &["bob"]].concat());
    let bob = added["id"].as_str().unwrap();
    assert_eq!(added["role"], "member");
    assert_eq!(list(), format!("{USER}  me   owner   active\n{bob}  bob  member  active\n"));
    // A second time, with another role.
    home.operate(&[&add[..], &[bob, "--owner"]].concat()).success();
    assert_eq!(list(), format!("{USER}  me   owner  active\n{bob}  bob  owner  active\n"));
    let other = home.operate_json(&["org", "members", "list", "other"]);
    assert_eq!(other.as_array().unwrap().len(), 0);
    let remove = ["org", "members", "remove", "--id", ORG, "--member=bob"];
    assert!(out(&home.operate(&remove).success()).contains("Deleted"));
    assert_eq!(list(), format!("{USER}  me  owner  active\n"));
    let refused = home.operate(&remove).code(1);
    assert_eq!(
        err(&refused),
        "Error: the user `bob` does not belong to the organization `my-org`; \
         see `symbolon org members list`\n"
    );
}

#[test]
fn invalid_org_commands_fail_with_a_reason() {
    let home = Home::with_sample();
    for (arguments, expected) in [
        (&["create", "--name=other"][..], "organization `other` exists already"),
        (&["update", "my-org", "--name=other"], "organization `other` exists already"),
        (&["create", "--name="], "organization name is empty"),
        (&["update", "my-org"], "--name <NAME>"),
        (&["update", "none", "--name=x"], "unknown organization `none`; see `symbolon org list`"),
        (&["delete"], "required"),
        (&["list", "--name=none"], "unknown organization `none`"),
        (&["members", "add", "my-org", "--member=none"], "unknown user `none`"),
        (&["members", "add", "none", "--member=me"], "unknown organization `none`"),
        (&["members", "add", "my-org"], "--member <USER>"),
        (&["members"], "requires a subcommand"),
    ] {
        let refused = home.operate(&[&["org"], arguments].concat()).code(1).stdout("");
        assert!(err(&refused).contains(expected), "{}", err(&refused));
    }
}

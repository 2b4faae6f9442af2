//! `symbolon auth`.

use std::fs;

use serde_json::Value;

use crate::common::{AUTH, Home, ORG, STORES, USER, err, out, token};

pub(crate) const MISSING: &str = "0000000000000fff";

/// Returns the ids in a JSON list.
pub(crate) fn ids(list: &Value) -> Vec<String> {
    let rows = list.as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn id(number: u32) -> String {
    format!("{:016x}", 0xa00 + number)
}

pub(crate) fn create(home: &Home, arguments: &[&str]) -> Value {
    home.operate_json(&[&["auth", "create", "--org=my-org"], arguments].concat())
}

pub(crate) fn permissions(made: &Value) -> Vec<String> {
    let all = made["permissions"].as_array().unwrap().iter();
    all.map(|one| {
        let one: symbolon::Permission = serde_json::from_value(one.clone()).unwrap();
        one.to_string()
    })
    .collect()
}

/// Covers every command that acts as the operator.
#[test]
fn administration_requires_the_store_on_the_command_line() {
    for commands in [
        &["auth", "list"][..],
        &["auth", "create", "--org=my-org", "--read-buckets"],
        &["auth", "active", AUTH],
        &["auth", "inactive", AUTH],
        &["auth", "delete", AUTH],
        &["auth", "rotate", AUTH],
        &["user", "create", "--name=x"],
        &["user", "list"],
        &["user", "update", "me", "--name=x"],
        &["user", "active", "me"],
        &["user", "inactive", "me"],
        &["user", "delete", "me"],
        &["org", "create", "--name=x"],
        &["org", "list"],
        &["org", "update", "my-org", "--name=x"],
        &["org", "members", "list", "my-org"],
        &["org", "members", "add", "my-org", "--member=me"],
        &["org", "members", "remove", "my-org", "--member=me"],
        &["org", "delete", "my-org"],
    ] {
        // There is no store: the command fails before opening anything.
        let refused = Home::new().run(commands).code(1).stdout("");
        let error = err(&refused);
        assert!(
            error.starts_with(
                "Error: name the store on the command line, \
                 as in `--store sqlite:./symbolon/data/symbolon.db`"
            ),
            "{commands:?}: {error}"
        );
    }
}

#[test]
fn environment_and_default_store_do_not_grant_operator_access() {
    let home = Home::with_sample();
    home.run(&["auth", "delete", AUTH]).code(1);
    let url = format!("sqlite:{}", home.store().display());
    home.command(&["auth", "delete", AUTH]).env("SYMBOLON_STORE", &url).assert().code(1);
    assert_eq!(home.reads(&token(1)), "allow");
    // Before or after the command, even if the environment names a store too.
    home.run(&["--store", &url, "auth", "inactive", AUTH]).success();
    assert_eq!(home.reads(&token(1)), "inactive");
    home.command(&["auth", "--store", &url, "delete", AUTH])
        .env("SYMBOLON_STORE", &url)
        .assert()
        .success();
    assert_eq!(home.reads(&token(1)), "revoked");
}

#[test]
fn an_authorization_is_created_deactivated_and_revoked() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        let made = home.operate(&[
            "auth",
            "create",
            "--org=my-org",
            "--user=me",
            "--read-buckets",
            "--description=of me",
        ]);
        let text = out(&made.success());
        let words: Vec<&str> = text.split_whitespace().collect();
        let token = *words.iter().find(|word| word.starts_with("sym_")).unwrap();
        assert_eq!(text.matches(token).count(), 1);
        for part in ["of me", "my-org", USER, "shown only once"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(home.reads(token), "allow");
        let list = home.operate_json(&["auth", "list", "--user=me"]);
        let made = list.as_array().unwrap().last().unwrap();
        let id = made["id"].as_str().unwrap();
        assert!(text.contains(id));
        assert_eq!(made["description"], "of me");
        for (command, decision) in
            [("inactive", "inactive"), ("active", "allow"), ("delete", "revoked")]
        {
            let done = home.operate(&["auth", command, "--id", id]).success();
            assert!(out(&done).contains(id), "{command}");
            assert_eq!(out(&done).contains("Deleted"), command == "delete");
            assert_eq!(home.reads(token), decision);
        }
        // A second time is not an error, but revocation is permanent.
        home.operate(&["auth", "delete", id]).success();
        let refused = home.operate(&["auth", "active", id]).code(1);
        assert!(err(&refused).contains("cannot be changed"));
        home.run(&["fsck"]).success();
    }
}

#[test]
fn create_options_map_to_permissions() {
    let home = Home::with_sample();
    let o = format!("orgs/{ORG}");
    for (arguments, wanted) in [
        (&["--read-tasks"][..], vec![format!("read:{o}/tasks")]),
        (
            &["--write-bucket=telegraf", "--read-bucket=00000000000000ff", "--write-dbrps"],
            vec![
                format!("read:{o}/buckets/00000000000000ff"),
                format!("write:{o}/buckets/0000000000000d01"),
                format!("write:{o}/dbrp"),
            ],
        ),
        (&["--read-user", "--read-orgs"], vec!["read:orgs".into(), "read:users".into()]),
        (
            &["--read-database=a", "--read-database=b", "--write-database=*"],
            vec![
                format!("read:{o}/databases/a"),
                format!("read:{o}/databases/b"),
                format!("write:{o}/databases"),
            ],
        ),
        (
            &["--permission=write:labels", "--permission=read:orgs/0000000000000b01/views"],
            vec!["write:labels".into(), format!("read:{o}/views")],
        ),
    ] {
        assert_eq!(permissions(&create(&home, arguments)), wanted, "{arguments:?}");
    }
    let operator = create(&home, &["--operator"]);
    assert_eq!(permissions(&operator).len(), 44);
    assert!(permissions(&operator).contains(&"write:orgs".to_owned()));
    let all = permissions(&create(&home, &["--all-access", "--user=me"]));
    assert_eq!(all.len(), 44);
    for one in
        [format!("read:orgs/{ORG}"), format!("write:users/{USER}"), format!("read:{o}/dashboards")]
    {
        assert!(all.contains(&one), "{one} {all:?}");
    }
    assert!(all.iter().all(|one| one.contains(ORG) || one.contains(USER)));
    let userless = permissions(&create(&home, &["--all-access"]));
    assert_eq!(userless.len(), 42, "no permissions on users");
}

/// An authorization for databases only is a database token, whose permissions can be changed.
#[test]
fn the_origin_follows_from_the_granted_permissions() {
    let home = Home::with_sample();
    let of_databases = create(&home, &["--read-database=a"]);
    let of_both = create(&home, &["--read-database=a", "--read-tasks"]);
    let engine = home.engine();
    let origin = |made: &Value| {
        let id = made["id"].as_str().unwrap().parse().unwrap();
        let one = engine.admin(symbolon::Caller::Root).authorizations().get(id);
        one.unwrap().origin
    };
    assert_eq!(origin(&of_databases), symbolon::Origin::V0);
    assert_eq!(origin(&of_both), symbolon::Origin::V2);
}

#[test]
fn status_and_expiry_options_apply() {
    let home = Home::with_sample();
    let later = create(&home, &["--read-buckets", "--expires=2199-01-01T00:00:00Z"]);
    assert_eq!(later["expiresAt"], "2199-01-01T00:00:00Z");
    let soon = create(&home, &["--read-buckets", "--expires=90d", "--inactive"]);
    let made: symbolon::Timestamp = serde_json::from_value(soon["createdAt"].clone()).unwrap();
    let ends: symbolon::Timestamp = serde_json::from_value(soon["expiresAt"].clone()).unwrap();
    let days = (ends.nanos() - made.nanos()) as f64 / 86_400e9;
    assert!((89.9..90.1).contains(&days), "{days}");
    assert_eq!(soon["status"], "inactive");
    assert_eq!(home.reads(soon["token"].as_str().unwrap()), "inactive");
    let past = home.operate(&[
        "auth",
        "create",
        "--org=my-org",
        "--read-tasks",
        "--expires=2001-01-01T00:00:00Z",
    ]);
    assert!(err(&past.code(1)).contains("lies in the past"));
    let never = home.operate(&[
        "auth",
        "create",
        "--org=my-org",
        "--read-tasks",
        "--expires=2999-01-01T00:00:00Z",
    ]);
    assert!(err(&never.code(1)).contains("a time must be between"));
}

#[test]
fn write_token_writes_the_token_to_a_file_and_prints_the_rest() {
    let home = Home::with_sample();
    let file = ["--write-token=new", "--read-buckets"];
    let made = create(&home, &file);
    let text = fs::read_to_string(home.path("new")).unwrap();
    assert_eq!(home.reads(&text), "allow");
    assert_eq!(made["token"], Value::Null);
    assert_eq!(made["orgID"], ORG);
    // The second time the file exists, and no authorization is created.
    let before = ids(&home.operate_json(&["auth", "list"]));
    let again = home.operate(&[&["auth", "create", "--org=my-org"], &file[..]].concat());
    assert!(err(&again.code(1)).contains("exists already"));
    assert_eq!(ids(&home.operate_json(&["auth", "list"])), before);
    assert_eq!(fs::read_to_string(home.path("new")).unwrap(), text);
}

#[test]
fn rotation_revokes_the_old_token_at_once_or_after_the_overlap() {
    let home = Home::with_sample();
    let rotated = home.operate_json(&["auth", "rotate", AUTH, "--overlap=1h"]);
    let second = rotated["token"].as_str().unwrap();
    assert_eq!(rotated["rotatedFrom"], AUTH);
    assert_eq!(rotated["description"], "number 1");
    assert_eq!((home.reads(&token(1)), home.reads(second)), ("allow".into(), "allow".into()));
    let id = rotated["id"].as_str().unwrap();
    let again =
        home.operate(&["auth", "rotate", "--id", id, "--write-token=third", "--description=3"]);
    assert!(out(&again.success()).starts_with(&format!("Rotated from {id}\n")));
    assert_eq!(home.reads(second), "expired");
    assert_eq!(home.reads(&fs::read_to_string(home.path("third")).unwrap()), "allow");
    let over = home.operate(&["auth", "rotate", id]).code(1);
    assert!(err(&over).contains("create a new authorization instead"), "{}", err(&over));
}

#[test]
fn invalid_authorizations_are_not_created() {
    let home = Home::with_sample();
    for (arguments, expected) in [
        (&["--org=none", "--read-tasks"][..], "unknown organization `none`"),
        (&["--org-id", MISSING, "--read-tasks"], "unknown organization `0000000000000fff`"),
        (&["--org=my-org"], "give at least one, such as `--read-buckets`"),
        (&["--org=my-org", "--user=none", "--read-tasks"], "unknown user `none`"),
        (&["--org=my-org", "--read-bucket=none"], "unknown bucket `none`; give its id"),
        (
            &["--org=my-org", "--operator", "--read-tasks"],
            "cannot be combined with other permissions",
        ),
        (&["--org=my-org", "--permission=x"], "a permission is written as"),
        (&["--org=my-org", "--permission=read:nothing"], "unknown resource type `nothing`"),
        (
            &["--org=my-org", "--permission=read:orgs/0000000000000b02/tasks"],
            "is not for organization 0000000000000b01",
        ),
        (&["--org=my-org", "--read-tasks", "--expires=soon"], "invalid time `soon`"),
        (&["--read-tasks"], "--org <NAME>"),
        (&["--org=my-org", "--org-id", ORG, "--read-tasks"], "cannot be used with"),
    ] {
        let refused = home.operate(&[&["auth", "create"], arguments].concat());
        let refused = refused.code(1).stdout("");
        assert!(err(&refused).contains(expected), "{}", err(&refused));
    }
    for command in ["active", "inactive", "delete", "rotate"] {
        let refused = home.operate(&["auth", command, MISSING]).code(1);
        assert!(err(&refused).contains("unknown authorization `0000000000000fff`"));
        home.operate(&["auth", command]).code(1);
        home.operate(&["auth", command, AUTH, "--id", AUTH]).code(1);
    }
    assert_eq!(ids(&home.operate_json(&["auth", "list"])).len(), 5);
}

/// The error names the user, not the authorization, as unknown.
#[test]
fn an_authorization_of_a_deleted_user_cannot_be_rotated() {
    let home = Home::with_sample();
    home.operate(&["user", "delete", "me"]).success();
    let refused = home.operate(&["auth", "rotate", AUTH]).code(1);
    assert_eq!(err(&refused), "Error: user not found\n");
}

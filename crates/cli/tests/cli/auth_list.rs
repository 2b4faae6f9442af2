//! `symbolon auth list`.

use serde_json::Value;

use crate::auth::{MISSING, create, id, ids};
use crate::common::{Home, ORG, OTHER_ORG, STORES, USER, err, out};

#[test]
fn auth_list_filters_and_formats() {
    let home = Home::with_sample();
    let list = |arguments: &[&str]| {
        let list = home.operate_json(&[&["auth", "list"], arguments].concat());
        let numbers = ids(&list).into_iter();
        let numbers = numbers.map(|id| u32::from_str_radix(&id[13..], 16).unwrap() - 0xa00);
        numbers.collect::<Vec<_>>()
    };
    for (arguments, wanted) in [
        (&[][..], &[1, 2, 3, 5, 6][..]),
        (&["--org=my-org"], &[1, 2, 3, 6]),
        (&["--org", OTHER_ORG], &[5]),
        (&["--org-id", OTHER_ORG], &[5]),
        (&["--org-id", MISSING], &[]),
        (&["--user=me", "--limit=2"], &[1, 2]),
        (&["--user-id", USER, "--after", &id(3)], &[5, 6]),
        (&["--user-id", MISSING], &[]),
        (&["--status=inactive"], &[2]),
        (&["--status=revoked"], &[4]),
        (&["--limit=0"], &[]),
        (&["--id", &id(4)], &[4]),
        (&["--id", &id(5), "--org=my-org"], &[]),
    ] {
        assert_eq!(list(arguments), wanted, "{arguments:?}");
    }
    for (arguments, expected) in [
        (["--id", MISSING], "unknown authorization `0000000000000fff`; see `symbolon auth list`"),
        (["--org", "none"], "unknown organization `none`; see `symbolon org list`"),
        (["--user", "none"], "unknown user `none`; see `symbolon user list`"),
        (["--id", "x"], "invalid value 'x' for '--id <ID>'"),
        (["--status", "odd"], "possible values: active, inactive, revoked"),
    ] {
        let refused = home.operate(&[&["auth", "find"], &arguments[..]].concat()).code(1);
        assert!(err(&refused).contains(expected), "{}", err(&refused));
    }
}

#[test]
fn the_table_has_the_columns_of_influxdb_without_the_token() {
    let home = Home::with_sample();
    let table = out(&home.operate(&["auth", "ls", "--limit=3"]).success());
    let permissions = format!("[read:orgs/{ORG}/buckets]");
    assert_eq!(
        table,
        format!(
            "ID                Description  Status    User Name  User ID           Permissions\n\
             {}  number 1     active    me         {USER}  {permissions}\n\
             {}  number 2     inactive  me         {USER}  {permissions}\n\
             {}  number 3     expired   me         {USER}  {permissions}\n",
            id(1),
            id(2),
            id(3)
        )
    );
    let rows = || table.lines().skip(1).flat_map(str::split_whitespace);
    let headless = out(&home.operate(&["auth", "ls", "--limit=3", "--hide-headers"]).success());
    assert!(headless.starts_with(&id(1)), "{headless}");
    assert!(headless.split_whitespace().eq(rows()), "{headless}");
    let empty = home.operate_json(&["auth", "ls", "--org-id", MISSING]);
    assert_eq!(empty, Value::Array(vec![]));
}

/// All keys are present, also those without a value.
#[test]
fn the_json_has_the_keys_of_influxdb() {
    let home = Home::with_sample();
    create(&home, &["--read-tasks"]);
    let list = home.operate_json(&["auth", "list"]);
    for row in list.as_array().unwrap() {
        let keys: Vec<_> = row.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "createdAt",
                "description",
                "expiresAt",
                "id",
                "lastUsedAt",
                "org",
                "orgID",
                "permissions",
                "revokedAt",
                "rotatedFrom",
                "status",
                "updatedAt",
                "user",
                "userID"
            ]
        );
    }
    assert_eq!(list[0]["org"], "my-org");
    assert_eq!(list[0]["user"], "me");
    assert_eq!(list[0]["permissions"][0]["resource"]["orgID"], ORG);
}

#[test]
fn a_thousand_authorizations_are_listed_paged_or_at_once() {
    let home = Home::with_sample();
    {
        let engine = home.engine();
        let permission: symbolon::Permission = "read:buckets".parse().unwrap();
        for _ in 0..1_000 {
            let new = symbolon::NewAuthorization::new(ORG.parse().unwrap(), [permission.clone()]);
            engine.admin(symbolon::Caller::Root).authorizations().create(new).unwrap();
        }
    }
    let all = ids(&home.operate_json(&["auth", "list"]));
    assert_eq!(all.len(), 1_005);
    assert!(all.is_sorted());
    let table = out(&home.operate(&["auth", "list", "--hide-headers"]).success());
    let shown: Vec<_> = table.lines().map(|line| line[..16].to_owned()).collect();
    assert_eq!(shown, all);
    let mut paged = Vec::new();
    let mut after = "0000000000000001".to_owned();
    loop {
        let page = ids(&home.operate_json(&["auth", "list", "--limit=600", "--after", &after]));
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        paged.extend(page);
    }
    assert_eq!(paged, all);
}

/// A reader such as `head` may stop early.
#[test]
fn a_closed_output_pipe_is_not_an_error() {
    let home = Home::with_sample();
    for form in ["--json", "--hide-headers"] {
        let mut process = home.process(&["auth", "list", form, "--store", STORES[0]]);
        let unread = std::io::pipe().unwrap().1;
        let done = process.stdout(unread).output().unwrap();
        assert_eq!((done.status.code(), done.stderr.len()), (Some(0), 0));
    }
}

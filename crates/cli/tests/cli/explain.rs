//! `symbolon explain`.

use serde_json::{Value, json};

use crate::common::{AUTH, Home, ORG, STORES, err, out, token};

fn id(number: u32) -> String {
    format!("{:016x}", 0xa00 + number)
}

/// Runs `explain` and returns its JSON output. Asserts that the exit code fits the decision.
fn explain(home: &Home, number: u32, arguments: &[&str]) -> Value {
    let id = id(number);
    let done = home.run(&[&["explain", "--json", "--id", &id], arguments].concat());
    let explanation: Value = serde_json::from_str(&out(&done)).unwrap();
    done.code(i32::from(explanation["allow"] == false));
    explanation
}

/// For every token and request, the decision is that of a check.
#[test]
fn explain_agrees_with_check() {
    for store in STORES {
        let home = Home::with_sample_on(store);
        home.run(&["explain", "--id", AUTH, "--action=read", "--type=tasks"]).code(1);
        for number in 1..=6 {
            for request in [
                &["--action=read", "--type=buckets", "--org=my-org"][..],
                &["--action=write", "--type=buckets", "--org=my-org"],
                &["--action=read", "--type=buckets"],
                &["--action=read", "--type=buckets", "--org=other"],
            ] {
                let explanation = explain(&home, number, request);
                let checked = home.check(&token(number), request);
                for key in ["allow", "permission", "reason", "id"] {
                    assert_eq!(explanation[key], checked[key], "{number} {request:?} {key}");
                }
            }
        }
    }
}

#[test]
fn explain_lists_mismatches() {
    let home = Home::with_sample();
    let granted = format!("read:orgs/{ORG}/buckets");
    for (request, why) in [
        (&["--action=write", "--type=buckets", "--org=my-org"][..], json!(["action"])),
        (&["--action=read", "--type=tasks", "--org=my-org"], json!(["type"])),
        (&["--action=read", "--type=buckets", "--org=other"], json!(["organization"])),
        (&["--action=read", "--type=buckets"], json!(["no_organization"])),
        (
            &["--action=write", "--type=databases", "--resource-name=a"],
            json!(["type", "action", "no_organization"]),
        ),
    ] {
        let explanation = explain(&home, 1, request);
        assert_eq!(
            explanation["nearest"],
            json!([{ "permission": granted, "why": why }]),
            "{request:?}"
        );
        assert_eq!(explanation["reasons"], json!([]));
    }
    let request = ["--action=read", "--type=buckets", "--org=my-org"];
    for (number, reasons) in [
        (2, json!([{ "reason": "inactive" }])),
        (3, json!([{ "reason": "expired", "at": "2020-01-01T00:00:00Z" }])),
    ] {
        assert_eq!(explain(&home, number, &request)["reasons"], reasons);
    }
    assert_eq!(explain(&home, 4, &request)["reasons"][0]["reason"], "revoked");
    home.operate(&["user", "inactive", "me"]).success();
    home.operate(&["org", "delete", "my-org"]).success();
    let by_id = ["--action=read", "--type=buckets", "--org", ORG];
    let explanation = explain(&home, 1, &by_id);
    assert_eq!(
        explanation["reasons"],
        json!([{ "reason": "user_inactive" }, { "reason": "organization_deleted" }])
    );
    assert_eq!(explanation["reason"], "revoked");
}

#[test]
fn resources_are_given_by_id_or_name() {
    let home = Home::with_sample();
    let made = home.operate_json(&[
        "auth",
        "create",
        "--org=my-org",
        "--read-bucket=telegraf",
        "--read-database=db",
        "--permission=read:users/0000000000000c01",
    ]);
    let id = made["id"].as_str().unwrap();
    for (code, request) in [
        (0, &["--type=buckets", "--org=my-org", "--resource-name=telegraf"][..]),
        (0, &["--type=buckets", "--resource-id=0000000000000d01"]),
        (1, &["--type=buckets", "--org=my-org", "--resource-id=0000000000000d02"]),
        (1, &["--type=buckets", "--org=my-org"]),
        (0, &["--type=databases", "--org=my-org", "--resource-name=db"]),
        (1, &["--type=databases", "--org=my-org", "--resource-name=other"]),
        (0, &["--type=users", "--resource-name=me"]),
        (2, &["--type=users", "--resource-name=none"]),
        (2, &["--type=orgs", "--resource-name=none"]),
        (2, &["--type=buckets", "--resource-name=telegraf"]),
        (2, &["--type=buckets", "--org=other", "--resource-name=telegraf"]),
        (2, &["--type=tasks", "--resource-name=a"]),
        (2, &["--type=databases", "--resource-id=0000000000000d01"]),
        (2, &["--type=nothing"]),
        (2, &["--type=buckets", "--org=none"]),
        (2, &[]),
    ] {
        let done = home.run(&[&["explain", "--id", id, "--action=read"], request].concat());
        let done = done.code(code);
        assert_eq!(err(&done).starts_with("Error: "), code == 2, "{}", err(&done));
    }
    let unknown = home.run(&["explain", "--id=0000000000000fff", "--action=read", "--type=tasks"]);
    assert!(err(&unknown.code(2)).contains("unknown authorization `0000000000000fff`"));
}

#[test]
fn explain_prints_the_decision_and_its_reason() {
    let home = Home::with_sample();
    let words = |number: u32, action: &str, org: &str| {
        out(&home.run(&[
            "explain",
            "--id",
            &id(number),
            "--action",
            action,
            "--type=buckets",
            "--org",
            org,
        ]))
    };
    assert_eq!(
        words(1, "read", "my-org"),
        format!(
            "allow\n  Authorization  {AUTH}  number 1\n  Permission     read:orgs/{ORG}/buckets\n"
        )
    );
    assert_eq!(
        words(1, "write", "other"),
        format!(
            "deny\n  Authorization  {AUTH}  number 1\n  Reason         forbidden\n\n\
             No permission covers write:orgs/0000000000000b02/buckets. Nearest:\n  \
             read:orgs/{ORG}/buckets  is for another action; is for another organization\n"
        )
    );
    let expired = words(3, "read", "my-org");
    assert!(expired.contains(&format!("Permission     read:orgs/{ORG}/buckets\n")), "{expired}");
    assert!(expired.ends_with("\nIt expired at 2020-01-01T00:00:00Z.\n"), "{expired}");
    // Only a few of the dozens of permissions of an operator.
    let made = home.operate_json(&["auth", "create", "--org=my-org", "--operator"]);
    let text = out(&home.run(&[
        "explain",
        "--id",
        made["id"].as_str().unwrap(),
        "--action=read",
        "--type=databases",
    ]));
    assert!(text.ends_with("  and 14 more like these\n"), "{text}");
}

//! The three forms of InfluxDB's output.

use super::*;
use crate::import::OwnerName;
use crate::{Action, Origin, Request, ResourceType, Status, Timestamp};

#[test]
fn api_replies_are_read_in_any_order() {
    let (engine, counts) = import(&format!(
        r#"{{"links":{{"self":"/x"}},
        "authorizations":[{{"links":{{}},"id":"0000000000000A01","token":"{RAW}",
            "status":"inactive","description":"d","orgID":"0000000000000b01","org":"renamed",
            "userID":"0000000000000c01",
            "user":"renamed","permissions":[{{"action":"read","resource":{{"type":"buckets",
            "id":"0000000000000d01","orgID":"0000000000000B01","name":"n","org":"o"}}}}],
            "createdAt":"2024-01-02T03:04:05.678901+02:00","updatedAt":"2024-02-02T00:00:00Z",
            "expiresAt":"2020-01-01T00:00:00Z"}}],
        "buckets":[{{"id":"0000000000000d01","orgID":"0000000000000b01","name":"b",
            "retentionRules":[]}}],
        "users":[{{"id":"0000000000000c01","name":"u","status":"active"}}],
        "orgs":[{{"id":"0000000000000b01","name":"o","description":"of the file"}}]}}"#
    ));
    assert_eq!((counts.total(), counts.authorizations), (4, 1));
    let found = stored(&engine, "0000000000000a01");
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(found.created_at, time("2024-01-02T01:04:05.678901Z"));
    assert_eq!(found.updated_at, time("2024-02-02T00:00:00Z"));
    assert_eq!(found.expires_at, Some(time("2020-01-01T00:00:00Z")));
    assert_eq!((found.status, found.origin), (Status::Inactive, Origin::V2));
    assert_eq!(
        found.permissions[0].to_string(),
        "read:orgs/0000000000000b01/buckets/0000000000000d01"
    );
    let org = engine.admin(Caller::Root).organizations().find("o").unwrap();
    assert_eq!((org.id, &*org.description), (found.organization, "of the file"));
    assert_eq!(
        engine.admin(Caller::Root).users().list(ListOptions::default()).all().unwrap()[0].name,
        "u"
    );
    assert_eq!(
        engine.admin(Caller::Root).buckets().list(None, ListOptions::default()).all().unwrap()[0]
            .name,
        "b"
    );
}

#[test]
fn influx_auth_list_output_is_read() {
    let json = format!(
        r#"[{{"id":"0000000000000a01","description":"","token":"{RAW}","status":"active",
        "userName":"me","userID":"0000000000000c01",
        "permissions":["read:/buckets","write:orgs/0000000000000b01/tasks/0000000000000001"]}}]"#
    );
    let bad = bad(&json);
    assert_eq!(bad.len(), 1);
    assert!(bad[0].starts_with("[0] (id 0000000000000a01): it names no org"), "{bad:?}");
    assert!(bad[0].ends_with("or set a default"), "{bad:?}");

    let engine = engine();
    for organization in ["0000000000000b01", "my-org"] {
        let defaults =
            Defaults { organization: Some(OwnerName::from(organization)), ..Defaults::default() };
        let plan = plan_for(&engine, &json, &defaults);
        // The permissions refer to another organization than the one with this name.
        assert_eq!(plan.bad().is_empty(), organization == "0000000000000b01");
        plan.write(&engine.maintenance(), &mut |_| ()).unwrap();
    }
    let request = Request::new(Action::READ, ResourceType::BUCKETS);
    assert!(engine.verifier().check(RAW, &request).is_ok());
    assert_eq!(
        engine.admin(Caller::Root).users().list(ListOptions::default()).all().unwrap()[0].name,
        "me"
    );
}

#[test]
fn empty_lists_are_accepted() {
    for json in
        ["null", "[]", r#"{"authorizations":[]}"#, r#"{"users":null}"#, "\u{feff} {\"orgs\":[]}\n"]
    {
        assert_eq!(import(json).1.total(), 0, "{json}");
    }
}

#[test]
fn missing_and_zero_times_become_now() {
    let zero = r#""createdAt":"0001-01-01T00:00:00Z","updatedAt":null"#;
    let (engine, _) = import(&rows(&[row(&format!(r#""token":"{RAW}",{zero}"#))]));
    let found = stored(&engine, "0000000000000a01");
    assert!(found.created_at > "2020-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(found.created_at, found.updated_at);
}

#[test]
fn every_status_is_imported() {
    for (json, status) in [
        ("null", Status::Active),
        (r#""""#, Status::Active),
        (r#""active""#, Status::Active),
        (r#""inactive""#, Status::Inactive),
        (r#""revoked""#, Status::Revoked),
    ] {
        let (engine, _) = import(&rows(&[row(&format!(r#""token":"{RAW}","status":{json}"#))]));
        let found = stored(&engine, "0000000000000a01");
        assert_eq!(found.status, status, "{json}");
        assert_eq!(found.revoked_at.is_some(), status == Status::Revoked);
    }
}

#[test]
fn tokens_imported_by_hash_are_accepted() {
    let request = Request::new(Action::READ, ResourceType::BUCKETS);
    for hash in hashes(RAW) {
        for token in ["redacted", "", RAW] {
            let fields = format!(r#""token":"{token}","hashedToken":"{hash}""#);
            let (engine, _) = import(&rows(&[row(&fields)]));
            assert!(engine.verifier().check(RAW, &request).is_ok());
            let other = engine.verifier().check(OTHER, &request);
            assert_eq!(other, Err(crate::Denied::Unknown));
        }
    }
}

#[test]
fn importing_twice_adds_nothing() {
    let json = rows(&[row(&format!(r#""token":"{RAW}","org":"o","user":"u""#))]);
    let (engine, counts) = import(&json);
    assert_eq!(counts.total(), 3);
    let again = plan_in(&engine, &json);
    assert_eq!((again.new_items().total(), again.known().authorizations), (0, 1));
    assert_eq!(again.write(&engine.maintenance(), &mut |_| ()).unwrap().total(), 0);
}
